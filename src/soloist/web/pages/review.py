"""A sitting: the cards that fit some minutes, one after the other, and at its end what can wait until when."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput
from soloist.web.pages import inbox
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/review"


def routes() -> list[BaseRoute]:
    """The routes of this page."""
    return [Route(HERE, show, name="review"), Route(HERE, begin, methods=["POST"])]


async def show(request: Request) -> Response:
    """GET /review: how long it may take; with ``?sitting=`` the next card of one that was begun."""
    query = request.query_params
    if sitting := inbox.whole(query.get("sitting", "")):
        done = query.get("done", "")
        toast = await door(request).outcome(done) if done else None
        return await inbox.sat(request, sitting, query.get("card", ""), mode=query.get("mode", ""), toast=toast)
    frame, view = await door(request).frame(), await door(request).time.before()
    return page(request, "sitting.html", frame, view=view)


async def begin(request: Request) -> Response:
    """POST /review: a sitting of so many minutes begins now."""
    form = await request.form()
    minutes = inbox.whole(str(form.get("minutes", "")))
    if not minutes:
        raise BadInput("minutes: a whole number from 1 on.", field="minutes")
    seq = await door(request).time.sit_down(minutes, who(request))
    return RedirectResponse(f"{HERE}?sitting={seq}", status_code=303)
