"""Runs: executions of flows, and one with its steps and what can be done now."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from soloist.web.pages.edge import door
from soloist.web.render import page


async def index(request: Request) -> Response:
    """GET /runs: newest first."""
    query = request.query_params
    found = await door(request).runs(query.get("state", ""), query.get("before", ""))
    return page(request, "runs.html", await door(request).frame(), view=found, moved=bool(query.get("before")))


async def show(request: Request) -> Response:
    """GET /runs/{ident}: steps with inputs, outputs and faults."""
    found = await door(request).run(request.path_params["ident"])
    return page(request, "run.html", await door(request).frame(), view=found)
