"""Facts over the API: statements on two clocks, measured results, and which way of working led where."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field

from soloist.flows.curating import Curating
from soloist.insight import knowing
from soloist.kernel.errors import BadInput
from soloist.kernel.fact import NewFact
from soloist.web.api.asking import (
    After,
    Approver,
    Id,
    Limit,
    Proposer,
    Reader,
    TheDesk,
    cursor,
    key,
    no_nul,
    page,
    read,
)
from soloist.web.api.shapes import Json, Name, Page, Taken
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
Words = Annotated[str, Field(max_length=1000), AfterValidator(no_nul)]
Instant = Annotated[str, Field(max_length=40, description="a day or an ISO 8601 instant")]
Asked = Annotated[str, Query(max_length=300)]
Confidence = Literal["stated", "read", "derived", "doubtful"]


class NewStatement(Taken):
    """Something that is true of a record. It is unverified until it is confirmed, and contradicts nobody silently."""

    record: Name
    attribute: Annotated[str, Field(min_length=1, max_length=80)]
    value: Any
    valid_from: Instant = Field(default="", description="from when it is true; now when left out")
    valid_to: Instant = ""
    quote: Words = Field(default="", description="the words it rests on, verbatim")
    source: Annotated[str, Field(max_length=200), AfterValidator(no_nul)] = "api"
    ref: Annotated[str, Field(max_length=500), AfterValidator(no_nul)] = ""
    confidence: Confidence = "stated"
    expires: Instant = ""


class Stated(BaseModel):
    """What became of a statement: ``disputed`` when it contradicts one that counts more, ``against`` names those."""

    id: str
    state: Literal["held", "disputed"]
    new: bool
    against: list[str]


class Statement(BaseModel):
    """One statement. ``valid_from`` to ``valid_to`` is when it is true, ``created`` when it was known, ``ended`` the
    event that ended it; ``said`` is the value in words, ``affordances`` what can be done with it."""

    id: str
    record: str
    attribute: str
    value: Any
    said: str
    valid_from: str
    valid_to: str
    state: str
    trust: str
    confidence: str
    source: str
    ref: str
    quote: str
    origin: list[str] | None
    actor: str
    run: str
    expires: str
    created: str
    event: str
    ended: str
    ended_why: str
    superseded_by: str
    affordances: list[str]


class NewOutcome(Taken):
    """A measured result of something; the same ``metric`` and ``ref`` again is the same result."""

    object: Name
    metric: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9 ._-]+$")]
    kind: Annotated[str, Field(max_length=80), AfterValidator(no_nul)] = ""
    value: Words | int | float = ""
    unit: Annotated[str, Field(max_length=40), AfterValidator(no_nul)] = ""
    ref: Annotated[str, Field(max_length=300), AfterValidator(no_nul)] = ""
    at: Instant = ""
    detail: Json = Field(default_factory=dict)


class OutcomeId(BaseModel):
    """Which result it is, and whether it is new."""

    id: str
    new: bool


class OutcomeRow(BaseModel):
    """One measured result."""

    id: str
    object: str
    kind: str
    metric: str
    value: str
    unit: str
    source: str
    ref: str
    detail: Json | None
    at: str
    created: str


class WayRow(BaseModel):
    """One way of working on one kind of case, with how often it led where."""

    agent: str
    flow: str
    operation: str
    case: str
    template: str
    steps: list[str]
    policy: str
    cases: int
    approved: int
    edited: int
    rejected: int
    expired: int
    undone: int
    failed: int
    answered: int
    returned: int
    first: str
    last: str
    outcomes: dict[str, int]
    told: str


@router.post(
    "/facts", status_code=201, response_model=Stated, responses={200: {"model": Stated, "description": "Known already"}}
)
async def post_fact(who: Proposer, desk: TheDesk, body: NewStatement) -> Any:
    """State something about a record; what contradicts a confirmed statement is kept beside it as disputed."""
    given = body.model_dump()
    dates = {name: knowing.instant(given.pop(name), name) for name in ("valid_from", "valid_to", "expires")}
    dates["valid_from"] = dates["valid_from"] or knowing.now(desk.store.clock())
    mine = who.actor == "operator"
    trust, origin = ("confirmed", who.actor) if mine else ("unverified", f"outside:{who.actor}")
    new = NewFact(**given, **dates, trust=trust, origin=(origin,), actor=who.actor)
    done = await Curating(desk).state(new)
    return JSONResponse(done, 201 if done["new"] else 200)


@router.get("/facts", response_model=Page[Statement])
async def list_facts(
    _: Reader,
    desk: TheDesk,
    record: Asked = "",
    attribute: Asked = "",
    state: Literal["", "held", "disputed"] = "",
    *,
    as_of: Annotated[str, Query(max_length=60, description="as known then: a sequence number or an instant")] = "",
    true_at: Annotated[str, Query(max_length=40, description="true then: a day or an instant")] = "",
    after: After = "",
    limit: Limit = 100,
) -> Any:
    """Statements that are known now, or were at ``as_of``; with ``true_at`` those that speak of that instant."""
    asked = {"record": record, "attribute": attribute, "state": state, "as_of": as_of, "true_at": true_at}
    place = key("facts", after) or ("", "")
    found = await read(desk, lambda conn: knowing.fact_rows(conn, asked, place[1], limit + 1))
    shown = found[:limit]
    more = len(found) > limit
    return {"items": shown, "next": cursor("facts", "", shown[-1]["id"]) if more else None}


@router.get("/facts/{ident}", response_model=Statement)
async def get_fact(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One statement, also when it has ended."""
    return await read(desk, lambda conn: knowing.fact(conn, ident))


@router.put("/facts/{ident}/confirmation", response_model=Stated)
async def put_confirmation(who: Approver, desk: TheDesk, ident: Id) -> Any:
    """Say that a statement is right: it is trusted from now on, and what contradicts it is past."""
    return await Curating(desk).confirm(ident, who=who.actor)


@router.delete("/facts/{ident}", status_code=204)
async def delete_fact(who: Approver, desk: TheDesk, ident: Id) -> None:
    """Take a statement back; what was known stays readable with ``as_of``."""
    await Curating(desk).end_fact(ident, who=who.actor)


@router.post(
    "/outcomes",
    status_code=201,
    response_model=OutcomeId,
    responses={200: {"model": OutcomeId, "description": "Noted already"}},
)
async def post_outcome(who: Proposer, desk: TheDesk, body: NewOutcome) -> Any:
    """Attach a measured result to what it is the result of: a proposal, a record, a publication."""
    given = body.model_dump() | {"at": knowing.instant(body.at, "at"), "source": f"outside:{who.actor}"}
    if not await read(desk, lambda conn: knowing.there(conn, body.object)):
        raise BadInput(f"object: there is no proposal, record or memory {body.object[:60]!r}.", field="object")
    done = await Curating(desk).note_outcome(given, who=who.actor)
    return JSONResponse(done, 201 if done["new"] else 200)


@router.get("/outcomes", response_model=Page[OutcomeRow])
async def list_outcomes(
    _: Reader,
    desk: TheDesk,
    object_: Annotated[str, Query(alias="object", max_length=300)] = "",
    metric: Asked = "",
    after: After = "",
    *,
    limit: Limit = 100,
) -> Any:
    """Measured results, newest first."""
    place = key("outcomes", after)
    found = await read(desk, lambda conn: knowing.outcome_rows(conn, object_, metric, place, limit + 1))
    return page("outcomes", found, limit, "at")


@router.get("/practice", response_model=Page[WayRow])
async def list_practice(
    _: Reader, desk: TheDesk, agent: Asked = "", case: Asked = "", since: Annotated[str, Query(max_length=40)] = ""
) -> Any:
    """Which agent, flow and template did what on which kind of case, and what it led to; the most used first."""
    found = await read(desk, lambda conn: knowing.practice_rows(conn, since=since, agent=agent, case=case))
    return {"items": found, "next": None}
