"""What every page needs at the edge: the Door of this process, who is asking, and faults as a page in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from soloist.insight.views import Frame
from soloist.kernel.errors import SoloistError
from soloist.web.doors import Door
from soloist.web.render import page
from soloist.web.security import open_to_all

_TITLES = {
    403: "Not allowed",
    404: "There is nothing here",
    405: "Not possible here",
    409: "It has changed in the meantime",
    413: "Too large",
    422: "That cannot be read",
    429: "Too many tries",
    503: "Not ready",
}


def door(request: Request) -> Door:
    """The application behind this process."""
    return cast(Door, request.app.state.soloist)


def who(request: Request) -> str:
    """The person behind the session, as the journal names them."""
    return str(getattr(request.state, "who", "operator"))


def faults() -> Mapping[Any, Any]:
    """Handlers for every fault a page can meet, as Starlette takes them."""
    return {SoloistError: fault, HTTPException: fault, Exception: fault}


async def fault(request: Request, error: Exception) -> Response:
    """Any refused request as a page: what happened, whether anything was done, what can be done next."""
    status = error.status if isinstance(error, SoloistError) else getattr(error, "status_code", 500)
    sentence = error.detail if isinstance(error, SoloistError | HTTPException) else ""
    if status == 404 and isinstance(error, HTTPException):
        sentence = "The address may be mistyped, or what it named was erased."
    if open_to_all(request.url.path):
        return PlainTextResponse(f"{_TITLES.get(status, 'Something went wrong')}. {sentence}".strip(), status)
    left = getattr(error, "left_house", "no")
    frame = await _frame(request)
    return page(
        request,
        "error.html",
        frame,
        status=status,
        title=_TITLES.get(status, "Something went wrong"),
        sentence=sentence or "The server met an error. It is written to the log.",
        left=left,
    )


async def _frame(request: Request) -> Frame:
    """The frame, or a bare one when the application cannot give it: the error page must not fail as well."""
    try:
        return await door(request).frame()
    except Exception:  # noqa: BLE001  # an edge: whatever is broken, the page that says so must come
        return Frame(business="Soloist")
