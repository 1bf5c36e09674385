"""Corrections and trials over the API: what was corrected and learnt, and kept cases done again; without effects."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from soloist.flows.replaying import Asked
from soloist.kernel.errors import BadInput
from soloist.web.api import shapes
from soloist.web.api.asking import Approver, Id, Reader, TheApp, no_nul
from soloist.web.api.strict import StrictRoute
from soloist.web.learning_door import Learning

router = APIRouter(route_class=StrictRoute)
Short = Annotated[str, Field(max_length=300), AfterValidator(no_nul)]
After = Annotated[str, Query(max_length=80, description="the cursor of the last page"), AfterValidator(no_nul)]


class CorrectionRow(BaseModel):
    """One correction; ``far`` is the edit distance in percent of the text."""

    id: str
    kind: str
    at: str
    object: str
    run: str
    agent: str
    skill: str
    sort: str
    language: str
    reason: str
    far: float
    led_to: str


class PeriodRow(BaseModel):
    """Drafts of a month: ``mean`` is the mean edit distance in percent."""

    month: str
    drafts: int
    as_is: int
    mean: float


class FigureRow(BaseModel):
    """Whether drafts of like cases need less."""

    sort: str
    language: str
    said: str
    periods: list[PeriodRow]


class WordingRow(BaseModel):
    """A line in place of another: offered (``id`` "") or in use."""

    id: str
    skill: str
    language: str
    sort: str
    old: str
    new: str
    cases: int
    state: Literal["offered", "in_use"]


class Said(shapes.Taken):
    """Yes or no to an offered wording; the fields are those of the offer."""

    skill: Short
    language: Short
    old: Short
    new: Short
    yes: bool = True


class NewTrial(shapes.Taken):
    """What is tried: an agent in a version, a skill as installed, a model's recordings, a policy.toml, or runs."""

    kind: Literal["agent", "skill", "model", "policy", "run"]
    name: Short = Field(default="", description="of the agent, skill or model, or the id of one run")
    version: Short = Field(default="", description="of the agent; empty for the one in use")
    text: Annotated[str, Field(max_length=100_000), AfterValidator(no_nul)] = Field(
        default="", description="the text of a policy.toml"
    )
    since: Short = Field(default="", description="an ISO instant: nothing that is older")
    corrected: bool = Field(default=False, description="only what was corrected")
    most: int = Field(default=2000, ge=1, le=2000)


class TrialShape(BaseModel):
    """One trial; ``totals`` counts same, better, worse, differs, cannot and unexplained."""

    id: str
    kind: str
    name: str
    candidate: str
    state: str
    started: str
    ended: str
    who: str
    said: str
    totals: dict[str, Any]


class TrialRowShape(BaseModel):
    """One case: ``before`` and ``after`` in percent of the text to change, null when nobody said what was wanted."""

    n: int
    object: str
    outcome: str
    before: float | None
    after: float | None
    cannot: str
    why: list[str]
    unexplained: list[str]
    text_before: str
    text_after: str


@router.get("/corrections", response_model=shapes.Page[CorrectionRow])
async def list_corrections(_: Reader, app: TheApp, after: After = "") -> Any:
    """Corrections, the newest first."""
    view = await Learning(app).page(after)
    return {"items": [asdict(line) for line in view.lines], "next": view.lines[-1].id if view.next else None}


@router.get("/corrections/figures", response_model=shapes.Page[FigureRow])
async def list_correction_figures(_: Reader, app: TheApp) -> Any:
    """How much of a draft is changed, by kind of message, language and month."""
    return {"items": [asdict(figure) for figure in (await Learning(app).page()).figures], "next": None}


@router.delete("/corrections/{ident}", status_code=204)
async def drop_correction(who: Approver, app: TheApp, ident: Id) -> None:
    """A correction was a slip: it is neither example nor test any more."""
    await Learning(app).drop(ident, who.actor)


@router.get("/wordings", response_model=shapes.Page[WordingRow])
async def list_wordings(_: Reader, app: TheApp) -> Any:
    """Wordings that are offered, and those in use."""
    view = await Learning(app).page()
    items = [{**asdict(one), "id": "", "state": "offered"} for one in view.offers]
    return {"items": [*items, *({**one, "state": "in_use"} for one in view.wordings)], "next": None}


@router.post("/wordings", status_code=201, response_model=dict[str, str])
async def say_wording(who: Approver, app: TheApp, body: Said) -> Any:
    """Yes or no to an offered wording; 404 when it is not offered."""
    given = body.model_dump(exclude={"yes"})
    return {"id": await Learning(app).say(given, body.yes, who.actor)}


@router.delete("/wordings/{ident}", status_code=204)
async def end_wording(who: Approver, app: TheApp, ident: Id) -> None:
    """Use a wording no more."""
    await Learning(app).end_wording(ident, who.actor)


@router.get("/replays", response_model=shapes.Page[TrialShape])
async def list_replays(_: Reader, app: TheApp, after: After = "") -> Any:
    """Trials, the newest first."""
    lines = await Learning(app).trials(after)
    return {"items": [asdict(line) for line in lines], "next": lines[-1].id if len(lines) == 30 else None}


@router.post("/replays", status_code=202, response_model=TrialShape)
async def begin_replay(who: Approver, app: TheApp, body: NewTrial, response: Response) -> Any:
    """Begin a trial; nothing is sent or changed by it, and no model is asked."""
    learning = Learning(app)
    ident = await learning.begin(Asked(**body.model_dump()), who.actor)
    response.headers["Location"] = f"/api/v1/replays/{ident}"
    return asdict(await learning.line(ident))


@router.get("/replays/{ident}", response_model=TrialShape)
async def get_replay(_: Reader, app: TheApp, ident: Id) -> Any:
    """One trial."""
    return asdict(await Learning(app).line(ident))


@router.get("/replays/{ident}/rows", response_model=shapes.Page[TrialRowShape])
async def list_replay_rows(_: Reader, app: TheApp, ident: Id, after: After = "", outcome: After = "") -> Any:
    """How each case came out."""
    if after and not after.isdigit():
        raise BadInput("after: the cursor of the last page.", field="after")
    view = await Learning(app).trial(ident, outcome, int(after or -1))
    items = [
        {
            **{name: getattr(row, name) for name in ("n", "object", "outcome", "before", "after", "cannot")},
            "why": list(row.why),
            "unexplained": list(row.unexplained),
            "text_before": row.field.before if row.field else "",
            "text_after": row.field.after if row.field else "",
        }
        for row in view.rows
    ]
    return {"items": items, "next": str(view.rows[-1].n) if view.next else None}


@router.delete("/replays/{ident}", status_code=204)
async def stop_replay(who: Approver, app: TheApp, ident: Id) -> None:
    """Stop a trial; what was tried stays."""
    await Learning(app).cancel(ident, who.actor)
