"""Written from: where the words of a card or a run come from, in plain words; it judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import reading
from soloist.engine.store.reading import Connection
from soloist.insight import words
from soloist.kernel.origin import Origin, of
from soloist.stages.policy.taint import leaves

SAID = {
    "outside": "a letter of an unknown sender",
    "contact": "a letter of somebody you know",
    "operator": "your own words",
    "own": "what Soloist keeps itself",
    "model": "what a model made of them",
}
MOST = 3
"""Letters that are named; the others are counted."""


def told(conn: Connection, kept: Mapping[str, Any] | None) -> str:
    """What an origin says: "a letter of an unknown sender (Victor Kane) and your own words"; "" when none is kept."""
    if not kept:
        return ""
    origin = of(kept)
    parts = [SAID[label] for label in SAID if label in origin.labels]
    who = _senders(conn, origin)
    if who and origin.tainted:
        parts[0] += f" ({who})"
    return " and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _senders(conn: Connection, origin: Origin) -> str:
    """Who wrote the letters among the sources."""
    idents = sorted(one.partition(":")[2] for one in origin.sources if one.startswith("message:"))
    rows = reading.named(conn, "messages", idents).values() if idents else ()
    names = sorted({str(row["sender_name"] or row["sender"]) for row in rows if row["direction"] == "in"} - {""})
    more = f" and {words.counted(len(names) - MOST, 'other')}" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def notes(conn: Connection, proposal: Mapping[str, Any]) -> tuple[str, ...]:
    """The lines of a card that say what it was written from, and who named what steers it.

    Nothing where nothing came from outside. What nobody named is told by the reason of the card.
    """
    said = told(conn, proposal["origin"])
    if not said or not of(proposal["origin"]).tainted:
        return ()
    named = dict.fromkeys(f"{one.name}: {one.said}" for one in control(conn, proposal) if one.source and one.steers)
    return (f"Written from: {said}.", *([f"{'. '.join(named)}."] if named else []))


@dataclass(frozen=True)
class Steered:
    """A value that steers a proposal: what it is, the value, and who named it in words ("" of ``source``: nobody)."""

    name: str
    value: str
    said: str
    source: str
    steers: bool = True


NAMES = {
    "recipient": "Recipient",
    "account": "Account",
    "amount": "Amount",
    "url": "Address on the web",
    "path": "File",
    "tool": "Tool",
    "thread": "Message it answers",
    "id": "Id",
    "time": "Date or time",
}


def control(conn: Connection, proposal: Mapping[str, Any]) -> tuple[Steered, ...]:
    """Each value that steers a proposal with the source that was kept for it, in the order of the payload."""
    kept: dict[str, list[Mapping[str, str]]] = {}
    for one in (proposal["origin"] or {}).get("control") or ():
        kept.setdefault(one["place"], []).append(one)
    found = []
    for place, value in leaves(proposal["payload"]):
        if value is not None and value != "" and kept.get(place):
            one = kept[place].pop(0)
            said = _named_by(conn, one["sort"], one["source"])
            name = NAMES.get(one["sort"], place.replace("_", " ").capitalize())
            found.append(Steered(name, str(value), said, one["source"], one["sort"] != "thread"))
    return tuple(found)


def _named_by(conn: Connection, sort: str, source: str) -> str:
    """A source in words, as the end of a sentence."""
    kind, _, ident = source.partition(":")
    if kind == "message":
        row = reading.named(conn, "messages", [ident]).get(ident)
        theirs = row is not None and row["direction"] == "in"
        if sort == "thread":
            return "a message of this thread"
        if sort == "recipient":
            return "from the thread's sender" if theirs else "you wrote to them on this thread"
        return f"from the letter of {row['sender_name'] or row['sender']}" if row and theirs else "from your own letter"
    if kind == "record":
        return f"{ident.partition('.')[2]} in your records" if "." in ident else "the record it is about"
    return {
        "": "nobody you trust names it",
        "settings": f"from your settings ({ident.strip()})",
        "house book": "from your house book",
        "template": f"from your template {ident}",
    }.get(kind, source if kind == "your edit" else "from your own words")
