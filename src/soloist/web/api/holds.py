"""Holds over the API: a run is paused so that nothing of it leaves, and let go on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from soloist.flows import holding
from soloist.insight import holding as insight
from soloist.web.api.asking import Approver, Id, Reader, TheDesk, read
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)


class NewHold(BaseModel):
    """Why a run is paused."""

    model_config = {"extra": "forbid"}

    why: Annotated[str, Field(max_length=500)] = ""


class Hold(BaseModel):
    """Whether nothing of a run leaves, since when ("" while it goes on), by whom and why."""

    run: str
    held: bool
    since: str = ""
    by: str = ""
    why: str = ""


@router.post("/runs/{ident}/holds", status_code=201, response_model=Hold)
async def post_hold(who: Approver, desk: TheDesk, ident: Id, body: NewHold | None = None) -> Any:
    """Pause a run: nothing of it leaves until the hold is deleted; pausing it twice is one hold."""
    found = await holding.hold(desk, ident, who=who.actor, why=body.why if body else "")
    return {**found, "held": True}


@router.get("/runs/{ident}/holds/current", response_model=Hold)
async def get_hold(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """Whether a run is paused."""
    found = await read(desk, lambda conn: insight.page(conn, ident))
    return {"run": ident, "held": bool(found.since), "since": found.since, "by": found.by, "why": found.why}


@router.delete("/runs/{ident}/holds/current", response_model=Hold)
async def delete_hold(who: Approver, desk: TheDesk, ident: Id) -> Any:
    """Let a run go on; one that is not paused stays as it is."""
    await holding.release(desk, ident, who=who.actor)
    return {"run": ident, "held": False}
