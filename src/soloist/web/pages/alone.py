"""What ran alone: looked at afterwards, taken back where that is possible, asked about next time."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/alone"


def routes() -> list[BaseRoute]:
    """The routes of this page."""
    return [Route(HERE, show, name="alone"), Route(HERE, looked, methods=["POST"])]


async def show(request: Request) -> Response:
    """GET /alone: what policy let go without a question and nobody has looked at."""
    frame, view = await door(request).frame(), await door(request).time.alone()
    return page(request, "alone.html", frame, view=view)


async def looked(request: Request) -> Response:
    """POST /alone: the ones on the page were looked at; they are not shown again."""
    form = await request.form()
    items = [str(item) for item in form.getlist("item")][:500]
    await door(request).time.looked_at(items, who(request))
    return RedirectResponse(HERE, status_code=303)
