"""Agents and skills over the API: contracts, versions, what is in use; a version is published, never changed."""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from soloist.insight import roles, telemetry
from soloist.kernel.errors import BadInput
from soloist.web.api.asking import Approver, Id, Reader, TheApp, no_nul
from soloist.web.api.shapes import Json, Page, Taken
from soloist.web.api.strict import StrictRoute, WideRoute
from soloist.web.registry_door import Registered

router = APIRouter(route_class=StrictRoute)
wide = APIRouter(route_class=WideRoute)
Plain = AfterValidator(no_nul)
Why = Annotated[str, Field(max_length=300), Plain]
Text = Annotated[str, Field(max_length=262_144), Plain]
Texts = Annotated[dict[Annotated[str, Field(max_length=80), Plain], Text], Field(max_length=200)]
Label = Annotated[str, Field(min_length=1, max_length=60), Plain]
Asked = Annotated[str, Query(max_length=60)]


class AgentRow(BaseModel):
    """A versioned role, its state, and how it did in the newest runs; ``edit_share`` of what a person decided.

    ``pieces`` is work within runs of other agents, whose cost is counted here too.
    """

    name: str
    version: str
    kind: str
    summary: str
    tier: int
    state: str
    state_why: str
    pinned: bool
    runs: int
    failed: int
    cost_micro: int
    tokens: int
    last: str
    decided: int
    edit_share: float | None
    skills: list[str]
    operations: list[str]
    grants: int
    owner: str
    p50: float | None
    p95: float | None
    pieces: int


class FiguresRow(BaseModel):
    """How one agent or workflow did in the newest runs; ``p50`` and ``p95`` in seconds from begin to end.

    ``waits`` says that its time is mostly that of a person or of the outside.
    """

    name: str
    runs: int
    failed: int
    failed_share: float | None
    open: int
    p50: float | None
    p95: float | None
    tokens: int
    cost_micro: int
    last: str
    waits: bool


class ShareRow(BaseModel):
    """What an agent, a flow or a client ("by") came to: millionths of this month, seconds and bytes of newest runs."""

    by: str
    name: str
    micro: int
    runs: int
    seconds: float
    kept: int
    title: str


class TelemetryRow(BaseModel):
    """Figures by agent and workflow over ``looked`` newest runs; money of models in millionths, bytes on the disk."""

    agents: list[FiguresRow]
    flows: list[FiguresRow]
    looked: int
    since: str
    currency: str
    inference_micro: int
    inference: dict[str, dict[str, int]]
    orchestration_seconds: float
    storage_bytes: dict[str, int]
    shares: list[ShareRow]


class VersionRow(BaseModel):
    """One published version; ``here`` says that it is in use."""

    version: str
    hash: str
    source: str
    who: str
    why: str
    at: str
    here: bool


class AgentBody(AgentRow):
    """One agent with its contract and versions; ``before`` is the version that was in use before, "" for none."""

    contract: Json
    instructions: str
    before: str
    versions: list[VersionRow]


class NewVersion(Taken):
    """A version of an agent as its texts; the name and the version stand in ``toml``."""

    toml: Text
    instructions: Text
    examples: Texts = Field(default_factory=dict)
    templates: Texts = Field(default_factory=dict)
    why: Why = ""
    use: bool = True
    anyway: Why = Field(default="", description="why it is used although it does worse on what was corrected")


class Published(BaseModel):
    """A version that is kept now."""

    name: str
    version: str
    hash: str


class Use(Taken):
    """Which version is to be used; ``pin`` keeps upgrades from moving it, null leaves that as it is."""

    version: Label
    pin: bool | None = None
    why: Why = ""
    anyway: Why = Field(default="", description="why it is used although it does worse on what was corrected")


class NewState(Taken):
    """Whether it may work."""

    state: Literal["active", "paused"]
    why: Why = ""


class ReleaseRow(BaseModel):
    """What is in use of one agent."""

    name: str
    version: str
    before: str
    pinned: bool
    state: str
    state_why: str
    who: str
    why: str
    at: str


class Change(BaseModel):
    """One part that differs between two versions."""

    part: str
    before: str
    after: str


class SkillRow(BaseModel):
    """A skill, who uses it, and how its examples went when they were run here last (``tested`` "" for never).

    ``replaced_by`` is the package that has its place, as ``name.hash``; "" while the shipped one answers.
    """

    name: str
    version: str
    summary: str
    without: str
    agents: list[str]
    held: int
    failed: int
    tested: str
    owner: str
    last: str
    replaced_by: str


class SkillBody(SkillRow):
    """One skill with its contract."""

    takes_bytes: bool
    tiers: dict[str, str]
    author: str
    examples: list[Json]
    versions: list[VersionRow]


class ExampleRow(BaseModel):
    """How one example went; ``faults`` are sentences."""

    example: str
    ok: bool
    faults: list[str]


class Trial(Taken):
    """An input to try a skill on; ``base64`` is a file for a skill that takes bytes."""

    input: Json = Field(default_factory=dict)
    base64: Annotated[str, Field(max_length=12_000_000), Plain] = ""


class Answer(BaseModel):
    """What a skill answered."""

    answer: Json


def _all(items: list[Any]) -> dict[str, Any]:
    return {"items": items, "next": None}


@router.get("/telemetry", response_model=TelemetryRow)
async def show_telemetry(_: Reader, app: TheApp) -> Any:
    """Latency, failures, tokens and cost by agent and by workflow, and where cost arises."""
    view = await Registered(app).telemetry()
    return {
        "agents": [telemetry.as_row(one) for one in view.agents],
        "flows": [telemetry.as_row(one) for one in view.flows],
        "looked": view.looked,
        "since": view.since,
        "currency": view.split.currency,
        "inference_micro": view.split.total_micro,
        "inference": {scope: dict(rows) for scope, rows in view.split.inference.items()},
        "orchestration_seconds": view.split.seconds,
        "storage_bytes": dict(view.split.stored),
        "shares": [asdict(one) for one in view.split.shares],
    }


@router.get("/agents", response_model=Page[AgentRow])
async def list_agents(_: Reader, app: TheApp) -> Any:
    """Every agent with the version in use, its state and its figures."""
    return _all([asdict(line) for line in (await Registered(app).agents()).lines])


@router.get("/agents/{name}", response_model=AgentBody)
async def get_agent(_: Reader, app: TheApp, name: Id) -> Any:
    """One agent: contract, instructions, versions."""
    view = await Registered(app).agent(name)
    spec = app.desk.runtime.roster.get(name).model_dump(mode="json")
    told = {"contract": spec, "instructions": view.instructions, "before": view.before}
    return {**asdict(view.line), **told, "versions": [asdict(v) for v in view.versions]}


@router.get("/agents/{name}/compare", response_model=Page[Change])
async def compare_agent(_: Reader, app: TheApp, name: Id, old: Asked, new: Asked) -> Any:
    """What differs between two versions of an agent."""
    return _changes(await Registered(app).compare("agent", name, old, new))


@wide.post("/agents/{name}/versions", status_code=201, response_model=Published)
async def post_agent_version(who: Approver, app: TheApp, name: Id, body: NewVersion, response: Response) -> Any:
    """Publish a version and, unless ``use`` is false, use it; 409 when the version exists with another content."""
    content = body.model_dump(exclude={"why", "use", "anyway"})
    said: dict[str, Any] = {"who": who.actor, "why": body.why, "anyway": body.anyway}
    found = await Registered(app).publishing.publish(content, use=body.use, name=name, **said)
    response.headers["Location"] = f"/api/v1/agents/{name}"
    return found


@router.post("/agents/{name}/use", response_model=ReleaseRow)
async def use_agent_version(who: Approver, app: TheApp, name: Id, body: Use) -> Any:
    """Put a published version in use, pinned or not."""
    said: dict[str, Any] = {"who": who.actor, "why": body.why, "anyway": body.anyway}
    return await Registered(app).publishing.use(name, body.version, pin=body.pin, **said)


@router.post("/agents/{name}/back", response_model=ReleaseRow)
async def back_agent_version(who: Approver, app: TheApp, name: Id) -> Any:
    """Go back to the version that was in use before, and pin it; 409 when there was none."""
    return await Registered(app).publishing.back(name, who=who.actor)


@router.post("/agents/{name}/state", response_model=ReleaseRow)
async def switch_agent(who: Approver, app: TheApp, name: Id, body: NewState) -> Any:
    """Let an agent work, or pause it; new runs of its flows wait meanwhile."""
    return await Registered(app).publishing.switch(name, body.state, who=who.actor, why=body.why)


@router.get("/skills", response_model=Page[SkillRow])
async def list_skills(_: Reader, app: TheApp) -> Any:
    """Every skill that is loaded."""
    return _all([asdict(line) for line in await Registered(app).skills()])


@router.get("/skills/{name}", response_model=SkillBody)
async def get_skill(_: Reader, app: TheApp, name: Id) -> Any:
    """One skill with its contract and examples."""
    view = await Registered(app).skill(name)
    told = {"takes_bytes": view.takes_bytes, "tiers": view.tiers, "author": view.author, "examples": view.examples}
    return {**asdict(view.line), **told, "versions": [asdict(v) for v in view.versions]}


@router.post("/skills/{name}/test", response_model=Page[ExampleRow])
async def post_skill_test(_: Approver, app: TheApp, name: Id) -> Any:
    """Run the examples of a skill in the limited process."""
    results = await Registered(app).test(name)
    return _all([{"example": r.example, "ok": r.ok, "faults": list(r.faults)} for r in results])


@wide.post("/skills/{name}/try", response_model=Answer)
async def post_skill_try(_: Reader, app: TheApp, name: Id, body: Trial) -> Any:
    """Run a skill on an input of your own in the limited process; nothing is kept."""
    try:
        blob = base64.b64decode(body.base64, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadInput(f"base64: this is no base64: {error}", field="base64") from error
    return {"answer": await Registered(app).try_skill(name, body.input, blob)}


def _changes(found: roles.Comparison) -> dict[str, Any]:
    return _all([{"part": field.label, "before": field.before, "after": field.after} for field in found.fields])
