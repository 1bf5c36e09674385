"""Give work in plain words: a box for one sentence, what was understood, one tap, what came of it, and so on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, Conflict, NotAllowed, TooLarge
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/give"
LARGEST = 320_000


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, show, name="talk"),
        Route(HERE, say, methods=["POST"]),
        Route(HERE + "/{conversation}", show),
        Route(HERE + "/{conversation}", say, methods=["POST"]),
        Route(HERE + "/{conversation}/{message}", give, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """GET /give and /give/{conversation}: ?way= shows the last sentence as another piece of work."""
    return await _page(request, way=request.query_params.get("way", "")[:100])


async def say(request: Request) -> Response:
    """POST /give and /give/{conversation}: a sentence is read and shown; nothing begins."""
    said = str((await request.form()).get("said", ""))[:LARGEST]
    try:
        conversation, _ = await door(request).talks.say(said, who(request), request.path_params.get("conversation", ""))
    except (BadInput, TooLarge) as error:
        return await _page(request, said=said, fault=error.detail, status=error.status)
    return RedirectResponse(f"{HERE}/{quote(conversation)}#last", status_code=303)


async def give(request: Request) -> Response:
    """POST /give/{conversation}/{message}: the one tap, on what was understood or on what was chosen instead."""
    form = await request.form()
    picked: dict[str, list[str]] = {}
    for key, value in form.multi_items():
        if key.startswith("pick.") and isinstance(value, str):
            picked.setdefault(key.removeprefix("pick."), []).append(value[:200])
    way = str(form.get("way", ""))[:100]
    try:
        chosen: dict[str, Any] = {"way": way, "picked": picked, "by_morning": form.get("lane") == "morning"}
        await door(request).talks.give(request.path_params["message"], who(request), **chosen)
    except (BadInput, NotAllowed, Conflict) as error:
        return await _page(request, way=way, fault=error.detail, status=error.status)
    return RedirectResponse(f"{HERE}/{quote(request.path_params['conversation'])}#last", status_code=303)


async def _page(request: Request, *, way: str = "", said: str = "", fault: str = "", status: int = 200) -> Response:
    view = await door(request).talks.page(request.path_params.get("conversation", ""), way)
    frame = await door(request).frame()
    return page(request, "talk.html", frame, status=status, view=view, said=said, fault=fault, way=way)
