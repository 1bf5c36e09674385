"""Search: one line that looks through everything, and what it found in groups."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from soloist.web.pages.edge import door
from soloist.web.render import page

_DIGITS = 18


async def show(request: Request) -> Response:
    """GET /search?q=: all groups; ``in`` is one of them by pages."""
    query = request.query_params
    before = query.get("before", "")
    place = int(before) if before.isdecimal() and before.isascii() and len(before) <= _DIGITS else 0
    found = await door(request).library.search(query.get("q", ""), only=query.get("in", ""), before=place)
    return page(request, "search.html", await door(request).frame(), view=found)
