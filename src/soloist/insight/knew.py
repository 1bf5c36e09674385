"""What did it know when it did this: one decision with everything it was given, and what has changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import asof, contexts, memories, proposals, reading, retrievals
from soloist.engine.store.reading import Connection
from soloist.insight import explanation, names, sheets, views
from soloist.kernel.errors import NotFound
from soloist.kernel.hashing import sha256


@dataclass(frozen=True)
class KnownRecord:
    """A record as it was given, and what is different now; ``state`` is same, changed or gone."""

    id: str
    kind: str
    title: str
    version: int
    now: int
    state: str
    fields: tuple[views.FieldLine, ...]
    changes: tuple[views.FieldDiff, ...]


@dataclass(frozen=True)
class KnownMemory:
    """An item of memory as it was given: ``state`` is same, ended, emptied, changed or gone."""

    id: str
    text: str
    hash: str
    kind: str
    trust: str
    at: str
    state: str
    part: str
    place: str


@dataclass(frozen=True)
class KnownFact:
    """A statement that was held then; ``state`` is same or ended."""

    attribute: str
    value: str
    source: str
    trust: str
    state: str
    why: str


@dataclass(frozen=True)
class LookUp:
    """What was looked up: the question, its parameters, how many answers; it can be asked again."""

    id: str
    query: str
    seq: int
    model: str
    hits: int
    parameters: str
    hash: str


@dataclass(frozen=True)
class Given:
    """One context: everything that was frozen for one run."""

    id: str
    run: str
    at: str
    seq: int
    hash: str
    whole: bool
    house_book: str
    house_book_now: bool
    records: tuple[KnownRecord, ...]
    messages: tuple[views.Link, ...]
    facts: tuple[KnownFact, ...]
    memories: tuple[KnownMemory, ...]
    lookup: LookUp | None


@dataclass(frozen=True)
class KnewPage:
    """A decision and the contexts it rested on; ``changed`` counts what is different now."""

    id: str
    title: str
    at: str
    given: tuple[Given, ...]
    changed: int
    why: str = ""


def page(conn: Connection, ident: str, house_book: str = "") -> KnewPage:
    """For a proposal, effect, card, run or context (NotFound). ``house_book`` is the hash of the one in force now."""
    proposal = _proposal(conn, ident)
    rows = asof.contexts_of(conn, str(proposal["context"])) if proposal and proposal["context"] else []
    rows = rows or asof.contexts_of(conn, ident)
    if not rows and proposal and proposal["run"]:
        rows = asof.contexts_of(conn, str(proposal["run"]))
    if not rows and proposal is None:
        raise NotFound(f"Nothing was decided under {ident[:80]!r}, or nothing was looked up for it.")
    given = tuple(_given(conn, row, house_book) for row in rows)
    changed = sum(_differing(one) for one in given)
    title = names.proposal_title(proposal) if proposal else f"Run {ident}"
    why = f"/why/{proposal['id']}" if proposal else f"/runs/{ident}"
    return KnewPage(ident, title, str(proposal["created"]) if proposal else rows[0]["at"], given, changed, why)


def _proposal(conn: Connection, ident: str) -> dict[str, Any] | None:
    found = explanation.proposal_of(conn, ident)
    return proposals.find(conn, found) if found else None


def _differing(one: Given) -> int:
    parts: Sequence[Any] = (*one.records, *one.memories, *one.facts)
    return sum(1 for part in parts if part.state != "same") + int(not one.house_book_now)


def _given(conn: Connection, row: Mapping[str, Any], house_book: str) -> Given:
    """One context with everything in it compared with now."""
    seq = int((row["parameters"] or {}).get("as_of_seq") or 0)
    people = [str(one["id"]) for one in row["records"] or []]
    slices = [one for one in contexts.slices(conn, row["id"]) if one["memory"]]  # statements stand among the facts
    items = contexts.items(conn, list({one["memory"] for one in slices}))
    rebuilt = {name: row[name] for name in ("records", "messages", "house_book")}
    return Given(
        id=row["id"],
        run=row["run"],
        at=row["at"],
        seq=seq,
        hash=row["hash"],
        whole=bool(rebuilt["records"] or rebuilt["messages"] or slices),
        house_book=row["house_book"],
        house_book_now=not house_book or row["house_book"] in ("", house_book),
        records=tuple(_record(conn, one) for one in row["records"] or []),
        messages=tuple(_messages(conn, row["messages"] or [])),
        facts=tuple(fact for ident in people for fact in _facts(conn, ident, seq, row["packed"] or {})),
        memories=tuple(_memory(one, items.get(one["memory"])) for one in slices),
        lookup=_lookup(conn, row["retrieval"]),
    )


def _record(conn: Connection, given: Mapping[str, Any]) -> KnownRecord:
    then, now = asof.version_now(conn, str(given["id"]), int(given["version"]))
    before, after = (then or {}).get("body") or {}, (now or {}).get("body") or {}
    state = "gone" if now is None else "same" if now["version"] == given["version"] else "changed"
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    diffs = tuple(sheets.field_diff(name, before.get(name), after.get(name)) for name in changed)
    fields = tuple(
        views.FieldLine(name.replace("_", " ").capitalize(), sheets.plain(value)) for name, value in before.items()
    )
    told = (str(given["id"]), str(given["kind"]), str(given["title"]), int(given["version"]))
    return KnownRecord(*told, int(now["version"]) if now else 0, state, fields, diffs if state == "changed" else ())


def _messages(conn: Connection, given: Sequence[Mapping[str, Any]]) -> list[views.Link]:
    there = reading.named(conn, "messages", [str(one["id"]) for one in given])
    found = []
    for one in given:
        row = there.get(str(one["id"]))
        said = "erased" if row is None or not (row["text"] or row["subject"]) else row["subject"] or row["text"][:60]
        who = "from you" if one["direction"] == "out" else "to you"
        found.append(views.Link(f"{said} ({who}, {str(one['at'])[:10]})", f"/why/{one['id']}"))
    return found


def _facts(conn: Connection, ident: str, seq: int, packed: Mapping[str, Any]) -> list[KnownFact]:
    found, given = [], set(packed.get("facts") or ())
    for row in asof.facts_of(conn, ident, seq) if seq else []:
        if packed.get("withheld") and row["id"] not in given:
            continue  # the role may not read all there was, so only what it was given is told
        state = "ended" if row["ended"] else "same"
        told = (row["attribute"], sheets.plain(row["value"]), row["source"], row["trust"])
        found.append(KnownFact(*told, state, row["ended_why"]))
    return found


def _memory(row: Mapping[str, Any], item: Mapping[str, Any] | None) -> KnownMemory:
    """An item as it was packed; the version (or the hash of the text) of then proves what it says now."""
    text = str(item["text"] or "") if item else ""
    if item is None:
        state = "gone"
    elif not text:
        state = "emptied"
    elif row["hash"] not in (memories.version(item), sha256(text.encode())):
        state = "changed"
    else:
        state = "ended" if item["ended"] else "same"
    start, end = row["span_from"], row["span_to"]
    shown = text[start:end] if text and end > start else text
    told = (row["memory"], shown, row["hash"], row["kind"] or "", row["trust"] or "", row["at"] or "")
    return KnownMemory(*told, state, row["part"], f"rank {row['rank']}" if row["retrieval"] else "")


def _lookup(conn: Connection, ident: str) -> LookUp | None:
    if not ident:
        return None
    try:
        row = retrievals.get(conn, ident)
    except NotFound:
        return None
    told = (row["id"], row["query"], int(row["seq"]), row["model"], len(row["hits"] or []))
    return LookUp(*told, sheets.plain(row["parameters"]), row["hits_hash"])
