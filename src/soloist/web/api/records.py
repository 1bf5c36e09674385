"""Records over the API: kinds, rows of now and of then, writes over the version that was read, versions and owners."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from soloist.insight import record_rows
from soloist.kernel.errors import BadInput
from soloist.stages.records import NewRecord
from soloist.web.api import shapes
from soloist.web.api.asking import (
    After,
    Approver,
    Id,
    Kind,
    Limit,
    Reader,
    TheDesk,
    cursor,
    key,
    no_nul,
    ordinal,
    page,
    read,
)
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
_VERSION = re.compile(r'"?([0-9]{1,18})"?\Z')
By = Literal["operator", "system", "outside"]
AsOf = Annotated[str, Query(max_length=40, description="an instant (ISO 8601) or a sequence number; empty for now")]
Words = Annotated[str, Query(max_length=200, description="in the title or a field"), AfterValidator(no_nul)]
State = Annotated[str, Query(max_length=100), AfterValidator(no_nul)]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="the version that was read")]


class FieldRow(BaseModel):
    """A field of a kind: its type, for a list what of, for references the kinds it leads to."""

    name: str
    label: str
    type: str
    of: str
    choices: list[str]
    to: list[str]
    required: bool
    internal: bool
    custom: bool
    owner: str
    mutability: str
    help: str


class KindRow(BaseModel):
    """A kind of record; ``version`` counts the schemas this home has had, ``revision`` those of its author."""

    kind: str
    label: str
    plural: str
    version: int
    revision: int
    title: list[str]
    fields: list[FieldRow]
    states: list[str]
    moves: dict[str, list[str]]
    owner: str
    mutability: str
    retention: str
    affordances: list[str]
    help: str
    custom: bool
    records: int


class RecordWhole(shapes.RecordRow):
    """A record with who owns each field; ``event`` is the one that wrote it, where it was asked for as of then."""

    owners: dict[str, str]
    schema_version: int
    merged_into: str
    event: str | None = None


class Kept(BaseModel):
    """A field that was left as it is because somebody stronger owns it."""

    mine: Any
    offered: Any
    owner: str


class RecordWritten(RecordWhole):
    """The new version, and what was ``kept`` against it."""

    kept: dict[str, Kept] = Field(default_factory=dict)


class VersionRow(BaseModel):
    """One version as it was written."""

    version: int
    title: str
    state: str
    body: shapes.Json
    owners: dict[str, str]
    schema_version: int
    actor: str
    reason: str
    run: str
    event: str
    at: str


class Pointing(BaseModel):
    """A record that points at the one that was asked about, by the field ``role``."""

    id: str
    kind: str
    title: str
    state: str
    version: int
    role: str


class NewBody(shapes.Taken):
    """A new record; without a title the kind's rule makes one. ``by`` says whose word it is."""

    body: shapes.Json
    title: Annotated[str, Field(max_length=300), AfterValidator(no_nul)] = ""
    state: Annotated[str, Field(max_length=100), AfterValidator(no_nul)] = ""
    by: By = "operator"
    why: shapes.Reason = ""


class PutBody(shapes.RecordBody):
    """The fields of a record. On the operator's word all of them; ``by`` system or outside changes what it may."""

    state: Annotated[str, Field(max_length=100), AfterValidator(no_nul)] | None = None
    by: By = "operator"
    why: shapes.Reason = ""


class RestoreBody(shapes.Taken):
    """The version to write again as the newest one."""

    from_: int = Field(alias="from", ge=1)
    why: shapes.Reason = ""


class OwnerBody(shapes.Taken):
    """Who owns a field from now on."""

    by: By


class PassageBody(shapes.Taken):
    """What is to stand where both sides changed a draft."""

    pick: Literal["yours", "new", "both"]


@router.get("/kinds", response_model=shapes.Page[KindRow])
async def list_kinds(_: Reader, desk: TheDesk) -> Any:
    """Every kind of record with its fields, states and what can be done with it."""
    return {"items": await read(desk, record_rows.every), "next": None}


@router.get("/records/{kind}", response_model=shapes.Page[RecordWhole])
async def list_records(
    _: Reader,
    desk: TheDesk,
    kind: Kind,
    *,
    q: Words = "",
    state: State = "",
    as_of: AsOf = "",
    after: After = "",
    limit: Limit = 100,
) -> Any:
    """Records of a kind, newest change first; with ``as_of`` as they were then, in the order they were made."""
    noun = "records_then" if as_of else "records"
    place = key(noun, after)
    found = await read(
        desk, lambda conn: record_rows.rows(conn, kind, place, limit + 1, text=q, state=state, as_of=as_of)
    )
    return page(noun, found, limit, "created" if as_of else "updated")


@router.post("/records/{kind}", status_code=201, response_model=RecordWhole)
async def post_record(who: Approver, desk: TheDesk, kind: Kind, body: NewBody, response: Response) -> Any:
    """Write a new record; a field that does not fit the kind is named with what would be right."""
    new = NewRecord(kind, body.body, body.title, body.state, body.by, body.why)
    made = await desk.records.create(new, actor=who.actor)
    response.headers["ETag"] = f'"{made["version"]}"'
    response.headers["Location"] = f"/api/v1/records/{made['kind']}/{made['id']}"
    return {**made, "schema_version": made["schema"]}


@router.get("/records/{kind}/{ident}", response_model=RecordWhole)
async def get_record(_: Reader, desk: TheDesk, kind: Kind, ident: Id, *, as_of: AsOf = "", response: Response) -> Any:
    """One record, now or as it was; its ETag is the version to write back with If-Match."""
    found = await read(desk, lambda conn: record_rows.row(conn, kind, ident, as_of))
    response.headers["ETag"] = f'"{found["version"]}"'
    return found


@router.put("/records/{kind}/{ident}", response_model=RecordWritten)
async def put_record(
    who: Approver, desk: TheDesk, kind: Kind, ident: Id, *, body: PutBody, response: Response, if_match: IfMatch = None
) -> Any:
    """Write a new version of a record over the version named by If-Match; 412 shows both when it has moved.

    A draft whose text is written by the system is merged with what a person made of it.
    """
    version = _match(if_match)
    done = await desk.records.put(
        kind, ident, version, body.body, actor=who.actor, by=body.by, state=body.state, why=body.why
    )
    response.headers["ETag"] = f'"{done["version"]}"'
    return {**done, "schema_version": done["schema"]}


@router.get("/records/{kind}/{ident}/versions", response_model=shapes.Page[VersionRow])
async def list_versions(
    _: Reader, desk: TheDesk, kind: Kind, ident: Id, after: After = "", *, limit: Limit = 100
) -> Any:
    """Every version of a record as it was written, newest first."""
    place = ordinal("versions", after)
    found = await read(desk, lambda conn: record_rows.versions(conn, kind, ident, before=place, limit=limit + 1))
    shown = found[:limit]
    return {"items": shown, "next": cursor("versions", shown[-1]["version"]) if len(found) > limit else None}


@router.post("/records/{kind}/{ident}/versions", status_code=201, response_model=RecordWhole)
async def post_version(
    who: Approver,
    desk: TheDesk,
    kind: Kind,
    ident: Id,
    *,
    body: RestoreBody,
    response: Response,
    if_match: IfMatch = None,
) -> Any:
    """Write an old version again as the newest one, over the version named by If-Match; nothing in between is lost."""
    done = await desk.records.restore(kind, ident, _match(if_match), body.from_, actor=who.actor, why=body.why)
    response.headers["ETag"] = f'"{done["version"]}"'
    return {**done, "schema_version": done["schema"]}


@router.get("/records/{kind}/{ident}/relations", response_model=shapes.Page[Pointing])
async def list_relations(_: Reader, desk: TheDesk, kind: Kind, ident: Id, as_of: AsOf = "") -> Any:
    """Records that point at this one, now or then: the invoices of a client, the people of a company."""
    return {"items": await read(desk, lambda conn: record_rows.pointing(conn, kind, ident, as_of)), "next": None}


@router.put("/records/{kind}/{ident}/owners/{field}", response_model=RecordWhole)
async def put_owner(
    who: Approver, desk: TheDesk, kind: Kind, ident: Id, field: Id, *, body: OwnerBody, if_match: IfMatch = None
) -> Any:
    """Say who owns a field: what comes from outside never overwrites the operator's."""
    version = _match(if_match)
    await read(desk, lambda conn: record_rows.row(conn, kind, ident))
    done = await desk.records.own(ident, version, field, body.by, actor=who.actor)
    return {**done, "schema_version": done["schema"]}


@router.put("/records/draft/{ident}/passages/{number}", response_model=RecordWhole)
async def put_passage(
    who: Approver, desk: TheDesk, ident: Id, number: int, *, body: PassageBody, if_match: IfMatch = None
) -> Any:
    """Settle a passage of a draft that was changed by a person and by the generator: yours, new or both."""
    done = await desk.records.settle(ident, _match(if_match), number, body.pick, actor=who.actor)
    return {**done, "schema_version": done["schema"]}


def _match(given: str | None) -> int:
    """The version named by If-Match (428 without one, BadInput for anything else)."""
    if given is None:
        raise HTTPException(428, 'Send the version you read as If-Match, like If-Match: "3". Nothing was changed.')
    match = _VERSION.match(given.strip())
    if match is None:
        raise BadInput('If-Match: the version you read, like "3".', field="If-Match")
    return int(match[1])
