"""Work of agents over the API: hand a piece over, look what it would cost, read what came of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field

from soloist.flows.giving import OPERATORS, Asked
from soloist.kernel.origin import OUTSIDE
from soloist.web.api.asking import Id, Proposer, Reader, TheApp, no_nul
from soloist.web.api.shapes import Json, Page, Taken
from soloist.web.api.strict import StrictRoute, WideRoute
from soloist.web.giving_door import Handing

router = APIRouter(route_class=StrictRoute)
wide = APIRouter(route_class=WideRoute)
Plain = AfterValidator(no_nul)
Word = Annotated[str, Field(max_length=100), Plain]


class NewWork(Taken):
    """A piece of work. Without ``skill`` the role works in its own way; the same ``ref`` is the same work."""

    input: Json = Field(default_factory=dict)
    skill: Word = ""
    wanted: Annotated[str, Field(max_length=500), Plain] = ""
    sla: Literal["", "now", "hour", "day", "morning", "week"] = ""
    lane: Literal["now", "morning"] = "now"
    ref: Word = ""
    written_from: Literal["own", "outside"] = Field(
        default="own", description="outside: the input holds words of others, so what comes of it is asked more"
    )

    given_by: list[Word] = Field(
        default_factory=list,
        max_length=5,
        description="Agents on whose behalf it is asked, the first one first; it is done under what all of them may",
    )
    work: Word = Field(default="", description="With given_by: the handoff that the last of them has in its contract")

    def asked(self, agent: str) -> Asked:
        """The same as it is handed over."""
        origin = OUTSIDE if self.written_from == "outside" else OPERATORS
        given = self.model_dump(exclude={"written_from", "given_by"})
        return Asked(agent=agent, **given, origin=origin, given_by=tuple(self.given_by))


class Estimate(BaseModel):
    """What it is likely to cost: millionths of the currency, tokens, the model "" for none, and a sentence."""

    micro: int = 0
    worst_micro: int = 0
    currency: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    model: str = ""
    said: str = ""


class WorkId(BaseModel):
    """Work that was begun: the run, who does it in which version, the estimate."""

    id: str
    agent: str
    skill: str
    new: bool
    estimate: Estimate


class WorkRow(BaseModel):
    """One piece of work in a list; ``said`` is how it stands, in words."""

    id: str
    agent: str
    skill: str
    at: str
    said: str


class WorkBody(WorkRow):
    """One piece of work whole; ``result`` is {} until it has come."""

    estimate: str
    cost: str
    author: str
    origin: str
    tries: list[str]
    records: list[str]
    card: str
    result: Json


@wide.post(
    "/agents/{name}/work",
    status_code=202,
    response_model=WorkId,
    responses={200: {"model": WorkId, "description": "Given before under this ref; the same run"}},
)
async def post_work(who: Proposer, app: TheApp, name: Id, body: NewWork, response: Response) -> Any:
    """Hand an agent a piece of work; it becomes a durable run."""
    made = await Handing(app).give(body.asked(name), who=who.actor)
    return JSONResponse(made, 202 if made["new"] else 200)


@wide.post("/agents/{name}/estimates", response_model=Estimate)
async def post_estimate(_: Reader, app: TheApp, name: Id, body: NewWork) -> Any:
    """What a piece of work is likely to cost; nothing is begun and nothing is kept."""
    return await Handing(app).look(body.asked(name))


@router.get("/agents/{name}/work", response_model=Page[WorkRow])
async def list_work(_: Reader, app: TheApp, name: Id) -> Any:
    """The newest work that was handed to an agent."""
    page = await Handing(app).page(name)
    return {"items": [asdict(line) for line in page.lines], "next": None}


@router.get("/agents/{name}/work/{run}", response_model=WorkBody)
async def get_work(_: Reader, app: TheApp, name: Id, run: Id) -> Any:
    """One piece of work: how it stands and what came of it."""
    found = await Handing(app).one(name, run)
    told = asdict(found.line) | {"result": dict(found.json), "tries": list(found.tries)}
    return {**asdict(found), **told, "records": list(found.json.get("records") or ())}
