"""Researching: a question answered from memory, or a long text told, in sentences that stand there word for word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from soloist.engine.store import memories
from soloist.flows.again import came_of, resized
from soloist.flows.desk import Desk
from soloist.flows.giving import Done, Way, use
from soloist.insight.words import not_given
from soloist.kernel import origin as origins
from soloist.kernel.errors import BadInput
from soloist.kernel.origin import Origin
from soloist.kernel.work import WorkItem
from soloist.sdk.flow import Verbs
from soloist.stages.memory import Search

SLICES = 12
"""Items of memory that a question rests on at the most."""
LONG = 4000
"""Characters from which a text is split where its subject changes."""
BREAK = "\n\n"
SENTENCES = 4
"""Sentences of an answer, unless it is wanted shorter or longer than before."""


@dataclass(frozen=True)
class Slice:
    """One piece of what is known, and where it begins in the text that the skills read."""

    id: str
    ref: str
    text: str
    start: int

    def told(self) -> dict[str, Any]:
        """As JSON, with its first words."""
        return {"id": self.id, "ref": self.ref, "text": self.text[:300], "start": self.start}


async def research(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """The researcher's way: {question, about?} or {text}; with {earlier, size} from the same places once more."""
    before = await desk.store.read(lambda conn: _before(conn, item))
    if str(item.input.get("text", "")).strip():
        text = str(item.input["text"])
        return await _told(desk, do, item, [Slice("", "given", text, 0)], {}, most=before.most)
    question = str(item.input.get("question", "")).strip()
    if not question:
        raise BadInput("input: ask a question, or give a text. Nothing was begun.", field="input")
    reads = desk.runtime.roster.working(item.agent).reads
    found = await do.step("look up", _looking(desk, question, str(item.input.get("about") or item.client), reads))
    same = [ident for ident in found["ids"] if before.question == question and ident in before.ids]
    slices = await desk.store.read(lambda conn: _slices(conn, same or found["ids"]))
    asked = {name: found[name] for name in ("retrieval", "known", "withheld") if name in found}
    asked["question"] = question
    if not slices:
        empty: dict[str, Any] = {**asked, "summary": [], "points": [], "topics": [], "slices": []}
        kept_back = not_given(found.get("withheld") or {})
        return Done(" ".join(["Nothing that is remembered speaks of it.", *kept_back]), empty)
    return await _told(desk, do, item, slices, asked, most=before.most)


@dataclass(frozen=True)
class Before:
    """What an answer before this one rested on, and how many sentences this one may have."""

    most: int = SENTENCES
    question: str = ""
    ids: tuple[str, ...] = ()


def _before(conn: Any, item: WorkItem) -> Before:
    """The answer that is to be given once more, another way (NotFound, BadInput)."""
    earlier = str(item.input.get("earlier") or "")
    if not earlier:
        return Before()
    given, came = came_of(conn, earlier, item.agent)
    value = came.get("value") or {}
    most = resized(len(value.get("summary") or ()) or SENTENCES, item.input.get("size"))
    ids = tuple(str(one["id"]) for one in value.get("slices") or ())
    return Before(most, str(given.input.get("question", "")).strip(), ids)


def _looking(desk: Desk, question: str, about: str, reads: tuple[str, ...]) -> Any:
    """The step that looks the question up as far as the role reads; it is logged and can be asked again exactly."""

    async def step(run: str) -> dict[str, Any]:
        whose = (about,) if about else ()
        search = Search(question, SLICES, records=whose, actor="researcher", run=run, step="look up", reads=reads)
        found = await desk.memory.search(search)
        withheld = {place: len(refs) for place, refs in found.withheld.items()}
        ids = [hit["id"] for hit in found.items]
        return {"retrieval": found.id, "ids": ids, "known": found.known, "withheld": withheld}

    return step


def _slices(conn: Any, idents: Sequence[str]) -> list[Slice]:
    """The items in their order, laid one after the other."""
    made, place = [], 0
    for ident in idents:
        row = memories.get(conn, ident)
        text = str(row["text"]).strip()
        if text:
            made.append(Slice(ident, str(row["ref"]), text, place))
            place += len(text) + len(BREAK)
    return made


async def _told(
    desk: Desk, do: Verbs, item: WorkItem, slices: Sequence[Slice], asked: Mapping[str, Any], *, most: int
) -> Done:
    """Summary, key points and topics of the slices, each with the slice it stands in."""
    text = BREAK.join(one.text for one in slices)
    if asked:
        item = _tainted(item, slices)
    summary = await use(desk, do, item, "summary", {"text": text, "most": most})
    points = await use(desk, do, item, "key_points", {"text": text, "most": most + most // 2})
    topics = await use(desk, do, item, "topics", {"text": text, "most": 5})
    parts = [summary, points, topics]
    value: dict[str, Any] = {
        **asked,
        "summary": [_cited(slices, one) for one in summary.value["sentences"]],
        "points": [_cited(slices, one["words"]) for one in points.value["points"]],
        "topics": [[word["text"] for word in one["words"]] for one in topics.value["topics"]],
        "slices": [one.told() for one in slices if one.id],
    }
    if len(text) > LONG and len(slices) == 1:
        split = await use(desk, do, item, "segment", {"text": text, "most": 12})
        parts.append(split)
        value["parts"] = [{"line": one["line"], "opens": one["opens"]["text"]} for one in split.value["segments"]]
    where = f"{len(slices)} places in memory" if asked else "the text itself"
    doubt = "" if asked.get("known", True) else " What was found holds too little of the question to be the answer."
    said = f"From {where}, in its own words; no sentence was written.{doubt}"
    return Done(" ".join([said, *not_given(asked.get("withheld") or {})]), value, tuple(parts))


def _cited(slices: Sequence[Slice], words: Mapping[str, Any]) -> dict[str, Any]:
    """A sentence with the slice it stands in."""
    home = next(one for one in reversed(slices) if one.start <= words["start"])
    return {"text": words["text"], "slice": home.id, "ref": home.ref, "at": words["start"] - home.start}


def _tainted(item: WorkItem, slices: Sequence[Slice]) -> WorkItem:
    """The item with its sources: what memory holds may be anybody's words."""
    sources = frozenset(one.id for one in slices if one.id)
    return replace(item, origin=origins.union([item.origin, Origin(frozenset({"outside"}), sources)]))


WAY = Way(research)
