"""Playbooks over the API: what is kept, what became of each version, beginning one, a plan as it stands."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field

from soloist.insight.playbooks import BookLine, Figures
from soloist.web.api.asking import Id, Kind, Proposer, Reader, TheApp, no_nul
from soloist.web.api.shapes import Json, Page, Taken
from soloist.web.api.strict import StrictRoute
from soloist.web.playbooks_door import Books

router = APIRouter(route_class=StrictRoute)
Plain = AfterValidator(no_nul)


class PlaybookFigures(BaseModel):
    """What became of plans: ``well`` without help, ``helped``, ``ended`` by the operator; cost in millionths."""

    version: str
    runs: int
    open: int
    well: int
    helped: int
    ended: int
    micro: int
    tokens: int
    decided: int
    edited: int
    said: str


class PlaybookRow(BaseModel):
    """One playbook in the version in use; ``intents`` lead to it."""

    name: str
    version: str
    title: str
    summary: str
    starts: str
    intents: list[str]
    published: bool
    figures: PlaybookFigures


class PlaybookVersion(BaseModel):
    """One published version, which is never changed, with what became of its plans."""

    version: str
    hash: str
    at: str
    source: str
    who: str
    why: str
    here: bool
    figures: PlaybookFigures


class PlanTaskRow(BaseModel):
    """One task: who does it, after which others, how it stands ("" in a playbook)."""

    id: str
    title: str
    who: str
    after: list[str]
    takes: list[str]
    when: str
    said: str
    why: str


class PlaybookBody(PlaybookRow):
    """One playbook whole; ``change`` says what became better or worse with the version in use."""

    tasks: list[PlanTaskRow]
    versions: list[PlaybookVersion]
    change: str
    pinned: bool
    before: str
    text: str


class NewPlan(Taken):
    """What a plan begins with; the same ``ref`` is the same plan."""

    values: Json = Field(default_factory=dict)
    ref: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9._-]*$"), Plain] = ""
    written_from: Literal["own", "outside"] = Field(
        default="own", description="outside: the values hold words of others, so what comes of them is asked more"
    )


class PlanId(BaseModel):
    """A plan that was begun."""

    id: str
    playbook: str
    new: bool


class PlanBody(BaseModel):
    """One plan as it stands."""

    id: str
    playbook: str
    at: str
    said: str
    origin: str
    tasks: list[PlanTaskRow]


@router.get("/playbooks", response_model=Page[PlaybookRow])
async def list_playbooks(_: Reader, app: TheApp) -> Any:
    """Every playbook that can be begun."""
    return {"items": [_row(one) for one in (await Books(app).page()).books], "next": None}


@router.get("/playbooks/{name}", response_model=PlaybookBody)
async def get_playbook(_: Reader, app: TheApp, name: Kind) -> Any:
    """One playbook with its tasks and versions."""
    found = await Books(app).one(name)
    versions = [{**asdict(one), "figures": _figures(one.figures)} for one in found.versions]
    return {**asdict(found), **_row(found.line), "versions": versions}


@router.post(
    "/playbooks/{name}/runs",
    status_code=202,
    response_model=PlanId,
    responses={200: {"model": PlanId, "description": "Begun before under this ref; the same plan"}},
)
async def post_plan(who: Proposer, app: TheApp, name: Kind, body: NewPlan) -> Any:
    """Begin the plan of a playbook."""
    outside = body.written_from == "outside"
    made = await Books(app).run(name, body.values, who=who.actor, ref=body.ref, outside=outside)
    return JSONResponse(made, 202 if made["new"] else 200)


@router.get("/plans/{plan}", response_model=PlanBody)
async def get_plan(_: Reader, app: TheApp, plan: Id) -> Any:
    """One plan: how each of its tasks stands."""
    found = await Books(app).plan(plan)
    return {**asdict(found), **asdict(found.line)}


def _figures(one: Figures) -> dict[str, Any]:
    return {**asdict(one), "said": one.said}


def _row(line: BookLine) -> dict[str, Any]:
    return {**asdict(line), "figures": _figures(line.figures)}
