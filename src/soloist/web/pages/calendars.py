"""Settings, calendars: the list with when each was read, and connecting one by pasting its address."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import SoloistError
from soloist.web.pages.edge import door, who
from soloist.web.render import page

if TYPE_CHECKING:
    from soloist.web.calendar_door import Calendars

HERE = "/settings/calendars"


def routes() -> list[BaseRoute]:
    """The routes of this page."""
    return [
        Route(HERE, show, name="calendars"),
        Route(HERE, connect, methods=["POST"]),
        Route(f"{HERE}/{{name}}/read", read_now, methods=["POST"]),
        Route(f"{HERE}/{{name}}/remove", remove, methods=["POST"]),
    ]


async def _door(request: Request) -> Calendars:
    """The door to calendars, loaded when it is first asked for."""
    state = request.app.state
    if getattr(state, "calendars", None) is None:
        module = await asyncio.to_thread(importlib.import_module, "soloist.web.calendar_door")
        state.calendars = module.Calendars(state.app)
    return cast("Calendars", state.calendars)


async def show(request: Request) -> Response:
    """GET /settings/calendars."""
    query = request.query_params
    return await _listed(request, done=query.get("done", ""), about=query.get("name", ""))


async def _listed(request: Request, *, status: int = 200, **said: str) -> Response:
    flow = await _door(request)
    told = {"done": "", "about": "", "fault": "", "every": "15m", **said}
    frame, lines = await door(request).frame(), await flow.lines()
    return page(request, "calendars.html", frame, status=status, lines=lines, paces=flow.paces, **told)


async def connect(request: Request) -> Response:
    """POST: test the address, keep it, begin to read; the address is not shown again."""
    sent = await request.form()
    url, every = str(sent.get("url", "")), str(sent.get("every", "15m"))
    try:
        name = await (await _door(request)).connect(url, every, sent.get("private") == "1", who(request))
    except SoloistError as error:
        return await _listed(request, status=422, fault=error.detail, every=every)
    return RedirectResponse(f"{HERE}?done=connected&name={quote(name)}", status_code=303)


async def read_now(request: Request) -> Response:
    """POST: look now."""
    name = request.path_params["name"]
    await (await _door(request)).read_now(name)
    return RedirectResponse(f"{HERE}?done=read&name={quote(name)}", status_code=303)


async def remove(request: Request) -> Response:
    """POST: disconnect it."""
    name = request.path_params["name"]
    await (await _door(request)).remove(name, who(request))
    return RedirectResponse(f"{HERE}?done=removed&name={quote(name)}", status_code=303)
