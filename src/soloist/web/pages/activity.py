"""Activity: everything that happened, and one action explained."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from soloist.web.pages.edge import door, who
from soloist.web.render import page


async def show(request: Request) -> Response:
    """GET /activity: newest first, one filter line."""
    query = request.query_params
    asked = (query.get(name, "") for name in ("group", "q", "before", "after"))
    found = await door(request).activity(*asked)
    return page(request, "activity.html", await door(request).frame(), view=found, moved=bool(query.get("before")))


async def why(request: Request) -> Response:
    """GET /why/{ident}: what happened and why, read in two minutes."""
    found = await door(request).why(request.path_params["ident"])
    return page(request, "why.html", await door(request).frame(), view=found)


async def take_back(request: Request) -> Response:
    """POST /why/{ident}/undo: undo by the declared way back, alone or with its bundle, then the explanation again."""
    ident, form = request.path_params["ident"], await request.form()
    await door(request).undo(ident, who(request), bundle=bool(form.get("bundle")))
    return RedirectResponse(f"/why/{ident}", status_code=303)
