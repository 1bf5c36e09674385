"""Pausing a run: what is on its way out waits, can be taken back as a card, or goes on."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door, who
from soloist.web.render import page


def routes() -> list[BaseRoute]:
    """The routes of this page."""
    return [Route("/runs/{ident}/holds", show, name="holds"), Route("/runs/{ident}/holds", act, methods=["POST"])]


async def show(request: Request) -> Response:
    """GET /runs/{run}/holds: whether it is paused, and what of it has not left."""
    frame, view = await door(request).frame(), await door(request).time.held(request.path_params["ident"])
    return page(request, "holds.html", frame, view=view)


async def act(request: Request) -> Response:
    """POST /runs/{run}/holds: pause it, or with ``go_on`` let it go on."""
    ident, form = request.path_params["ident"], await request.form()
    await door(request).time.hold(ident, "go_on" not in form, who(request), str(form.get("why", "")).strip())
    return RedirectResponse(f"/runs/{ident}/holds", status_code=303)
