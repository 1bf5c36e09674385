"""Take-over: three lists of what a mailbox holds, ticked once; the form works without scripts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door, who
from soloist.web.render import page

GROUPS = ("clients", "threads", "promises")


def routes() -> list[BaseRoute]:
    """The page of one mailbox."""
    return [
        Route("/takeover/{connection}", show),
        Route("/takeover/{connection}", take, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """GET: the lists."""
    view = await door(request).takeover(request.path_params["connection"])
    return page(request, "takeover.html", await door(request).frame(), view=view)


async def take(request: Request) -> Response:
    """POST: add what was ticked, then back to the page, which says what was added."""
    connection = request.path_params["connection"]
    sent = await request.form(max_fields=2000)
    chosen = {group: [str(value) for value in sent.getlist(group)] for group in GROUPS}
    await door(request).take_over(connection, chosen, who(request))
    return RedirectResponse(f"/takeover/{connection}", status_code=303)
