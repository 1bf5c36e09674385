"""Asking: what every route of the API needs at hand: the App, who is asking with which scope, cursors and limits."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Query
from starlette.requests import Request

from soloist.app import App
from soloist.flows.desk import Desk
from soloist.kernel.access import Principal
from soloist.kernel.errors import BadInput
from soloist.web.security import require

T = TypeVar("T")
LARGEST = 2**63 - 1


async def _app(request: Request) -> App:
    found: App = request.app.state.soloist
    return found


async def _desk(request: Request) -> Desk:
    return (await _app(request)).desk


TheApp = Annotated[App, Depends(_app)]
TheDesk = Annotated[Desk, Depends(_desk)]
Reader = Annotated[Principal, Depends(require("read"))]
Proposer = Annotated[Principal, Depends(require("propose"))]
Approver = Annotated[Principal, Depends(require("approve"))]
_PLAIN = {"pattern": "^[A-Za-z0-9:._-]+$"}
"""Said in the OpenAPI document, not enforced: what looks otherwise is simply not there."""
Id = Annotated[str, Path(max_length=300, json_schema_extra=_PLAIN)]
Kind = Annotated[str, Path(max_length=100, json_schema_extra=_PLAIN)]
Limit = Annotated[int, Query(ge=1, le=500, description="how many at the most")]
After = Annotated[str, Query(max_length=400, description="the ``next`` of the page before")]


async def read(desk: Desk, query: Callable[[Any], T]) -> T:
    """Ask on a reading thread."""
    return await desk.store.read(query)


def cursor(noun: str, *place: str | int) -> str:
    """An opaque place in a list: base64url of JSON."""
    return base64.urlsafe_b64encode(json.dumps([noun, *place], separators=(",", ":")).encode()).decode().rstrip("=")


def _opened(noun: str, text: str, count: int) -> list[Any]:
    """The parts of a cursor of this list (BadInput for anything else)."""
    wrong = BadInput("after: this is not a cursor of this list; use the next of a page.", field="after")
    try:
        value = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise wrong from None
    if not isinstance(value, list) or len(value) != count + 1 or value[0] != noun:
        raise wrong
    return value[1:]


def ordinal(noun: str, after: str) -> int:
    """A place in a tail: 0 for "", a plain number, or a cursor (BadInput)."""
    if not after:
        return 0
    place = int(after) if after.isascii() and after.isdigit() and len(after) < 20 else _opened(noun, after, 1)[0]
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place <= LARGEST:
        raise BadInput("after: a number of this list, or the next of a page.", field="after")
    return place


def key(noun: str, after: str) -> tuple[str, str] | None:
    """The (instant, id) of the last row seen, None for "" (BadInput)."""
    if not after:
        return None
    instant, ident = _opened(noun, after, 2)
    if not all(isinstance(part, str) and part.isprintable() for part in (instant, ident)):
        raise BadInput("after: this is not a cursor of this list; use the next of a page.", field="after")
    return instant, ident


def page(noun: str, rows: Sequence[dict[str, Any]], limit: int, field: str) -> dict[str, Any]:
    """A page of a list that was asked for one row more than it shows; ``field`` is the instant it is ordered by."""
    shown = rows[:limit]
    more = len(rows) > limit
    return {"items": shown, "next": cursor(noun, shown[-1][field], shown[-1]["id"]) if more else None}


def no_nul(text: str) -> str:
    """Refuse a character that no database text can hold (ValueError)."""
    if "\x00" in text:
        raise ValueError("a NUL character cannot be stored")
    return text
