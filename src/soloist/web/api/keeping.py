"""What is kept, over the API: snapshots, collections by the retention policy, erasures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from soloist.flows import keeping
from soloist.flows.erasing import Erasing
from soloist.flows.keeping import Keeping
from soloist.insight import erasures, timetravel
from soloist.insight import keeping as insight
from soloist.kernel.errors import BadInput
from soloist.web.api import shapes
from soloist.web.api.asking import After, Approver, Id, Limit, Reader, TheDesk, key, no_nul, page, read
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
Counts = dict[str, int]


class NewSnapshot(shapes.Taken):
    """A name for an instant; ``as_of`` is a sequence number or an ISO instant, empty for now."""

    label: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(no_nul)]
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


_Text = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(no_nul)]


class NewErasure(shapes.Taken):
    """Who is to be erased: id of the record, mail address or full name; ``also`` are texts that are theirs too.

    ``dry`` looks and writes nothing. ``confirm`` is the word that the dry run told.
    """

    who: _Text
    also: Annotated[list[_Text], Field(max_length=20, default_factory=list)]
    dry: bool = False
    confirm: Annotated[str, Field(max_length=400)] = ""
    why: shapes.Reason = ""


class Erasure(BaseModel):
    """An erasure: ids, hashes and counts, never the person. ``preview`` is there for a dry run only."""

    id: str = ""
    state: str
    created: str = ""
    done: str = ""
    who: str = ""
    why: str = ""
    seq: int = 0
    proof: shapes.Json | None = None
    preview: shapes.Json | None = None


class ErasureList(BaseModel):
    """Erasures, the newest first."""

    items: list[Erasure]
    next: str | None


@router.post("/erasures", status_code=201, response_model=Erasure)
async def post_erasure(who: Approver, desk: TheDesk, body: NewErasure) -> Any:
    """Erase a person and prove it, or look what an erasure would find."""
    erasing = Erasing.of(desk)
    seen = await erasing.preview(body.who, body.also)
    if body.dry:
        return {"state": "dry", "preview": asdict(seen)}
    if body.confirm != seen.word:
        raise BadInput("confirm: repeat the word that the dry run told; nothing was erased.", field="confirm")
    return await erasing.erase(body.who, who=who.actor, why=body.why, also=body.also)


@router.get("/erasures", response_model=ErasureList)
async def list_erasures(_: Reader, desk: TheDesk, after: After = "", limit: Limit = 100) -> Any:
    """Erasures, the newest first."""
    before = key("erasures", after)
    rows = await read(desk, lambda conn: erasures.rows(conn, limit + 1, before))
    return page("erasures", rows, limit, "created")


@router.get("/erasures/{ident}", response_model=Erasure)
async def get_erasure(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One erasure with its proof."""
    return await read(desk, lambda conn: erasures.row(conn, ident))


class Retention(BaseModel):
    """How many days what is kept, by rule; 0 is for good. Version 0 is what a home begins with."""

    version: int
    rules: dict[str, int]


class NewRetention(shapes.Taken):
    """Days to change; what is not named stays."""

    rules: dict[str, int] = Field(min_length=1, max_length=100)
    why: shapes.Reason = ""


class NewCollection(shapes.Taken):
    """``dry`` counts and deletes nothing; ``rules`` are days to try in a dry run."""

    dry: bool = True
    rules: dict[str, int] = Field(default_factory=dict, max_length=100)


class Collection(BaseModel):
    """What left, or would leave, by which version of the policy: {name: {rows, bytes}}, with the hash of the counts."""

    id: str = ""
    policy: int
    dry: bool
    counts: dict[str, Counts]
    hash: str = ""
    who: str
    at: str = ""
    event: str = ""


class CollectionList(BaseModel):
    """Collections, the newest first."""

    items: list[Collection]
    next: str | None


@router.get("/retention", response_model=Retention)
async def get_retention(_: Reader, desk: TheDesk) -> Any:
    """The policy in force."""
    version, rules = await read(desk, Keeping.of(desk).rules)
    return {"version": version, "rules": rules}


@router.put("/retention", response_model=Retention)
async def put_retention(who: Approver, desk: TheDesk, body: NewRetention) -> Any:
    """Change days; a new version, unless nothing changes."""
    return await Keeping.of(desk).put(body.rules, who=who.actor, why=body.why)


@router.post("/collections", status_code=201, response_model=Collection)
async def post_collection(who: Approver, desk: TheDesk, body: NewCollection) -> Any:
    """Carry the policy out, or count what would leave; days can be tried in a dry run only."""
    if not body.rules:
        return await Keeping.of(desk).collect(who=who.actor, dry=body.dry)
    if not body.dry:
        raise BadInput("rules: days can be tried in a dry run only; nothing was deleted.", field="rules")
    found = await Keeping.of(desk).preview(body.rules)
    counts = {row["name"]: {"rows": row["rows"], "bytes": row["bytes"]} for row in found if row["rows"]}
    version, _days = await read(desk, Keeping.of(desk).rules)
    return {"policy": version, "dry": True, "counts": counts, "who": who.actor}


@router.get("/collections", response_model=CollectionList)
async def list_collections(_: Reader, desk: TheDesk, after: After = "", limit: Limit = 100) -> Any:
    """Collections, the newest first."""
    before = key("collections", after)
    rows = await read(desk, lambda conn: insight.collections(conn, limit + 1, before))
    return page("collections", rows, limit, "at")
