"""Models and money over the API: caps and their figures, models and their calls; prompts and answers stay inside."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from soloist.insight.trying import TrialOfModel
from soloist.kernel.errors import NotAllowed
from soloist.web.api import shapes
from soloist.web.api.asking import Approver, Id, Reader, TheApp, no_nul
from soloist.web.api.strict import StrictRoute
from soloist.web.spend_door import Spending

router = APIRouter(route_class=StrictRoute)
Text = Annotated[str, Field(max_length=200), AfterValidator(no_nul)]


class NewModelTrial(shapes.Taken):
    """A model on the operator's own cases: of one skill, or of every one that may ask a model."""

    skill: Text = ""
    cases: int = Field(default=20, ge=1, le=200)


class CapRow(BaseModel):
    """One cap: ``most`` and ``used`` are millionths of the currency, tokens, calls or runs; ``share`` in percent."""

    key: str
    scope: str
    subject: str
    span: str
    measure: str
    most: int
    used: int
    currency: str
    source: str
    title: str
    said: str
    share: int
    extra: int
    extra_until: str
    stopped: bool
    each: bool


class OutcomeRow(BaseModel):
    """What one kind of outcome cost in 30 days, in millionths altogether."""

    name: str
    many: int
    cost_micro: int


class WasteRow(BaseModel):
    """Something that cost in 30 days and need not, and what to do."""

    what: str
    cost_micro: int
    do: str


class TierRow(BaseModel):
    """Letters one tier wrote in 90 days: how many went as they were, percent changed, millionths each, its worth."""

    tier: int
    name: str
    many: int
    as_was: int
    far: float
    each: int
    said: str


class MonthRow(BaseModel):
    """The house's own figures in millionths; ``forecast`` is what the month will come to, ``span`` from and to."""

    currency: str
    today: int
    month: int
    held: int
    forecast: int
    saved: int
    days: dict[str, int]
    span: tuple[int, int]
    month_said: str
    outcomes: list[OutcomeRow]
    waste: list[WasteRow]
    night: dict[str, int]
    tiers: list[TierRow]


class ModelRow(BaseModel):
    """One configured model, and how it went in 30 days (``milliseconds`` is the mean of a call)."""

    name: str
    kind: str
    model: str
    host: str
    tier: int
    tier_said: str
    price: str
    price_known: bool
    window: int
    key: str
    trouble: str
    calls: int
    failed: int
    cost_micro: int
    milliseconds: int
    faults: dict[str, int]


class NewCap(BaseModel):
    """A cap: the most in one span, for the house, or for one agent, flow or client ("*" for each one)."""

    model_config = ConfigDict(extra="forbid")

    most: Text = Field(description='like "5 EUR", "200k tokens", "50 calls" or "10 runs"')
    span: Text = "month"
    agent: Text = ""
    flow: Text = ""
    client: Text = ""


class Extension(BaseModel):
    """How much more, in percent of the cap; 0 is what [budgets] says."""

    model_config = ConfigDict(extra="forbid")

    percent: int = Field(default=0, ge=0, le=1000)


@router.get("/budgets", response_model=shapes.Page[CapRow])
async def list_budgets(_: Reader, app: TheApp) -> Any:
    """Every cap in force with what is used of it."""
    return {"items": [asdict(line) for line in await Spending(app).caps()], "next": None}


@router.get("/budgets/month", response_model=MonthRow)
async def get_month(_: Reader, app: TheApp) -> Any:
    """What models cost today and this month, and what the month will come to."""
    page = asdict(await Spending(app).page())
    return {name: page[name] for name in MonthRow.model_fields}


@router.get("/budgets/{key}", response_model=CapRow)
async def get_budget(_: Reader, app: TheApp, key: Id) -> Any:
    """One cap."""
    return asdict(await Spending(app).cap(key))


@router.post("/budgets", status_code=201, response_model=CapRow)
async def post_budget(who: Approver, app: TheApp, body: NewCap, response: Response) -> Any:
    """Put a cap in force in place of the one in soloist.toml; needs the scope admin."""
    _admin(who)
    key = await Spending(app).set_cap(body.model_dump(), who.actor, "set over the API")
    response.headers["Location"] = f"/api/v1/budgets/{key}"
    return asdict(await Spending(app).cap(key))


@router.delete("/budgets/{key}", status_code=204)
async def delete_budget(who: Approver, app: TheApp, key: Id) -> None:
    """Take a cap that was set here out; the one in soloist.toml counts again. Needs the scope admin."""
    _admin(who)
    await Spending(app).remove(key, who.actor)


@router.post("/budgets/{key}/extensions", status_code=201, response_model=CapRow)
async def post_extension(who: Approver, app: TheApp, key: Id, body: Extension) -> Any:
    """Allow more until the period of a cap is over; needs the scope admin."""
    _admin(who)
    await Spending(app).extend(key, who.actor, body.percent)
    return asdict(await Spending(app).cap(key))


@router.get("/models", response_model=shapes.Page[ModelRow])
async def list_models(_: Reader, app: TheApp) -> Any:
    """The configured models."""
    return {"items": [asdict(line) for line in await Spending(app).models()], "next": None}


@router.get("/models/trials", response_model=shapes.Page[TrialOfModel])
async def list_model_trials(_: Reader, app: TheApp) -> Any:
    """Trials of models on the operator's own cases, the newest first; amounts are millionths of the currency."""
    return {"items": [asdict(line) for line in await Spending(app).trials()], "next": None}


@router.post("/models/{name}/trials", status_code=202, response_model=TrialOfModel)
async def begin_model_trial(who: Approver, app: TheApp, name: Id, body: NewModelTrial) -> Any:
    """Begin a trial, which costs what its questions cost: at most ``worst_micro``. Needs the scope admin."""
    _admin(who)
    return asdict(await Spending(app).attempt(name, body.skill, body.cases, who.actor))


def _admin(who: Any) -> None:
    """Money is widened by the operator, or by a token that may do everything."""
    if not who.may("admin"):
        raise NotAllowed(
            "A cap is changed on the page of the budgets, by soloist budget, or by a token with the scope admin. "
            "Nothing was changed."
        )
