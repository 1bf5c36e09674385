"""What does not work, over the API: failures, read only; they are decided on their cards."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from soloist.insight import failures
from soloist.web.api.asking import Reader, TheDesk, read
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
FailureState = Literal["", "open", "quarantined", "closed"]


class Failure(BaseModel):
    """One kind of fault; ``runs`` are the newest ones that met it, ``options`` what its card offers."""

    id: str
    kind: str
    state: str
    title: str
    why: str
    where: str
    input: str
    trace: str
    done: str
    options: list[dict[str, str]]
    times: int
    first_seen: str
    last_seen: str
    runs: list[str]


class FailureList(BaseModel):
    """The newest failures; there is no further page."""

    items: list[Failure]
    next: None


@router.get("/failures", response_model=FailureList)
async def list_failures(_: Reader, desk: TheDesk, state: FailureState = "") -> Any:
    """At most 100 failures, the newest first; those that are not over when no state is named."""
    return {"items": await read(desk, lambda conn: failures.rows(conn, state)), "next": None}
