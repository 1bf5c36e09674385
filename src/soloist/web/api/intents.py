"""Intents over the API: what messages want, where each leads, telling what one wants; it tells none itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from soloist.kernel.errors import NotAllowed
from soloist.web.api import shapes
from soloist.web.api.asking import Approver, Kind, Reader, TheApp, no_nul
from soloist.web.api.strict import StrictRoute
from soloist.web.intents_door import Wanted

router = APIRouter(route_class=StrictRoute)
Text = Annotated[str, Field(max_length=200), AfterValidator(no_nul)]
Example = Annotated[str, Field(max_length=2000), AfterValidator(no_nul)]


class IntentRow(BaseModel):
    """One intent: ``lead`` (as in NewIntent) and ``target`` say where it leads to, ``told`` how many."""

    name: str
    title: str
    lead: str
    target: str
    leads_to: str
    examples: list[str]
    told: int
    who: str
    at: str


class NewIntent(BaseModel):
    """An intent as it is to be; examples take the place of those there were."""

    model_config = ConfigDict(extra="forbid")

    title: Text = ""
    lead: Text = Field(description="way, reply, agent, operation or playbook")
    target: Text = Field(
        description="a kind of message, aside or ask; a template; an agent; CONNECTION.OPERATION; a playbook"
    )
    examples: list[Example] = Field(default=[], max_length=200)


class ToldOf(BaseModel):
    """A message that has the intent."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[str, Field(max_length=100), AfterValidator(no_nul)]


@router.get("/intents", response_model=shapes.Page[IntentRow])
async def list_intents(_: Reader, app: TheApp) -> Any:
    """Every intent in use."""
    return {"items": [asdict(line) for line in (await Wanted(app).page()).intents], "next": None}


@router.get("/intents/{name}", response_model=IntentRow)
async def get_intent(_: Reader, app: TheApp, name: Kind) -> Any:
    """One intent."""
    return asdict(await Wanted(app).one(name))


@router.put("/intents/{name}", response_model=IntentRow)
async def put_intent(who: Approver, app: TheApp, name: Kind, body: NewIntent) -> Any:
    """Keep an intent in place of the one of its name; needs the scope admin."""
    if not who.may("admin"):
        raise NotAllowed("Intents are changed with a token of the scope admin.")
    door = Wanted(app)
    await door.keep({"name": name, **body.model_dump()}, who.actor)
    return asdict(await door.one(name))


@router.delete("/intents/{name}", status_code=204)
async def delete_intent(who: Approver, app: TheApp, name: Kind) -> Response:
    """Take an intent out of use; needs the scope admin."""
    if not who.may("admin"):
        raise NotAllowed("Intents are changed with a token of the scope admin.")
    await Wanted(app).end(name, who.actor)
    return Response(status_code=204)


@router.post("/intents/{name}/messages", status_code=201, response_model=IntentRow)
async def tell_intent(who: Approver, app: TheApp, name: Kind, body: ToldOf) -> Any:
    """A message has this intent; it is an example of it from then on."""
    door = Wanted(app)
    await door.tell(body.message, name, who.actor)
    return asdict(await door.one(name))
