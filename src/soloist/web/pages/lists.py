"""A list to tick: the lines of one card, each with its place; what is ticked becomes tasks, all by one act."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import Conflict
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/lists/{card}"


def routes() -> list[BaseRoute]:
    """The routes of this page."""
    return [Route(HERE, show, name="list"), Route(HERE, take, methods=["POST"])]


async def show(request: Request) -> Response:
    """GET /lists/{card}: every line with a tick at what looks like the operator's."""
    return await _page(request)


async def take(request: Request) -> Response:
    """POST /lists/{card}: what was ticked becomes tasks, the rest is dropped."""
    form = await request.form()
    ticked = [int(text) for one in form.getlist("line") if (text := str(one)).isascii() and text.isdigit()]
    option, card = str(form.get("option", "take")), request.path_params["card"]
    try:
        await door(request).handing.tick(card, option, ticked, who=who(request))
    except Conflict as error:
        return await _page(request, fault=error.detail, status=409)
    return RedirectResponse(f"/?done={quote(card)}", status_code=303)


async def _page(request: Request, *, fault: str = "", status: int = 200) -> Response:
    view = await door(request).handing.list(request.path_params["card"])
    return page(request, "list.html", await door(request).frame(), status=status, view=view, fault=fault)
