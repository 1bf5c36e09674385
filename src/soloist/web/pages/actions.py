"""Actions: everything that can be done, to search, and one operation with its newest uses."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door
from soloist.web.render import page


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [Route("/actions", index, name="actions"), Route("/actions/{connector}/{operation}", show)]


async def index(request: Request) -> Response:
    """GET /actions?q=: the list."""
    view = await door(request).actions.page(request.query_params.get("q", ""))
    return page(request, "actions.html", await door(request).frame(), view=view)


async def show(request: Request) -> Response:
    """GET /actions/{connector}/{operation}: what it needs, what it risks, when it was used."""
    asked = request.path_params
    view = await door(request).actions.one(asked["connector"], asked["operation"])
    return page(request, "action.html", await door(request).frame(), view=view)
