"""Keeping: how long what is kept, tried before it counts; snapshots; erasing a person with a typed name."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, SoloistError
from soloist.web.keeping_door import Kept
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE, ERASE = "/keeping", "/erase"


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, show, name="keeping"),
        Route(HERE, change, methods=["POST"]),
        Route(HERE + "/collections", collect, methods=["POST"]),
        Route(HERE + "/snapshots", snapshot, methods=["POST"]),
        Route(HERE + "/snapshots/{ident}", verified),
        Route(ERASE, ask, name="erase"),
        Route(ERASE, look, methods=["POST"]),
        Route(ERASE + "/{ident}", erased),
    ]


def kept(request: Request) -> Kept:
    """The door to what is kept."""
    return door(request).kept


async def show(request: Request) -> Response:
    """GET /keeping."""
    return await _page(request, done=request.query_params.get("done", ""))


async def change(request: Request) -> Response:
    """POST /keeping: look what other days would let go of (``act`` is "try"), or put them in force."""
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    given = {name.removeprefix("days."): value for name, value in form.items() if name.startswith("days.")}
    try:
        days = {name: _days(name, value) for name, value in given.items()}
        if form.get("act") == "keep":
            await kept(request).put(days, who(request), form.get("why", ""))
            return RedirectResponse(f"{HERE}?done=saved", status_code=303)
        return await _page(request, tried=days, why=form.get("why", ""))
    except BadInput as error:
        return await _page(request, fault=error.detail, status=422)


def _days(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise BadInput(f"{name}: whole days, or 0 for good, not {value[:40]!r}.", field=name)
    return int(value)


async def collect(request: Request) -> Response:
    """POST /keeping/collections: carry it out now."""
    await kept(request).collect(who(request))
    return RedirectResponse(f"{HERE}?done=collected", status_code=303)


async def snapshot(request: Request) -> Response:
    """POST /keeping/snapshots: name this instant."""
    try:
        await kept(request).snapshot(str((await request.form()).get("label", "")), who(request))
    except BadInput as error:
        return await _page(request, fault=error.detail, status=422)
    return RedirectResponse(f"{HERE}?done=named", status_code=303)


async def verified(request: Request) -> Response:
    """GET /keeping/snapshots/{ident}: a snapshot compared with now."""
    return await _page(request, compared=await kept(request).verified(request.path_params["ident"]))


async def _page(
    request: Request, *, status: int = 200, tried: dict[str, int] | None = None, **more: object
) -> Response:
    view = await kept(request).page(tried)
    context = {"done": "", "fault": "", "why": "", "compared": None, "tried": tried is not None, **more}
    return page(request, "keeping.html", await door(request).frame(), status=status, view=view, **context)


# ----- erasing


async def ask(request: Request) -> Response:
    """GET /erase: who; with ?who= what would be found."""
    asked = request.query_params.get("who", "").strip()
    also = [text for text in request.query_params.getlist("also") if text.strip()]
    return await _asked(request, asked, also)


async def look(request: Request) -> Response:
    """POST /erase: the name was typed; erase and show the proof."""
    form = await request.form()
    given = {name: str(form.get(name, "")) for name in ("who", "confirm", "why")}
    also = [str(text).strip() for text in form.getlist("also") if str(text).strip()]
    try:
        ident = await kept(request).erase(given, also, who(request))
    except SoloistError as error:
        return await _asked(request, given["who"], also, fault=error.detail, status=error.status)
    return RedirectResponse(f"{ERASE}/{ident}", status_code=303)


async def erased(request: Request) -> Response:
    """GET /erase/{ident}: what was done, and the proof."""
    row = await kept(request).erasure(request.path_params["ident"])
    return page(request, "erased.html", await door(request).frame(), row=row)


async def _asked(request: Request, asked: str, also: list[str], *, fault: str = "", status: int = 200) -> Response:
    view = None
    if asked:
        try:
            view = await kept(request).preview(asked, also)
        except SoloistError as error:
            fault, status = fault or error.detail, error.status
    frame = await door(request).frame()
    return page(request, "erase.html", frame, status=status, asked=asked, also=also, view=view, fault=fault)
