"""Differences between inside and outside over the API: listed, decided, and compared anew."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from soloist.flows.fixing import Fixing
from soloist.flows.reconciling import Reconciling
from soloist.insight import reconcile as rows
from soloist.kernel.errors import BadInput, NotFound
from soloist.web.api import shapes
from soloist.web.api.asking import After, Approver, Id, Limit, Reader, TheDesk, key, page, read
from soloist.web.api.strict import StrictRoute
from soloist.web.reconcile_door import linked

router = APIRouter(route_class=StrictRoute)
MismatchState = Literal["", "open", "fixing", "accepted", "gone"]


class MismatchOption(BaseModel):
    """What can be done about a mismatch; ``hands``: it needs a person outside."""

    name: str
    label: str
    consequence: str
    hands: bool


class Mismatch(BaseModel):
    """One difference: ``inside`` and ``outside`` with their fields, ``fields`` those that differ."""

    id: str
    connector: str
    operation: str
    kind: str
    state: str
    title: str
    ref: str
    effect: str
    record: str
    inside: shapes.Json
    outside: shapes.Json
    fields: list[shapes.Json]
    decision: shapes.Json
    needs_hands: bool
    options: list[MismatchOption]
    first_seen: str
    last_seen: str
    closed: str


class MismatchDecision(shapes.Taken):
    """The option chosen; for "choose" the winning side of each field that differs."""

    option: shapes.Name
    fields: dict[str, Literal["inside", "outside"]] = Field(default={}, max_length=100)


class MismatchDecided(BaseModel):
    """What a decision led to: proposals that wait, a card for hands, an effect."""

    id: str
    option: str
    state: str
    proposals: list[str]
    card: str
    effect: str


class NewComparison(shapes.Taken):
    """A connection to be compared now."""

    connector: shapes.Name


class Comparison(BaseModel):
    """How the last comparison of an operation went; ``good`` is when it last came to its end."""

    connector: str
    operation: str
    at: str
    good: str
    trouble: str
    listed: int
    matched: int
    settling: int
    mismatches: int


class ComparisonRun(BaseModel):
    """The run that compares."""

    run: str


@router.get("/mismatches", response_model=shapes.Page[Mismatch])
async def list_mismatches(
    _: Reader, desk: TheDesk, state: MismatchState = "open", after: After = "", limit: Limit = 100
) -> Any:
    """Differences between inside and outside, oldest first."""
    place = key("mismatches", after) or ("", "")
    found = await read(desk, lambda conn: rows.rows(conn, state, place, limit + 1))
    return page("mismatches", found, limit, "first_seen")


@router.get("/mismatches/{ident}", response_model=Mismatch)
async def get_mismatch(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One difference."""
    return await read(desk, lambda conn: rows.row(conn, ident))


@router.post("/mismatches/{ident}/decision", response_model=MismatchDecided)
async def post_mismatch_decision(who: Approver, desk: TheDesk, ident: Id, body: MismatchDecision) -> Any:
    """Choose an option; what would change the outside comes back as a proposal that waits."""
    return await Fixing(desk).decide(ident, body.option, who=who.actor, fields=dict(body.fields))


@router.get("/comparisons", response_model=shapes.Page[Comparison])
async def list_comparisons(_: Reader, desk: TheDesk) -> Any:
    """How the last comparisons went, by connection and operation."""
    links = linked(desk)
    return {"items": await read(desk, lambda conn: rows.comparisons(conn, links)), "next": None}


@router.post("/comparisons", status_code=202, response_model=ComparisonRun)
async def post_comparison(who: Approver, desk: TheDesk, body: NewComparison) -> Any:
    """Compare a connection now; it writes nothing outside."""
    try:
        run = await Reconciling(desk).ask(body.connector, who.actor)
    except NotFound as error:  # what the body names is not there: the body is wrong, not the address
        raise BadInput(f"connector: {error.detail}", field="connector") from error
    return JSONResponse({"run": run}, 202)
