"""Memory over the API: items are kept, looked for, and every answer can be looked up and given again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field, StrictInt

from soloist.flows.embedding import Embedding
from soloist.kernel.access import Principal
from soloist.kernel.errors import BadInput
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import Search, writing
from soloist.web.api.asking import Approver, Id, Proposer, Reader, TheDesk, no_nul
from soloist.web.api.shapes import Json, Taken
from soloist.web.api.strict import StrictRoute, WideRoute

router = APIRouter(route_class=StrictRoute)
many = APIRouter(route_class=WideRoute)

Tier = Literal["ephemeral", "working", "session", "canonical"]
Plain = AfterValidator(no_nul)
Short = Annotated[str, Field(max_length=300), Plain]
Instant = Annotated[str, Field(max_length=40, description="ISO 8601; without a zone it is UTC")]
Several = Annotated[list[Short] | None, Query(max_length=50, description="any of these")]


class NewItem(Taken):
    """One item: what it says, where it belongs, where it is from. ``ref`` is your own name for what it stands for."""

    text: Annotated[str, Plain]
    scope: Annotated[str, Field(max_length=200), Plain] = ""
    tier: Tier = "session"
    source: Annotated[str, Field(max_length=200), Plain] = ""
    ref: Annotated[str, Field(max_length=500), Plain] = ""
    at: Instant = Field(default="", description="when it happened; ISO 8601, UTC without a zone")
    actor: Short = Field(default="", description="who said or did it")
    thread: Short = ""
    ordinal: Annotated[StrictInt, Field(ge=0, le=2**31 - 2, description="place in its thread")] = 0
    kind: Annotated[str, Field(max_length=100), Plain] = "note"
    record: Annotated[str, Field(max_length=100), Plain] = ""
    tags: list[Short] = Field(default=[], max_length=50)
    expires: Instant = Field(default="", description="when it is let go; the tier's own time when left out")


class NewItems(NewItem):
    """One item by its fields, or many as ``items``."""

    text: Annotated[str, Plain] = ""
    items: list[NewItem] | None = Field(default=None, max_length=10_000, description="instead of the fields of one")


class Ids(BaseModel):
    """The ids of the items, in order."""

    ids: list[str]


class Hit(BaseModel):
    """One item that fits, best first. ``score`` and its ``parts`` are millionths; ``entity`` says whether its writer is
    whom the question names (null when it names nobody who wrote anything); ``held`` and ``missing`` are words of the
    question; ``overtaken_by`` is a newer item that corrects it; ``version`` changes when the item is redacted."""

    id: str
    ref: str
    text: str
    score: int
    parts: dict[str, int]
    tier: str
    trust: str
    version: str
    kind: str
    scope: str
    source: str
    at: str
    actor: str
    thread: str
    record: str
    entity: bool | None
    held: list[str]
    missing: list[str]
    overtaken_by: str
    live: bool


class Answer(BaseModel):
    """What was found. ``mode`` says whether meaning counted, ``behind`` how many items wait for a vector, ``known``
    is false when the answer is probably not remembered; ``notes`` say all that in sentences."""

    retrieval: str
    items: list[Hit]
    mode: Literal["words and meaning", "words only"]
    behind: int
    known: bool
    notes: list[str]
    rows: int
    seq: int


class Item(BaseModel):
    """One item as it is kept; ``ended`` names the event that ended it."""

    id: str
    tier: str
    scope: str
    kind: str
    text: str
    hash: str
    source: str
    ref: str
    at: str
    actor: str
    thread: str
    ordinal: int
    record: str
    asset: str
    origin: list[str] | None
    trust: str
    importance: int
    pinned: int
    tags: list[str] | None
    detail: Json | None
    run: str
    created: str
    event: str
    ended: str
    ended_why: str
    expires: str
    superseded_by: str
    version: str


class Watermark(BaseModel):
    """How far the vectors are: items without one (``left`` of the generation that is being built)."""

    behind: int
    model: str
    building: str
    left: int
    newest: int


class Generation(BaseModel):
    """Vectors of one model by one rule; ``behind`` counts the items that have none of it yet."""

    id: str
    name: str
    sha256: str
    tokenizer: str
    rule: str
    size: int
    state: Literal["building", "active", "retired"]
    created: str
    behind: int = 0


class Generations(BaseModel):
    """Every generation, oldest first."""

    items: list[Generation]


class NewGeneration(Taken):
    """What is embedded: who said it and what, or what alone."""

    rule: Literal["speaker: text", "text"] = "speaker: text"


class LoggedHit(BaseModel):
    """A hit as the log keeps it."""

    n: int
    id: str
    version: str
    score: int
    parts: dict[str, int]
    entity: bool | None


class Logged(BaseModel):
    """One row of the log: the question, everything the answer depended on, the answer, and where it was used."""

    id: str
    run: str
    step: str
    actor: str
    query: str
    model: str
    scope: str
    parameters: Json
    parameters_hash: str
    seq: int
    newest: int
    behind: int
    at: str
    k: int
    hits: list[LoggedHit]
    hits_hash: str
    detail: Json
    created: str
    used: list[Json]


class Replayed(BaseModel):
    """Whether the same question finds the same again, and how that was found out."""

    retrieval: str
    identical: bool
    how: Literal["recomputed", "stored parts"]
    why: str
    expected: str
    found: str


class Question(Taken):
    """What to look for; as the parameters of GET /memories/search."""

    q: Annotated[str, Plain]
    k: Annotated[StrictInt, Field(ge=1, le=1000)] = 10
    scope: list[Short] = Field(default=[], max_length=50)
    tier: list[Short] = Field(default=[], max_length=50)
    kind: list[Short] = Field(default=[], max_length=50)
    record: list[Short] = Field(default=[], max_length=50)
    thread: list[Short] = Field(default=[], max_length=50)
    as_of: str = ""
    at: str = ""
    meaning: bool = True


@many.post("/memories", status_code=201, response_model=Ids)
async def post_memories(who: Proposer, desk: TheDesk, body: NewItems) -> Any:
    """Remember one item or many; answered after the commit. They are found by words at once."""
    if body.items is not None and body.model_fields_set != {"items"}:
        raise BadInput("items: send the fields of one item, or items, not both.", field="items")
    given = body.items if body.items is not None else [body]
    items = [_new(item, who, f"items[{n}]." if body.items is not None else "") for n, item in enumerate(given)]
    for item in items:
        writing.check_tier(item, "operator" if who.may("approve") else "agent")
    return {"ids": await desk.memory.remember(items, actor=who.actor)}


def _new(given: NewItem, who: Principal, where: str) -> NewMemory:
    """As it is kept: what a program says is unverified, what the operator says is confirmed."""
    mine = who.actor == "operator"
    return NewMemory(
        text=given.text,
        tier=given.tier,
        scope=given.scope,
        kind=given.kind,
        source=given.source or who.actor,
        ref=given.ref,
        at=_instant(given.at, f"{where}at"),
        actor=given.actor,
        thread=given.thread,
        ordinal=given.ordinal,
        record=given.record,
        origin=("operator",) if mine else (f"outside:{who.actor}",),
        trust="confirmed" if mine else "unverified",
        tags=given.tags,
        expires=_instant(given.expires, f"{where}expires"),
    )


def _instant(text: str, field: str) -> str:
    """In UTC as the store writes it (BadInput)."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (ValueError, OverflowError):
        said = f"{field}: {text[:40]!r} is no instant; send one like 2026-11-21T09:00:00Z."
        raise BadInput(said, field=field) from None


@router.get("/memories/search", response_model=Answer)
async def search_memories(
    who: Reader,
    desk: TheDesk,
    *,
    q: str,
    k: Annotated[int, Query(ge=1, le=1000, description="how many at the most")] = 10,
    scope: Several = None,
    tier: Several = None,
    kind: Several = None,
    record: Several = None,
    thread: Several = None,
    as_of: Annotated[str, Query(max_length=40, description="a sequence of the journal or an instant")] = "",
    at: Annotated[str, Query(max_length=40, description="the asker's now")] = "",
    meaning: bool = True,
) -> Any:
    """Look something up: by words, by meaning, by who said it, when, and what stands beside it. Every answer is kept.

    ``as_of`` asks what would have been answered then; ``at`` is the asker's now, by which items expire.
    """
    lists = {"scope": scope or [], "tier": tier or [], "kind": kind or [], "record": record or []}
    asked = Question(q=q, k=k, **lists, thread=thread or [], as_of=as_of, at=at, meaning=meaning)
    return await _answer(who, desk, asked)


@router.post("/retrievals", status_code=201, response_model=Answer)
async def post_retrieval(who: Reader, desk: TheDesk, body: Question) -> Any:
    """The same as GET /memories/search for questions that are long."""
    return await _answer(who, desk, body)


async def _answer(who: Principal, desk: TheDesk, asked: Question) -> dict[str, Any]:
    """Ask, and answer in the words of the API."""
    search = Search(
        query=asked.q,
        k=asked.k,
        scopes=tuple(asked.scope),
        tiers=tuple(asked.tier),
        kinds=tuple(asked.kind),
        records=tuple(asked.record),
        threads=tuple(asked.thread),
        as_of=asked.as_of,
        at=_instant(asked.at, "at"),
        meaning=asked.meaning,
        actor=who.actor,
    )
    found = asdict(await desk.memory.search(search))
    return {"retrieval": found.pop("id"), **found}


@router.get("/memories/watermark", response_model=Watermark)
async def get_watermark(_: Reader, desk: TheDesk) -> Any:
    """How many items wait for their vector; until then they are found by words."""
    return await desk.memory.watermark()


@router.get("/memories/generations", response_model=Generations)
async def list_generations(_: Reader, desk: TheDesk) -> Any:
    """The generations of vectors, and how far the one that is being built has come."""
    return {"items": await Embedding(desk.store, desk.memory).generations()}


@router.post("/memories/generations", status_code=201, response_model=Generation)
async def post_generation(who: Approver, desk: TheDesk, body: NewGeneration) -> Any:
    """Begin vectors of the installed model beside those in use; they take over by themselves when all are there."""
    return await Embedding(desk.store, desk.memory).begin(body.rule, actor=who.actor)


@router.delete("/memories/generations/{ident}", status_code=204)
async def delete_generation(who: Approver, desk: TheDesk, ident: Id) -> None:
    """Give up a generation that is being built."""
    await Embedding(desk.store, desk.memory).give_up(ident, actor=who.actor)


@router.get("/memories/{ident}", response_model=Item)
async def get_memory(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One item, ended or not."""
    return await desk.memory.get(ident)


@router.get("/retrievals/{ident}", response_model=Logged)
async def get_retrieval(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One answer as it was logged."""
    return await desk.memory.retrieval(ident)


@router.post("/retrievals/{ident}/replays", status_code=201, response_model=Replayed)
async def post_replay(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """Find the same again, from the stored vector, parameters and sequence, and compare."""
    return await desk.memory.replay(ident)


router.include_router(many)
