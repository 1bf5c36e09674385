"""Where everything goes: every rule that routes, on one page, each with the place where it is changed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from soloist.web.pages.edge import door
from soloist.web.render import page


async def show(request: Request) -> Response:
    """GET /routing."""
    view = await door(request).policies.routing()
    return page(request, "routing.html", await door(request).frame(), view=view)
