"""Records: the business's own objects as tables to sort, filter and take out, and one with its history."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from soloist.web.pages.edge import door
from soloist.web.render import page

_ASKED = {"state": "state", "sort": "sort", "dir": "direction"}


async def index(request: Request) -> Response:
    """GET /records and /records/{kind}: one kind as a table."""
    query = request.query_params
    kind = request.path_params.get("kind", "")
    found = await door(request).records(kind, query.get("q", ""), query.get("after", ""), **_asked(request))
    return page(request, "records.html", await door(request).frame(), view=found)


def _asked(request: Request) -> dict[str, str]:
    """State, order and direction, where they are given."""
    query = request.query_params
    return {name: query[key] for key, name in _ASKED.items() if query.get(key)}


async def as_csv(request: Request) -> Response:
    """GET /records/{kind}.csv: the whole filtered table as a file."""
    kind = request.path_params["kind"]
    pieces = await door(request).library.csv(kind, query=request.query_params.get("q", ""), **_asked(request))
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in kind)[:40]
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(iter(pieces), media_type="text/csv; charset=utf-8", headers=headers)


async def show(request: Request) -> Response:
    """GET /records/{kind}/{ident}: fields, identities, history."""
    found = await door(request).record(request.path_params["kind"], request.path_params["ident"])
    return page(request, "record.html", await door(request).frame(), view=found)
