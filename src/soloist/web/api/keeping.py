"""What is kept, over the API: snapshots, collections by the retention policy, erasures."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from soloist.flows import keeping
from soloist.insight import timetravel
from soloist.web.api import shapes
from soloist.web.api.asking import After, Approver, Id, Limit, Reader, TheDesk, key, page, read
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
Counts = dict[str, int]


class NewSnapshot(shapes.Taken):
    """A name for an instant; ``as_of`` is a sequence number or an ISO instant, empty for now."""

    label: Annotated[str, Field(min_length=1, max_length=200)]
    as_of: Annotated[str, Field(max_length=60)] = ""


class Snapshot(BaseModel):
    """A named place in the journal with the Merkle root over what was known there."""

    id: str
    label: str
    seq: int
    root: str
    counts: Counts
    who: str
    at: str


class SnapshotList(BaseModel):
    """Snapshots, the newest first."""

    items: list[Snapshot]
    next: str | None


class Verification(BaseModel):
    """A snapshot compared with what the store holds now."""

    id: str
    seq: int
    same: bool
    root: str
    found: str
    counts: Counts
    now: Counts
    gone: Counts
    said: str


@router.post("/snapshots", status_code=201, response_model=Snapshot)
async def post_snapshot(who: Approver, desk: TheDesk, body: NewSnapshot) -> Any:
    """Name an instant; nothing is copied."""
    return await keeping.snapshot(desk.store, body.label, who=who.actor, as_of=body.as_of)


@router.get("/snapshots", response_model=SnapshotList)
async def list_snapshots(_: Reader, desk: TheDesk, after: After = "", limit: Limit = 100) -> Any:
    """Snapshots, the newest first."""
    before = key("snapshots", after)
    rows = await read(desk, lambda conn: timetravel.known(conn, before, limit + 1))
    return page("snapshots", rows, limit, "at")


@router.post("/snapshots/{ident}/verifications", status_code=201, response_model=Verification)
async def post_verification(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """Build the root of a snapshot again and compare; nothing is written."""
    return await read(desk, lambda conn: timetravel.verified(conn, ident))
