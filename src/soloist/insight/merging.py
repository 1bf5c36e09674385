"""Records that may be one, side by side: what agrees, what differs, how sure, what was decided; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import matching, merges, records
from soloist.engine.store.reading import Connection
from soloist.insight import views, words
from soloist.kernel.errors import NotFound

SHOWN = 50
"""Pairs of one list on the page."""
SURE = ((995, "all but certain"), (950, "very likely"), (700, "likely"), (300, "possible"), (0, "a mere possibility"))
VERDICTS = {"agrees": "the same", "close": "nearly the same", "differs": "different"}


@dataclass(frozen=True)
class Beside:
    """One field on both sides; ``verdict`` in words, ``tone`` its colour."""

    name: str
    here: str
    there: str
    verdict: str
    tone: str


@dataclass(frozen=True)
class Pair:
    """Two records that may be, are or were one. ``after``: what happens or happened, in a sentence."""

    id: str
    state: str
    kind: str
    kept: views.Link
    other: views.Link
    sure: str
    why: str
    fields: tuple[Beside, ...]
    vetoes: tuple[str, ...]
    strong: tuple[str, ...]
    after: str
    at: str
    who: str = ""
    card: str = ""


@dataclass(frozen=True)
class MergesPage:
    """Everything on the page: pairs to decide, done, and known to be two; ``more`` that are not shown."""

    proposed: tuple[Pair, ...]
    merged: tuple[Pair, ...]
    apart: tuple[Pair, ...]
    more: int = 0


@dataclass(frozen=True)
class Standing:
    """What a record's page says about merges: where it leads, who is merged into it, pairs that wait.

    ``whole``: what the fields are when everything that is merged is read as one, where that is more.
    """

    moved: views.Link | None = None
    parts: tuple[Pair, ...] = ()
    waiting: tuple[Pair, ...] = ()
    whole: tuple[views.FieldLine, ...] = ()


def page(conn: Connection) -> MergesPage:
    """The page as it is now; the most certain pair first."""
    found = merges.listed(conn, "proposed", limit=1000)
    found.sort(key=lambda row: (-row["score"], row["id"]))
    done = merges.newest(conn, ["merged"], SHOWN)
    again = {frozenset((row["kept"], row["other"])) for row in [*found, *done]}
    apart = merges.newest(conn, ["apart", "unmerged"], SHOWN)
    apart = [row for row in apart if frozenset((row["kept"], row["other"])) not in again]
    told = _titles(conn, [*found[:SHOWN], *done, *apart])
    lists = [tuple(_pair(conn, row, told) for row in rows) for rows in (found[:SHOWN], done, apart)]
    return MergesPage(lists[0], lists[1], lists[2], max(0, len(found) - SHOWN))


def standing(conn: Connection, record: str) -> Standing:
    """What is to be said about merges on the page of one record."""
    rows = merges.of(conn, record)
    told = _titles(conn, rows)
    into = merges.root(conn, record)
    moved = _link(records.get(conn, into)) if into != record else None
    parts = tuple(_pair(conn, r, told) for r in rows if r["state"] == "merged" and r["kept"] == record)
    waiting = tuple(_pair(conn, r, told) for r in rows if r["state"] == "proposed")
    return Standing(moved, parts, waiting, _whole(conn, record) if parts else ())


def _whole(conn: Connection, record: str) -> tuple[views.FieldLine, ...]:
    """The fields that read otherwise when everything that is merged into a record is read as one."""
    alone = records.get(conn, record)
    both = merges.view(conn, alone)
    more = sorted(name for name, value in both.items() if alone["body"].get(name) != value)
    return tuple(views.FieldLine(name.replace("_", " ").capitalize(), _said(both[name])) for name in more)


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _titles(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The records of these pairs, by id."""
    idents = {row[side] for row in rows for side in ("kept", "other")}
    return {row["id"]: row for row in matching.rows(conn, sorted(idents))}


def _link(row: Mapping[str, Any]) -> views.Link:
    return views.Link(row["title"] or "No name", f"/records/{row['kind']}/{row['id']}")


def _named(told: Mapping[str, Mapping[str, Any]], ident: str) -> views.Link:
    """A record as a link; one that was erased has no name any more."""
    return _link(told[ident]) if ident in told else views.Link("a record that is gone", "/records/merges")


def _pair(conn: Connection, row: Mapping[str, Any], told: Mapping[str, Mapping[str, Any]]) -> Pair:
    """One row with both sides."""
    kept, other = _named(told, row["kept"]), _named(told, row["other"])
    evidence = row["evidence"] or {}
    return Pair(
        id=row["id"],
        state=row["state"],
        kind=row["kind"],
        kept=kept,
        other=other,
        sure=sure(row["score"]),
        why=row["why"],
        fields=beside(evidence),
        vetoes=tuple(map(str, evidence.get("vetoes", ()))),
        strong=tuple(map(str, evidence.get("strong", ()))),
        after=_after(conn, row, kept.text, other.text),
        at=row["closed"] or row["created"],
        who=row["who"],
        card=row["card"],
    )


def sure(score: int) -> str:
    """How certain a score in thousandths is, in words and figures."""
    word = next(word for least, word in SURE if score >= least)
    return f"{word} ({score / 10:.1f} %)"


def beside(evidence: Mapping[str, Any]) -> tuple[Beside, ...]:
    """The fields of the evidence, what weighs most first."""
    tones = {"agrees": "go", "close": "", "differs": "warn"}
    fields = sorted(evidence.get("fields", ()), key=lambda one: -abs(float(one["bits"])))
    return tuple(
        Beside(f["field"].capitalize(), f["here"], f["there"], VERDICTS[f["verdict"]], tones[f["verdict"]])
        for f in fields
    )


def _after(conn: Connection, row: Mapping[str, Any], kept: str, other: str) -> str:
    """What a merge does or did, in a sentence."""
    talks = merges.talked(conn, [row["other"]])
    shown = f" with {words.counted(talks, 'conversation')}" if talks else ""
    if row["state"] == "merged":
        told = f"{other}{shown} shows on the page of {kept}. What was changed while merged stays with {kept}"
        return f"{told} when you take it back; {other} is then exactly what it was."
    if row["state"] == "proposed":
        return f"{kept} stays; {other}{shown} leads there and shows on the same page. Neither is rewritten."
    return "They are two. You are asked again only when what is known of them changes."


# ----- for programs


def rows(conn: Connection, state: str, after: tuple[str, str], limit: int) -> list[dict[str, Any]]:
    """Pairs as the API gives them, oldest first."""
    return [as_json(row) for row in merges.listed(conn, state, after=after, limit=limit)]


def row(conn: Connection, ident: str) -> dict[str, Any]:
    """One pair as the API gives it (NotFound)."""
    return as_json(merges.get(conn, ident))


def as_json(found: Mapping[str, Any]) -> dict[str, Any]:
    """One pair: scores as numbers from 0 to 1, the evidence as a list of fields."""
    evidence = found["evidence"] or {}
    names = ("id", "state", "kind", "kept", "other", "rule", "card", "who", "why", "created", "closed")
    lists = {name: list(evidence.get(name, ())) for name in ("fields", "strong", "vetoes")}
    figures = {"score": found["score"] / 1000, "margin": found["margin"] / 10, "choices": found["choices"] or {}}
    return {**{name: found[name] or "" for name in names}, **figures, **lists}


def identities(conn: Connection, record: str) -> list[dict[str, Any]]:
    """Every live identifier of a record and of what was merged into it, with the rule that made it (NotFound)."""
    if not matching.rows(conn, [record]):
        raise NotFound(f"There is no record {record}.")
    found = [one for ident in merges.family(conn, record) for one in records.identities_of(conn, ident)]
    names = ("id", "scheme", "value", "record", "rule", "at")
    kept = merges.root(conn, record)
    return [{**{name: one[name] for name in names}, "stands_for": kept} for one in found]
