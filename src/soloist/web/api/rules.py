"""Standing rules over the API: said, tried on the past, released, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from soloist.app import App
from soloist.flows.standing import StandingRules
from soloist.insight import standing
from soloist.insight.standing import RuleLine
from soloist.web.api import shapes
from soloist.web.api.asking import Approver, Id, Limit, Reader, TheApp, no_nul, read
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)


class RuleRow(BaseModel):
    """A standing rule: ``said`` by the operator, ``means`` as it is kept to, ``about`` whom.

    ``state`` is said (not in force), live, ended or replaced; ``tried`` is {looked, count, unit, changed: [{object,
    title, before, after}]}; ``repeats`` counts how often it had to be said again or applied by hand.
    """

    rule: str
    version: int
    state: str
    said: str
    means: str
    about: str
    uses: int
    repeats: int
    at: str
    who: str
    author: str
    tried: dict[str, Any]


class Applied(BaseModel):
    """One place where a version applied: a proposal or a message, and what it did there."""

    rule: str
    object: str
    run: str
    what: str
    at: str


class WholeRule(RuleRow):
    """A rule with its versions, newest first, and where it applied last."""

    versions: list[RuleRow]
    applied: list[Applied]


class NewRule(BaseModel):
    """What should hold from now on, in one sentence."""

    model_config = ConfigDict(extra="forbid")

    said: Annotated[str, Field(min_length=3, max_length=600), AfterValidator(no_nul)]


@router.get("/rules", response_model=shapes.Page[RuleRow])
async def list_rules(_: Reader, app: TheApp, limit: Limit = 100) -> Any:
    """The newest version of each rule, those in force first; there are never more than a page of them."""
    found = await read(app.desk, standing.page)
    return {"items": [_row(line) for line in found.rules[:limit]], "next": None}


@router.get("/rules/{rule}", response_model=WholeRule)
async def get_rule(_: Reader, app: TheApp, rule: Id) -> Any:
    """One rule."""
    return await _whole(app, rule)


@router.post("/rules", status_code=201, response_model=WholeRule)
async def post_rule(who: Approver, app: TheApp, body: NewRule, response: Response) -> Any:
    """Say something once: it is read and tried on the past, and not in force before its release.

    Saying again what is in force answers 200 with that rule, and counts as a repetition.
    """
    spoken = await StandingRules(app.desk).say(body.said, who=who.actor)
    response.status_code = 200 if spoken.again else 201
    response.headers["Location"] = f"/api/v1/rules/{spoken.rule}"
    return await _whole(app, spoken.rule)


@router.put("/rules/{rule}", response_model=WholeRule)
async def put_rule(who: Approver, app: TheApp, rule: Id, body: NewRule) -> Any:
    """Say a rule in other words: another version, not in force before its release; the old one holds until then."""
    await StandingRules(app.desk).say(body.said, who=who.actor, rule=rule)
    return await _whole(app, rule)


@router.post("/rules/{rule}/trials", response_model=WholeRule)
async def post_rule_trial(who: Approver, app: TheApp, rule: Id) -> Any:
    """Try a rule on the past as it is now."""
    await StandingRules(app.desk).try_again(rule)
    return await _whole(app, rule)


@router.put("/rules/{rule}/release", response_model=WholeRule)
async def put_rule_release(who: Approver, app: TheApp, rule: Id) -> Any:
    """Put the newest version in force; 409 when it is."""
    await StandingRules(app.desk).use(rule, who=who.actor)
    return await _whole(app, rule)


@router.delete("/rules/{rule}", response_model=WholeRule)
async def delete_rule(who: Approver, app: TheApp, rule: Id) -> Any:
    """Take a rule back; what it did stays listed; 409 when it is over."""
    await StandingRules(app.desk).end(rule, who=who.actor)
    return await _whole(app, rule)


async def _whole(app: App, rule: str) -> dict[str, Any]:
    found = await read(app.desk, lambda conn: standing.one(conn, rule))
    return {**_row(found.line), "versions": [_row(line) for line in found.versions], "applied": [*found.applied]}


def _row(line: RuleLine) -> Mapping[str, Any]:
    return {name: getattr(line, name) for name in RuleRow.model_fields}
