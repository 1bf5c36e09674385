"""Skills with code of others: install a file, read its code, accept or refuse it, see which walls it runs behind."""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import SoloistError
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/packages"
ONE = HERE + "/{name}/{hash}"


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, index, name="packages"),
        Route(HERE, install, methods=["POST"]),
        Route(HERE + "/walls", walls, methods=["POST"]),
        Route(HERE + "/trust", trust, methods=["POST"]),
        Route(ONE, show),
        Route(ONE + "/compare", compare, methods=["POST"]),
        Route(ONE + "/accept", accept, methods=["POST"]),
        Route(ONE + "/refuse", refuse, methods=["POST"]),
        Route(HERE + "/back/{skill}", back, methods=["POST"]),
        Route(HERE + "/{name}/remove", remove, methods=["POST"]),
    ]


async def index(request: Request) -> Response:
    """GET /packages: what is installed, and the walls."""
    return await _listed(request)


async def _listed(request: Request, fault: str = "", *, status: int = 200, again: bool = False) -> Response:
    view = await door(request).packages.page(again=again)
    return page(request, "packages.html", await door(request).frame(), status=status, view=view, fault=fault)


async def install(request: Request) -> Response:
    """POST /packages: keep an archive until it is decided on; nothing of it is run."""
    async with request.form(max_files=1, max_fields=5) as sent:
        file = sent.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return await _listed(request, "Choose a file first: a .zip or a .tar.gz.", status=422)
        try:
            row = await door(request).packages.acts.upload(file.filename, file.file, who=who(request))
        except SoloistError as error:
            return await _listed(request, error.detail, status=error.status)
    return _at(row["name"], row["hash"])


async def walls(request: Request) -> Response:
    """POST /packages/walls: try to break out once more."""
    return await _listed(request, again=True)


async def trust(request: Request) -> Response:
    """POST /packages/trust: let code of others run without walls where there are none, or not."""
    given = await request.form()
    await door(request).packages.acts.trust(who=who(request), yes=str(given.get("trust", "")) == "yes")
    return RedirectResponse(HERE, status_code=303)


async def show(request: Request) -> Response:
    """GET /packages/{name}/{hash}: every file of it, what it declares, what differs."""
    return await _shown(request)


async def _shown(request: Request, fault: str = "", status: int = 200) -> Response:
    view = await door(request).packages.one(request.path_params["name"], request.path_params["hash"])
    return page(request, "package.html", await door(request).frame(), status=status, view=view, fault=fault)


async def compare(request: Request) -> Response:
    """POST: hold it against the skill whose place it would take; nothing is in use by that."""
    asked, given = request.path_params, await request.form()
    granted = [str(one) for one in given.getlist("granted")]
    replacing = door(request).packages.replacing
    try:
        row = await replacing.compare(asked["name"], asked["hash"], who=who(request), granted=granted)
    except SoloistError as error:
        return await _shown(request, error.detail, error.status)
    return _at(row["name"], row["hash"])


async def back(request: Request) -> Response:
    """POST /packages/back/{skill}: the shipped skill answers again."""
    skill = request.path_params["skill"]
    await door(request).packages.acts.back(skill, who=who(request))
    return RedirectResponse(f"/skills/{quote(skill)}", status_code=303)


async def accept(request: Request) -> Response:
    """POST: accept exactly this content with the values that are ticked; it is run behind the walls first."""
    asked, given = request.path_params, await request.form()
    granted = [str(one) for one in given.getlist("granted")]
    anyway, acts = str(given.get("anyway", ""))[:500], door(request).packages.acts
    try:
        row = await acts.accept(asked["name"], asked["hash"], who=who(request), granted=granted, anyway=anyway)
    except SoloistError as error:
        return await _shown(request, error.detail, error.status)
    return _at(row["name"], row["hash"])


async def refuse(request: Request) -> Response:
    """POST: turn it down; its files go."""
    asked = request.path_params
    await door(request).packages.acts.refuse(asked["name"], asked["hash"], who=who(request))
    return RedirectResponse(HERE, status_code=303)


async def remove(request: Request) -> Response:
    """POST /packages/{name}/remove: take it out of use."""
    await door(request).packages.acts.remove(request.path_params["name"], who=who(request))
    return RedirectResponse(HERE, status_code=303)


def _at(name: str, hash_: str) -> Response:
    return RedirectResponse(f"{HERE}/{quote(name)}/{hash_[:16]}", status_code=303)
