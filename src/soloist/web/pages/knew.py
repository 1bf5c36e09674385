"""Knew: everything a decision rested on as it was then, what is different now, and the same look-up asked again."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door
from soloist.web.pages.keeping import kept
from soloist.web.render import page

HERE = "/knew"


def routes() -> list[BaseRoute]:
    """The page, and its button."""
    return [Route(HERE + "/{ident}", show, name="knew"), Route(HERE + "/{ident}/replay", replay, methods=["POST"])]


async def show(request: Request) -> Response:
    """GET /knew/{ident}."""
    return await _page(request)


async def replay(request: Request) -> Response:
    """POST /knew/{ident}/replay: look the same up again and compare; nothing is written."""
    retrieval = str((await request.form()).get("retrieval", ""))
    return await _page(request, replayed=await kept(request).replay(retrieval), retrieval=retrieval)


async def _page(request: Request, **more: Any) -> Response:
    view = await kept(request).knew(request.path_params["ident"])
    context = {"replayed": None, "retrieval": "", **more}
    return page(request, "knew.html", await door(request).frame(), view=view, **context)
