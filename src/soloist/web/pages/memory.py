"""Memory: its tiers, whom it is about, asking it and why something ranked, one item and what can be done with it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from soloist.insight.memory import Wanted
from soloist.web.pages.edge import door
from soloist.web.render import page

HERE = "/memory"
_DIGITS = 18


def routes() -> list[BaseRoute]:
    """The pages and their acts."""
    return [
        Route(HERE, overview, name="memory"),
        Route(f"{HERE}/items", items),
        Route(f"{HERE}/items/{{ident}}", item),
        Route(f"{HERE}/about", whom),
    ]


async def overview(request: Request) -> Response:
    """GET /memory."""
    view = await door(request).memory.overview()
    return page(request, "memory.html", await door(request).frame(), view=view)


async def whom(request: Request) -> Response:
    """GET /memory/about: whom memory is about, by name."""
    query = request.query_params
    view = await door(request).memory.whom(query.get("q", ""), query.get("after", ""))
    return page(request, "memory_whom.html", await door(request).frame(), view=view)


async def items(request: Request) -> Response:
    """GET /memory/items: what lasts, by tier, trust, scope and whom it is about."""
    query = request.query_params
    tier, scope, trust, about = (
        query.get(name, "").replace("\x00", "") for name in ("tier", "scope", "trust", "about")
    )
    wanted = Wanted(tier, scope, trust, records=(about,) if about else ())
    view = await door(request).memory.items(wanted, number(query.get("before", "")))
    return page(request, "memory_items.html", await door(request).frame(), view=view)


async def item(request: Request) -> Response:
    """GET /memory/items/{ident}: one item whole."""
    view = await door(request).memory.item(request.path_params["ident"])
    return page(request, "memory_item.html", await door(request).frame(), view=view)


def number(text: str) -> int:
    """A place in a list out of an address; 0 when it is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _DIGITS else 0
