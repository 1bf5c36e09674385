"""Grants over the API: listed, given within limits, taken back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from soloist.app import App
from soloist.flows.ruling import Ruling
from soloist.insight import policy
from soloist.kernel.errors import NotAllowed
from soloist.stages.policy.gates import NEVER_EARNED
from soloist.web.api import shapes
from soloist.web.api.asking import After, Approver, Id, Limit, Reader, TheApp, no_nul, ordinal, read
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
GrantState = Literal["", "offered", "live", "declined", "revoked", "expired", "lost"]
Plain = AfterValidator(no_nul)
Text = Annotated[str, Field(max_length=200), Plain]


class GrantRow(BaseModel):
    """One grant; ``used_today`` counts the last 24 hours, ``until`` is an instant in UTC."""

    id: str
    state: str
    title: str
    connector: str
    operation: str
    agent: str
    level: str
    gates: list[str]
    when: str
    mode: str
    window: str
    limit_minor: int
    currency: str
    per_day: int
    source: str
    proposal: str
    who: str
    why: str
    created: str
    until: str
    ended: str
    ended_why: str
    used_today: int


class NewGrant(BaseModel):
    """A grant to give: what for, which gates it opens, how far, until when."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=200), Plain]
    connector: Text = ""
    operation: Text = ""
    agent: Text = ""
    gates: Annotated[list[Text], Field(max_length=20)] = []
    when: Annotated[str, Field(max_length=2000, description="a condition in CEL"), Plain] = ""
    mode: Literal["audit", "revert"] = "audit"
    window: Annotated[str, Field(max_length=20), Plain] = ""
    limit_minor: Annotated[int, Field(ge=0, le=10**15, description="money: the most that may move at once")] = 0
    currency: Annotated[str, Field(max_length=3), Plain] = ""
    per_day: Annotated[int, Field(ge=0, le=100_000)] = 0
    until: Annotated[str, Field(max_length=40, description="its last instant, at most a year ahead"), Plain]
    why: Annotated[str, Field(max_length=1000), Plain] = ""


@router.get("/grants", response_model=shapes.Page[GrantRow])
async def list_grants(_: Reader, app: TheApp, state: GrantState = "", after: After = "", limit: Limit = 100) -> Any:
    """Grants in the order they were made; ``after`` is the ``next`` of a page."""
    now = _ruling(app).now
    place = after if after == "" or not after.isdigit() else str(ordinal("grants", after))
    found = await read(app.desk, lambda conn: policy.grant_rows(conn, now, after=place, limit=limit + 1, state=state))
    shown = found[:limit]
    return {"items": shown, "next": shown[-1]["id"] if len(found) > limit else None}


@router.get("/grants/{ident}", response_model=GrantRow)
async def get_grant(_: Reader, app: TheApp, ident: Id) -> Any:
    """One grant."""
    now = _ruling(app).now
    return await read(app.desk, lambda conn: policy.grant_row(conn, ident, now))


@router.post("/grants", status_code=201, response_model=GrantRow)
async def post_grant(who: Approver, app: TheApp, body: NewGrant, response: Response) -> Any:
    """Give a grant. Money and what cannot be taken back are granted in the console or with the scope admin only."""
    given = body.model_dump()
    closed = sorted(NEVER_EARNED & set(body.gates))
    if closed and not who.may("admin"):
        raise NotAllowed(
            f"gates: {', '.join(closed)} can be granted on the page of the policy, by soloist policy grant, "
            "or by a token with the scope admin. Nothing was granted.",
            field="gates",
        )
    ruling = _ruling(app)
    ident = await ruling.grant({**given, "source": "api"}, who=who.actor)
    response.headers["Location"] = f"/api/v1/grants/{ident}"
    return await read(app.desk, lambda conn: policy.grant_row(conn, ident, ruling.now))


@router.delete("/grants/{ident}", response_model=GrantRow)
async def delete_grant(who: Approver, app: TheApp, ident: Id) -> Any:
    """Take a grant back at once; 409 when it is over already."""
    ruling = _ruling(app)
    await ruling.revoke(ident, who=who.actor)
    return await read(app.desk, lambda conn: policy.grant_row(conn, ident, ruling.now))


def _ruling(app: App) -> Ruling:
    return Ruling(app.store, app.judging, app.settings.business.timezone)
