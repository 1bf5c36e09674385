"""Records that are one over the API: pairs listed, merged, kept apart, taken back; and what identifies a record."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field

from soloist.flows.merging import Merging
from soloist.insight import merging as rows
from soloist.kernel.errors import BadInput, NotFound
from soloist.web.api import shapes
from soloist.web.api.asking import After, Approver, Id, Limit, Reader, TheDesk, key, no_nul, page, read
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
MergeState = Literal["", "proposed", "merged", "apart", "unmerged", "gone"]


class MatchedField(BaseModel):
    """One field of the evidence: ``here`` of the kept record, ``there`` of the other, and what it weighs in bits."""

    field: str
    here: str
    there: str
    verdict: Literal["agrees", "close", "differs"]
    bits: float


class Merge(BaseModel):
    """Two records that may be, are or were one. ``score`` 0..1; ``strong`` keys they share; ``vetoes`` against it."""

    id: str
    state: str
    kind: str
    kept: str
    other: str
    score: float
    margin: float
    rule: str
    choices: dict[str, str]
    fields: list[MatchedField]
    strong: list[str]
    vetoes: list[str]
    card: str
    who: str
    why: str
    created: str
    closed: str


class NewMerge(shapes.Taken):
    """Two records to be one: ``other`` leads to ``kept``; ``choices`` say whose value of a field shows."""

    kept: shapes.Name
    other: shapes.Name
    choices: dict[str, Literal["kept", "other", "both"]] = Field(default={}, max_length=200)
    why: Annotated[str, Field(max_length=500), AfterValidator(no_nul)] = ""


class MergeDecision(shapes.Taken):
    """What is decided about a proposed pair."""

    option: Literal["merge", "apart"]


class Identity(BaseModel):
    """What identifies a record: ``record`` it was linked to, ``stands_for`` the kept one while merged."""

    id: str
    scheme: str
    value: str
    record: str
    stands_for: str
    rule: str
    at: str


@router.get("/merges", response_model=shapes.Page[Merge])
async def list_merges(_: Reader, desk: TheDesk, state: MergeState = "", after: After = "", limit: Limit = 100) -> Any:
    """Pairs of records that may be, are or were one, oldest first."""
    place = key("merges", after) or ("", "")
    found = await read(desk, lambda conn: rows.rows(conn, state, place, limit + 1))
    return page("merges", found, limit, "created")


@router.get("/merges/{ident}", response_model=Merge)
async def get_merge(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One pair."""
    return await read(desk, lambda conn: rows.row(conn, ident))


@router.post("/merges", status_code=201, response_model=Merge)
async def post_merge(who: Approver, desk: TheDesk, body: NewMerge) -> Any:
    """Let two records be one; neither is rewritten."""
    try:
        row = await Merging(desk).merge(body.kept, body.other, body.choices, who=who.actor, why=body.why)
    except NotFound as error:  # what the body names is not there: the body is wrong, not the address
        raise BadInput(f"kept or other: {error.detail}", field="other") from error
    return JSONResponse(rows.as_json(row), 201)


@router.post("/merges/{ident}/decision", response_model=Merge)
async def post_merge_decision(who: Approver, desk: TheDesk, ident: Id, body: MergeDecision) -> Any:
    """Merge a proposed pair, or remember that they are two."""
    flow = Merging(desk)
    if body.option == "apart":
        return rows.as_json(await flow.keep_apart(ident, who=who.actor))
    row = await read(desk, lambda conn: rows.row(conn, ident))
    return rows.as_json(await flow.merge(row["kept"], row["other"], {}, who=who.actor))


@router.delete("/merges/{ident}", response_model=Merge)
async def delete_merge(who: Approver, desk: TheDesk, ident: Id) -> Any:
    """Take a merge back: both records are what they were."""
    return rows.as_json(await Merging(desk).unmerge(ident, who=who.actor))


@router.get("/identities", response_model=shapes.Page[Identity])
async def list_identities(
    _: Reader, desk: TheDesk, record: Annotated[str, Query(min_length=1, max_length=300, description="whose")]
) -> Any:
    """The addresses, phones, domains and ids that stand for a record and for what was merged into it."""
    return {"items": await read(desk, lambda conn: rows.identities(conn, record)), "next": None}
