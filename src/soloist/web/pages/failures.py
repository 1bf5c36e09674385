"""The board of failures: what does not work, what was done about it, and what can be done."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/failures"


def routes() -> list[BaseRoute]:
    """The board and the choice on one failure."""
    return [Route(HERE, show, name="failures"), Route(HERE + "/{ident}", choose, methods=["POST"])]


async def show(request: Request) -> Response:
    """GET /failures."""
    view = await door(request).failures.board()
    return page(request, "failures.html", await door(request).frame(), view=view)


async def choose(request: Request) -> Response:
    """POST /failures/{ident}: carry out an option, then back to the board."""
    option = str((await request.form()).get("option", ""))
    await door(request).failures.choose(request.path_params["ident"], option, who(request))
    return RedirectResponse(HERE, status_code=303)
