"""Playbooks as pages: what is kept as know-how, its versions, what became of each, plans as they stand."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadConfig, BadInput, Conflict, NotFound
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/playbooks"
ONE = HERE + "/{name}"


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, index, name="playbooks"),
        Route(HERE + "/files", files, methods=["POST"]),
        Route(HERE + "/saved", save, methods=["POST"]),
        Route(HERE + "/plans/{plan}", plan),
        Route(ONE, show, name="playbook"),
        Route(ONE + "/compare", compare),
        Route(ONE + "/runs", run, methods=["POST"]),
        Route(ONE + "/use", use, methods=["POST"]),
        Route(ONE + "/back", back, methods=["POST"]),
    ]


async def index(request: Request) -> Response:
    """GET /playbooks."""
    return await _index(request)


async def files(request: Request) -> Response:
    """POST /playbooks/files: publish what changed in the files of the home."""
    if wrong := await door(request).books.flow.take_files(who(request)):
        return await _index(request, fault=" ".join(wrong), status=422)
    return RedirectResponse(HERE, status_code=303)


async def save(request: Request) -> Response:
    """POST /playbooks/saved: keep a plan that was carried out as a playbook."""
    form = await request.form()
    name = str(form.get("name", "")).strip()
    try:
        await door(request).books.flow.save(str(form.get("card", "")), name, who=who(request))
    except (BadConfig, BadInput, Conflict, NotFound) as error:
        return await _index(request, fault=error.detail, status=422)
    return RedirectResponse(f"{HERE}/{quote(name)}", status_code=303)


async def show(request: Request) -> Response:
    """GET /playbooks/{name}."""
    return await _one(request)


async def plan(request: Request) -> Response:
    """GET /playbooks/plans/{plan}: one plan as it stands."""
    view = await door(request).books.plan(request.path_params["plan"])
    return page(request, "plan.html", await door(request).frame(), view=view)


async def compare(request: Request) -> Response:
    """GET /playbooks/{name}/compare?old=&new=."""
    old, new = (request.query_params.get(key, "") for key in ("old", "new"))
    view = await door(request).books.compare(request.path_params["name"], old, new)
    return page(request, "compare.html", await door(request).frame(), view=view, kind="playbook")


async def run(request: Request) -> Response:
    """POST /playbooks/{name}/runs: begin it with what was typed."""
    form, name = await request.form(), request.path_params["name"]
    typed = {key.removeprefix("in."): str(value).strip() for key, value in form.items() if key.startswith("in.")}
    given = {key: value for key, value in typed.items() if value}
    try:
        made = await door(request).books.run(name, given, who=who(request))
    except (BadConfig, BadInput, NotFound) as error:
        return await _one(request, fault=error.detail, typed=typed, status=422)
    return RedirectResponse(f"{HERE}/plans/{quote(made['id'])}", status_code=303)


async def use(request: Request) -> Response:
    """POST /playbooks/{name}/use: put a version in use for plans that begin from now on."""
    form, name = await request.form(), request.path_params["name"]
    pin = {"1": True, "0": False}.get(str(form.get("pin", "")))
    try:
        await door(request).books.flow.use(name, str(form.get("version", "")), who=who(request), pin=pin)
    except (BadConfig, Conflict) as error:
        return await _one(request, fault=error.detail, status=422)
    return RedirectResponse(f"{HERE}/{quote(name)}#versions", status_code=303)


async def back(request: Request) -> Response:
    """POST /playbooks/{name}/back: the version before, pinned."""
    name = request.path_params["name"]
    await door(request).books.flow.back(name, who=who(request))
    return RedirectResponse(f"{HERE}/{quote(name)}#versions", status_code=303)


async def _index(request: Request, *, fault: str = "", status: int = 200) -> Response:
    frame, view = await door(request).frame(), await door(request).books.page()
    return page(request, "playbooks.html", frame, status=status, view=view, fault=fault)


async def _one(
    request: Request, *, fault: str = "", typed: dict[str, str] | None = None, status: int = 200
) -> Response:
    frame, view = await door(request).frame(), await door(request).books.one(request.path_params["name"])
    return page(request, "playbook.html", frame, status=status, view=view, fault=fault, typed=typed or {})
