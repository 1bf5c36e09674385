"""Your time: what cards may take of it and when, what is planned for it, and what it went to."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, NotAllowed
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/attention"


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, show, name="attention"),
        Route(HERE, adjust, methods=["POST"]),
        Route("/metrics", metrics),
    ]


async def show(request: Request) -> Response:
    """GET /attention: the plan, what is set, the figures."""
    return await _page(request)


async def adjust(request: Request) -> Response:
    """POST /attention: what holds from now on; ``reset`` goes back to soloist.toml."""
    form = await request.form()
    try:
        await door(request).time.adjust({} if "reset" in form else _values(form), who(request))
    except BadInput as error:
        return await _page(request, fault=error.detail, status=422)
    return RedirectResponse(HERE, status_code=303)


async def metrics(request: Request) -> Response:
    """GET /metrics: the figures in the text form that watchers read; needs a token that may read."""
    asks = getattr(request.state, "principal", None)  # the wall lets nobody without one come here
    if asks is not None and not asks.may("read"):
        raise NotAllowed("This needs the scope read.")
    figures = await door(request).time.exposition() + door(request).actions.exposition()
    return PlainTextResponse(figures, media_type="text/plain; version=0.0.4")


async def _page(request: Request, *, fault: str = "", status: int = 200) -> Response:
    frame, view = await door(request).frame(), await door(request).time.page()
    return page(request, "attention.html", frame, status=status, view=view, fault=fault)


def _values(form: FormData) -> dict[str, Any]:
    """The form as settings; what cannot be a number is left to be refused by name."""
    text = {name: str(form.get(name, "")).strip() for name in ("minutes_per_day", "interruptions_per_day")}
    value = str(form.get("urgent_value", "")).strip().upper()
    windows = [part.strip() for part in str(form.get("windows", "")).replace(" to ", "-").split(",") if part.strip()]
    return {
        **text,
        "windows": [window.replace(" ", "") for window in windows],
        "weekdays": [str(day) for day in form.getlist("weekdays")],
        "urgent_value": value,
    }
