"""Confidence over the API: figures of what may go alone, samples and the word on them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from soloist.web.api import shapes
from soloist.web.api.asking import Approver, Id, Reader, TheApp, no_nul
from soloist.web.api.strict import StrictRoute
from soloist.web.confidence_door import Proved

router = APIRouter(route_class=StrictRoute)


class ThresholdRow(BaseModel):
    """One skill in one language and group; ``bound`` and ``value`` in percent, ``more`` right decisions are missing."""

    skill: str
    language: str
    group: str
    title: str
    state: str
    state_said: str
    said: str
    told: int
    alone: int
    labels: int
    right: int
    bound: float
    value: float
    more: int
    target: float
    sampled: int
    sampled_right: int
    at: str


class SampleRow(BaseModel):
    """One thing that went alone and waits for a look; ``choices`` are pairs of what can be said and its words."""

    id: str
    object: str
    skill: str
    told: str
    language: str
    title: str
    sender: str
    text: str
    at: str
    choices: list[tuple[str, str]]


class Said(BaseModel):
    """The word on a sample: right, wrong, or what a message is."""

    model_config = ConfigDict(extra="forbid")

    said: Annotated[str, Field(max_length=60), AfterValidator(no_nul)]


class Judged(BaseModel):
    """How it was counted."""

    id: str
    outcome: str


@router.get("/thresholds", response_model=shapes.Page[ThresholdRow])
async def list_thresholds(_: Reader, app: TheApp) -> Any:
    """What each skill may do alone, by language and group."""
    return {"items": [asdict(line) for line in (await Proved(app).page()).lines], "next": None}


@router.get("/samples", response_model=shapes.Page[SampleRow])
async def list_samples(_: Reader, app: TheApp) -> Any:
    """What went alone and waits for a look."""
    return {"items": [asdict(one) for one in (await Proved(app).page()).samples], "next": None}


@router.post("/samples/{sample}/judgement", response_model=Judged)
async def judge_sample(who: Approver, app: TheApp, sample: Id, body: Said) -> Any:
    """The word on one of them; a message that is an enquiry after all is answered then."""
    return await Proved(app).judge(sample, body.said, who.actor)
