"""What may go alone: figures from the operator's own decisions, and a few things to look at."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/confidence"


def routes() -> list[BaseRoute]:
    """The routes of this page."""
    return [
        Route(HERE, show, name="confidence"),
        Route(HERE + "/samples/{sample}", judge, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """GET /confidence."""
    frame, view = await door(request).frame(), await door(request).proved.page()
    return page(request, "confidence.html", frame, view=view)


async def judge(request: Request) -> Response:
    """POST /confidence/samples/{sample}: it was right, or what it is."""
    form = await request.form()
    await door(request).proved.judge(request.path_params["sample"], str(form.get("said", "")), who(request))
    return RedirectResponse(HERE, status_code=303)
