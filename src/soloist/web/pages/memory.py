"""Memory: its tiers, whom it is about, asking it and why something ranked, one item and what can be done with it."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.insight.memory import Wanted
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/memory"
FILTERS = ("tier", "scope", "about", "as_of")
DONE = {
    "confirmed": "Confirmed. It is kept for good, on your word.",
    "corrected": "Corrected. What it said before stays in its history.",
    "forgotten": "Forgotten. It is no longer used; the history keeps it until you erase it.",
    "pinned": "Pinned. It stays whatever the time of its tier.",
    "unpinned": "Not pinned any more. It goes when the time of its tier is over.",
    "written": "Written down, on your word.",
    "begun": "A new generation is being built beside the one in use. It takes over by itself when it is whole.",
    "stopped": "It is no longer built, and what there was of it is gone. The one in use goes on.",
    "switched": "Switched. Questions are answered by the new generation from now on.",
}
_DIGITS = 18


def routes() -> list[BaseRoute]:
    """The pages and their acts."""
    return [
        Route(HERE, overview, name="memory"),
        Route(f"{HERE}/items", items),
        Route(f"{HERE}/items/{{ident}}", item),
        Route(f"{HERE}/items/{{ident}}/{{act}}", act, methods=["POST"]),
        Route(f"{HERE}/generations", build, methods=["POST"]),
        Route(f"{HERE}/generations/{{ident}}/{{act}}", end_build, methods=["POST"]),
        Route(f"{HERE}/about", whom),
        Route(f"{HERE}/about/{{ident}}", about),
        Route(f"{HERE}/about/{{ident}}/facts", state, methods=["POST"]),
        Route(f"{HERE}/facts/{{ident}}/{{act}}", act_on_fact, methods=["POST"]),
        Route(f"{HERE}/ask", ask),
        Route(f"{HERE}/retrievals", log),
        Route(f"{HERE}/retrievals/{{ident}}", retrieval),
        Route(f"{HERE}/retrievals/{{ident}}/replay", replay, methods=["POST"]),
    ]


async def overview(request: Request) -> Response:
    """GET /memory."""
    view = await door(request).memory.overview()
    done = DONE.get(request.query_params.get("done", ""), "")
    return page(request, "memory.html", await door(request).frame(), view=view, done=done)


async def build(request: Request) -> Response:
    """POST /memory/generations: begin a new generation of vectors."""
    await door(request).memory.build(who(request))
    return RedirectResponse(f"{HERE}?done=begun", status_code=303)


async def end_build(request: Request) -> Response:
    """POST /memory/generations/{ident}/{act}: "switch" to it, or "stop" building it."""
    act = request.path_params["act"]
    if act not in ("switch", "stop"):
        raise HTTPException(404)
    await door(request).memory.end_build(request.path_params["ident"], act == "switch", who(request))
    return RedirectResponse(f"{HERE}?done={'switched' if act == 'switch' else 'stopped'}", status_code=303)


async def whom(request: Request) -> Response:
    """GET /memory/about: whom memory is about, by name."""
    query = request.query_params
    view = await door(request).memory.whom(query.get("q", ""), query.get("after", ""), every="all" in query)
    return page(request, "memory_whom.html", await door(request).frame(), view=view)


async def about(request: Request) -> Response:
    """GET /memory/about/{ident}: what is remembered about somebody."""
    view = await door(request).memory.about(request.path_params["ident"])
    done = DONE.get(request.query_params.get("done", ""), "")
    return page(request, "memory_about.html", await door(request).frame(), view=view, done=done)


async def state(request: Request) -> Response:
    """POST /memory/about/{ident}/facts: the operator writes a fact."""
    to = await door(request).memory.state(request.path_params["ident"], await _texts(request), who(request))
    return RedirectResponse(to, status_code=303)


async def act(request: Request) -> Response:
    """POST /memory/items/{ident}/{act}: confirm, correct, forget, pin or unpin."""
    ident, name = request.path_params["ident"], request.path_params["act"]
    to = await door(request).memory.act(ident, name, await _texts(request), who(request))
    return RedirectResponse(to, status_code=303)


async def act_on_fact(request: Request) -> Response:
    """POST /memory/facts/{ident}/{act}: confirm, correct or forget."""
    ident, name = request.path_params["ident"], request.path_params["act"]
    to = await door(request).memory.act_on_fact(ident, name, await _texts(request), who(request))
    return RedirectResponse(to, status_code=303)


async def _texts(request: Request) -> dict[str, str]:
    """What a form holds."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


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
    done = DONE.get(request.query_params.get("done", ""), "")
    return page(request, "memory_item.html", await door(request).frame(), view=view, done=done)


async def ask(request: Request) -> Response:
    """GET /memory/ask: a question with its filters, and what was found; the answer is kept in the log."""
    query = request.query_params
    asked = {name: query.get(name, "").replace("\x00", "").strip() for name in ("q", *FILTERS)}
    view = await door(request).memory.ask(asked, who(request))
    status = 422 if view.fault else 200
    return page(request, "memory_ask.html", await door(request).frame(), status=status, view=view, replay=None)


async def log(request: Request) -> Response:
    """GET /memory/retrievals: what was asked of memory, by you, agents and programs."""
    view = await door(request).memory.log(request.query_params.get("before", ""))
    return page(request, "memory_log.html", await door(request).frame(), view=view)


async def retrieval(request: Request) -> Response:
    """GET /memory/retrievals/{ident}: a question out of the log."""
    view = await door(request).memory.retrieval(request.path_params["ident"])
    return page(request, "memory_ask.html", await door(request).frame(), view=view, replay=None)


async def replay(request: Request) -> Response:
    """POST /memory/retrievals/{ident}/replay: ask the same again and say whether it is identical."""
    ident = request.path_params["ident"]
    done = await door(request).memory.replay(ident)
    view = await door(request).memory.retrieval(ident)
    return page(request, "memory_ask.html", await door(request).frame(), view=view, replay=done)


def number(text: str) -> int:
    """A place in a list out of an address; 0 when it is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _DIGITS else 0
