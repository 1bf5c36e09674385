"""Records: the business's own objects as tables, and one with its history."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from soloist.web.pages.edge import door
from soloist.web.render import page


async def index(request: Request) -> Response:
    """GET /records and /records/{kind}: one kind as a table."""
    query = request.query_params
    kind = request.path_params.get("kind", "")
    found = await door(request).records(kind, query.get("q", ""), query.get("after", ""))
    return page(request, "records.html", await door(request).frame(), view=found)


async def show(request: Request) -> Response:
    """GET /records/{kind}/{ident}: fields, identities, history."""
    found = await door(request).record(request.path_params["kind"], request.path_params["ident"])
    return page(request, "record.html", await door(request).frame(), view=found)
