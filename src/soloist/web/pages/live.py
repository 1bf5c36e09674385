"""Live: the one stream of a tab, and the note that the operator is looking; it says what is old, never what is new."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from soloist.web.pages.edge import door, who

RETRY = 1000
"""Milliseconds after which a browser that lost the stream asks again."""


async def stream(request: Request) -> Response:
    """GET /live: ``changed`` events with the topics that are old; goes on after Last-Event-ID or ``?after=``.

    ``?probe=1`` answers at once: a page that lost its stream asks whether it may have another.
    """
    if request.query_params.get("probe"):
        return Response(status_code=204)
    given = request.headers.get("last-event-id", "") or request.query_params.get("after", "")
    after = int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else 0
    principal = getattr(request.state, "principal", None)
    lines = _lines(request, principal.session if principal else "", after)
    return StreamingResponse(lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _lines(request: Request, owner: str, after: int) -> AsyncIterator[str]:
    """The stream as text; a comment now and then keeps it open, ``full`` says that newer tabs took its place."""
    yield f"retry: {RETRY}\n: the journal after {after}\n\n"
    async for news in door(request).live(owner, after):
        if news is None:
            yield ": still here\n\n"
        else:
            name = "changed" if news.topics else "full"
            yield f"id: {news.seq}\nevent: {name}\ndata: {json.dumps(news.topics)}\n\n"


async def looked(request: Request) -> Response:
    """POST /looked: the page is visible and someone is there; ``seq`` is what it shows."""
    given = str((await request.form()).get("seq", ""))
    await door(request).looked(who(request), int(given) if given.isascii() and given.isdecimal() else 0)
    return Response(status_code=204)
