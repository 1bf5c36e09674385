"""Work given in plain words over the API: a sentence of a conversation, what is understood, the word to begin it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field

from soloist.app import App
from soloist.flows.talking import Talking, Turn, unclear
from soloist.insight import talking
from soloist.web.api import shapes
from soloist.web.api.asking import Id, Limit, Proposer, Reader, TheApp, no_nul, read
from soloist.web.api.giving import WorkId
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
Plain = AfterValidator(no_nul)
Word = Annotated[str, Field(max_length=200), Plain]


class Sentence(shapes.Taken):
    """One plain sentence of at most 600 letters; a text of somebody else goes below an empty line and is data."""

    said: Annotated[str, Field(min_length=2, max_length=302_000), Plain]


class Begin(shapes.Taken):
    """The word to begin: "" for the way that was understood, else another; ``picked`` are ids of records by field."""

    way: Word = ""
    picked: dict[Word, list[Word]] = Field(default_factory=dict, max_length=20)
    lane: Literal["now", "morning"] = "now"


class TalkRow(BaseModel):
    """A conversation in a list: how it began."""

    id: str
    subject: str
    at: str


class Meant(BaseModel):
    """One sentence. ``way`` is "" while it is not clear; ``choices`` are the likeliest ways with their labels;
    ``unclear`` is by field what may be meant; ``asks`` what is missing before it can begin; ``work`` the run, once it
    was given: its outcome is at /agents/{agent}/work/{work}."""

    id: str
    said: str
    at: str
    way: str
    agent: str
    label: str
    input: shapes.Json
    due: str
    outside: bool
    choices: dict[str, str]
    unclear: dict[str, dict[str, str]]
    asks: str
    estimate: str
    work: str


class Talk(BaseModel):
    """A conversation, oldest sentence first."""

    id: str
    messages: list[Meant]


@router.get("/conversations", response_model=shapes.Page[TalkRow])
async def list_conversations(_: Reader, app: TheApp, limit: Limit = 50) -> Any:
    """The newest conversations in which work was given."""
    rows = await read(app.desk, lambda conn: list(talking.listed(conn)))
    return {"items": [row.__dict__ for row in rows[:limit]], "next": None}


@router.get("/conversations/{ident}", response_model=Talk)
async def get_conversation(_: Reader, app: TheApp, ident: Id) -> Any:
    """One conversation."""
    return await _whole(app, ident)


@router.post("/conversations", status_code=201, response_model=Talk)
async def post_conversation(who: Proposer, app: TheApp, body: Sentence, response: Response) -> Any:
    """Say what is to be done; it is read and shown, and nothing begins."""
    doing = Talking(app.desk)
    ident = await doing.conversation(await doing.say(body.said, who=who.actor))
    response.headers["Location"] = f"/api/v1/conversations/{ident}"
    return await _whole(app, ident)


@router.post("/conversations/{ident}/messages", status_code=201, response_model=Talk)
async def post_conversation_message(who: Proposer, app: TheApp, ident: Id, body: Sentence) -> Any:
    """Say the next sentence, about what came before or about something else."""
    await Talking(app.desk).say(body.said, who=who.actor, conversation=ident)
    return await _whole(app, ident)


@router.put(
    "/conversations/{ident}/messages/{message}/work",
    status_code=202,
    response_model=WorkId,
    responses={200: {"model": WorkId, "description": "Begun before; the same run"}},
)
async def put_conversation_work(who: Proposer, app: TheApp, ident: Id, message: Id, body: Begin) -> Any:
    """Begin what was understood, or what is chosen instead; the same word again is the same work."""
    doing = Talking(app.desk)
    await doing.within(ident, message)
    chosen: dict[str, Any] = {"way": body.way, "picked": body.picked, "by_morning": body.lane == "morning"}
    made = await doing.give(message, who=who.actor, **chosen)
    return JSONResponse(made, 202 if made["new"] else 200)


async def _whole(app: App, ident: str) -> dict[str, Any]:
    return {"id": ident, "messages": [_row(turn) for turn in await Talking(app.desk).turns(ident)]}


def _row(turn: Turn) -> dict[str, Any]:
    meant = turn.meant
    return {
        "id": turn.id,
        "said": turn.said,
        "at": turn.at,
        "way": meant.way,
        "agent": meant.agent,
        "label": meant.label,
        "input": dict(meant.input),
        "due": meant.due,
        "outside": meant.outside,
        "choices": dict(turn.choices),
        "unclear": {name: {one.id: one.label for one in found} for name, found in meant.unclear.items()},
        "asks": "" if turn.run or meant.ready else unclear(turn),
        "estimate": turn.estimate,
        "work": turn.run,
    }
