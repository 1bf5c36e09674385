"""Curating over the API: working sessions, promotion and correction of items, documents, what is kept where."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from soloist.flows.curating import Curating
from soloist.flows.sessions import Sessions
from soloist.insight import knowing
from soloist.kernel.access import Principal
from soloist.kernel.errors import BadInput, NotAllowed, NotFound
from soloist.web.api.asking import After, Approver, Id, Limit, Proposer, Reader, TheDesk, key, no_nul, page, read
from soloist.web.api.shapes import Json, Name, Page, Taken
from soloist.web.api.strict import StrictRoute, WideRoute

router = APIRouter(route_class=StrictRoute)
many = APIRouter(route_class=WideRoute)
Line = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(no_nul)]
Lines = Annotated[list[Line], Field(max_length=20)]

SessionState = Literal["", "open", "closed", "carried"]


class NewWorkSession(Taken):
    """What a working session is about and what is expected of it; ``scope`` is a record or empty for the house."""

    title: Name
    scope: Annotated[str, Field(max_length=100), AfterValidator(no_nul)] = ""
    objectives: Lines = Field(default_factory=list)
    expectations: Lines = Field(default_factory=list)


class WorkSessionChange(Taken):
    """What is said anew; what is left out stays."""

    title: Name | None = None
    objectives: Lines | None = None
    expectations: Lines | None = None


class Conclusion(WorkSessionChange):
    """How a session ends: closed into a summary, or carried over into a new one."""

    outcome: Literal["closed", "carried"]


class WorkSession(BaseModel):
    """A working session; ``summary`` once it has ended, ``carried_to`` the one it was carried over into."""

    id: str
    state: Literal["open", "closed", "carried"]
    scope: str
    title: str
    objectives: list[str] | None
    expectations: list[str] | None
    summary: str
    carried_to: str
    who: str
    created: str
    updated: str
    closed: str


class Correction(Taken):
    """What is right."""

    text: Annotated[str, Field(min_length=1, max_length=16_000), AfterValidator(no_nul)]


class Kept(BaseModel):
    """The item in the place of the old one."""

    id: str
    tier: str
    trust: str
    text: str


class NewDocument(Taken):
    """A document: its text, or its bytes as base64 with the text that could be read from them."""

    name: Name
    text: Annotated[str, AfterValidator(no_nul)] = ""
    content: str = Field(default="", description="base64; the bytes that are kept")
    mime: Annotated[str, Field(max_length=100), AfterValidator(no_nul)] = "text/plain"
    record: Annotated[str, Field(max_length=100), AfterValidator(no_nul)] = ""
    ref: Annotated[str, Field(max_length=300), AfterValidator(no_nul)] = ""
    at: Annotated[str, Field(max_length=40)] = ""


class Document(BaseModel):
    """The hash of the bytes, and the items: the pointer first, then the parts that are kept as text."""

    asset: str
    ids: list[str]


class Affordances(BaseModel):
    """What can be done with an item."""

    id: str
    can: list[str]


class Overview(BaseModel):
    """What is kept in each tier and kind, and what choosing from it saves."""

    tiers: list[Json]
    cost: Json


@router.post("/work-sessions", status_code=201, response_model=WorkSession)
async def post_work_session(who: Proposer, desk: TheDesk, body: NewWorkSession) -> Any:
    """Begin a working session."""
    try:
        return await Sessions(desk).begin(body.model_dump(), who=who.actor)
    except NotFound as error:
        raise BadInput(f"scope: {error.detail}", field="scope") from error


@router.get("/work-sessions", response_model=Page[WorkSession])
async def list_work_sessions(
    _: Reader,
    desk: TheDesk,
    state: Literal["", "open", "closed", "carried"] = "",
    after: After = "",
    limit: Limit = 100,
) -> Any:
    """Working sessions, newest first."""
    place = key("work-sessions", after)
    found = await read(desk, lambda conn: knowing.session_rows(conn, state, place, limit + 1))
    return page("work-sessions", found, limit, "created")


@router.get("/work-sessions/{ident}", response_model=WorkSession)
async def get_work_session(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One working session."""
    return await read(desk, lambda conn: knowing.session(conn, ident))


@router.put("/work-sessions/{ident}", response_model=WorkSession)
async def put_work_session(who: Proposer, desk: TheDesk, ident: Id, body: WorkSessionChange) -> Any:
    """Say anew what an open session is about; that of somebody else only with the scope to approve."""
    await _own(who, desk, ident)
    return await Sessions(desk).change(ident, body.model_dump(exclude_none=True), who=who.actor)


@router.put("/work-sessions/{ident}/conclusion", response_model=WorkSession)
async def put_conclusion(who: Proposer, desk: TheDesk, ident: Id, body: Conclusion) -> Any:
    """End a session: "closed" answers it with its summary, "carried" the new one that goes on with what is open."""
    await _own(who, desk, ident)
    if body.outcome == "closed":
        return await Sessions(desk).close(ident, who=who.actor)
    return await Sessions(desk).carry_over(ident, body.model_dump(exclude_none=True), who=who.actor)


async def _own(who: Principal, desk: TheDesk, ident: str) -> None:
    """Refuse a program that is about to change what somebody else began (NotAllowed, NotFound)."""
    row = await read(desk, lambda conn: knowing.session(conn, ident))
    if row["who"] != who.actor and not who.may("approve"):
        raise NotAllowed("This session was begun by somebody else; a token that may approve can change it.")


@router.put("/memories/{ident}/promotion", response_model=Kept)
async def put_promotion(who: Approver, desk: TheDesk, ident: Id) -> Any:
    """Keep an item for good, on your word: a canonical, confirmed item takes its place."""
    return await Curating(desk).promote(ident, who=who.actor)


@router.post("/memories/{ident}/corrections", status_code=201, response_model=Kept)
async def post_correction(who: Approver, desk: TheDesk, ident: Id, body: Correction) -> Any:
    """Say what is right in an item's place."""
    return await Curating(desk).correct(ident, body.text, who=who.actor)


@router.get("/memories/{ident}/affordances", response_model=Affordances)
async def get_affordances(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """What can be done with an item."""
    found = await read(desk, lambda conn: knowing.affordances(conn, ident))
    if found is None:
        raise NotFound(f"There is no memory {ident}.")
    return found


@many.post("/documents", status_code=201, response_model=Document)
async def post_document(who: Proposer, desk: TheDesk, body: NewDocument) -> Any:
    """Keep a document as bytes under their hash, and what it says as a pointer with the places of its parts."""
    try:
        data = base64.b64decode(body.content, validate=True) if body.content else body.text.encode()
    except (binascii.Error, ValueError):
        raise BadInput("content: this is not base64; nothing was kept.", field="content") from None
    if not data:
        raise BadInput("text: send text, or content as base64; nothing was kept.", field="text")
    about = body.model_dump(include={"mime", "record", "ref"}) | {"at": knowing.instant(body.at, "at")}
    try:
        return await Curating(desk).keep_document(body.name, data, body.text, **about, who=who.actor)
    except NotFound as error:
        raise BadInput(f"record: {error.detail}", field="record") from error


@router.get("/remembered", response_model=Overview)
async def get_remembered(_: Reader, desk: TheDesk) -> Any:
    """What is kept where, and what it costs to use."""
    return await read(desk, lambda conn: {"tiers": knowing.tiers(conn), "cost": knowing.cost(conn)})


@router.get("/remembered/{ident}", response_model=Json)
async def get_remembered_of(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """Everything remembered about one record: facts that hold, contradict and are past, items by tier, sessions."""
    return await read(desk, lambda conn: knowing.about(conn, ident))
