"""Corrections and trials: what was corrected and what it led to; kept cases done again with another version."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, SoloistError
from soloist.web.learning_door import asked_of
from soloist.web.pages.edge import door, who
from soloist.web.render import page

CORRECTIONS, REPLAY = "/corrections", "/replay"
WORDING = ("skill", "language", "old", "new")


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(CORRECTIONS, corrections, name="corrections"),
        Route(CORRECTIONS + "/wordings", say, methods=["POST"]),
        Route(CORRECTIONS + "/wordings/{ident}/end", end, methods=["POST"]),
        Route(CORRECTIONS + "/{ident}/drop", drop, methods=["POST"]),
        Route(REPLAY, replay, name="replay"),
        Route(REPLAY, begin, methods=["POST"]),
        Route(REPLAY + "/{ident}", trial),
        Route(REPLAY + "/{ident}/stop", stop, methods=["POST"]),
    ]


async def corrections(request: Request) -> Response:
    """GET /corrections."""
    view = await door(request).learning.page(request.query_params.get("before", ""))
    return page(request, "corrections.html", await door(request).frame(), view=view)


async def say(request: Request) -> Response:
    """POST /corrections/wordings: yes or no to a change that is offered."""
    form = await request.form()
    given = {name: str(form.get(name, "")) for name in WORDING}
    await door(request).learning.say(given, str(form.get("say", "")) == "yes", who(request))
    return RedirectResponse(CORRECTIONS, status_code=303)


async def end(request: Request) -> Response:
    """POST /corrections/wordings/{ident}/end."""
    await door(request).learning.end_wording(request.path_params["ident"], who(request))
    return RedirectResponse(CORRECTIONS, status_code=303)


async def drop(request: Request) -> Response:
    """POST /corrections/{ident}/drop."""
    await door(request).learning.drop(request.path_params["ident"], who(request))
    return RedirectResponse(CORRECTIONS, status_code=303)


async def replay(request: Request) -> Response:
    """GET /replay: trials, and a new one."""
    return await _replay(request)


async def begin(request: Request) -> Response:
    """POST /replay: begin a trial."""
    form = await request.form()
    try:
        ident = await door(request).learning.begin(asked_of({name: form[name] for name in form}), who(request))
    except SoloistError as error:
        return await _replay(request, fault=error.detail, status=error.status)
    return RedirectResponse(f"{REPLAY}/{ident}", status_code=303)


async def trial(request: Request) -> Response:
    """GET /replay/{ident}: how each case came out, side by side."""
    query = request.query_params
    try:
        after = int(query.get("after", "-1"))
    except ValueError as error:
        raise BadInput("after: a number of a row.", field="after") from error
    view = await door(request).learning.trial(request.path_params["ident"], query.get("outcome", ""), after)
    return page(request, "replayed.html", await door(request).frame(), view=view)


async def stop(request: Request) -> Response:
    """POST /replay/{ident}/stop."""
    ident = request.path_params["ident"]
    await door(request).learning.cancel(ident, who(request))
    return RedirectResponse(f"{REPLAY}/{ident}", status_code=303)


async def _replay(request: Request, *, status: int = 200, fault: str = "") -> Response:
    learning = door(request).learning
    view, choices = await learning.trials(request.query_params.get("before", "")), learning.choices()
    frame = await door(request).frame()
    return page(request, "replay.html", frame, status=status, view=view, choices=choices, fault=fault)
