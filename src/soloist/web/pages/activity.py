"""Activity: everything that happened, and one action explained."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from soloist.web.pages.edge import door
from soloist.web.render import page


async def show(request: Request) -> Response:
    """GET /activity: newest first, one filter line."""
    query = request.query_params
    found = await door(request).activity(query.get("group", ""), query.get("q", ""), query.get("before", ""))
    return page(request, "activity.html", await door(request).frame(), view=found)


async def why(request: Request) -> Response:
    """GET /why/{ident}: what happened and why, read in two minutes."""
    found = await door(request).why(request.path_params["ident"])
    return page(request, "why.html", await door(request).frame(), view=found)
