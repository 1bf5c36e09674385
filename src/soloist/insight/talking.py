"""Talking: what the operator said in a conversation, as a piece of work it may become; it begins nothing.

Which way it is was read before; here the fields are filled: records by their id, days and topics from the reading, and
what is not clear is named. The page shows exactly what would be given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.engine.store import records, talks
from soloist.engine.store.reading import Connection
from soloist.insight import given, picking
from soloist.insight.picking import Choice
from soloist.kernel.agent import AgentSpec, Wish
from soloist.kernel.errors import NotFound

AGAIN = "again"
_WORD = re.compile(r"\S+@[\w.-]+|[^\W_][\w'’.-]*")
_QUOTES = re.compile(r"^(?:>|-{2,} ?(?:original|forwarded|weitergeleitet|ursprüngliche|message|mensaje)\b)", re.I)
LEAST = 3
"""Letters of a word by which a record is looked for."""
MOST_WORDS = 24
SHORT = 300
"""Characters that are shown of a field."""


@dataclass(frozen=True)
class Known:
    """One way of being asked of one role that works now; its name is "agent.wish"."""

    spec: AgentSpec
    wish: Wish

    @property
    def name(self) -> str:
        """Under which it is read and chosen."""
        return f"{self.spec.name}.{self.wish.name}"


@dataclass(frozen=True)
class Said:
    """What was said: the operator's own words, the text of others below them, and the reading of the words."""

    id: str
    own: str
    text: str
    reading: Mapping[str, Any]


@dataclass(frozen=True)
class Earlier:
    """The last work of the conversation: its way, what it was given, its run, the record it was for."""

    way: str
    input: Mapping[str, Any]
    run: str
    client: str = ""


@dataclass(frozen=True)
class Understood:
    """A piece of work as it would be given. It can be, when nothing is ``unclear`` and nothing ``missing``.

    ``shown`` are label and text of each field, ``unclear`` what may be meant by field, ``outside`` whether words of
    others go into it, ``client`` the record it is for ("" for none).
    """

    way: str
    agent: str = ""
    label: str = ""
    input: Mapping[str, Any] = field(default_factory=dict)
    shown: tuple[tuple[str, str], ...] = ()
    due: str = ""
    unclear: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    outside: bool = False
    client: str = ""

    @property
    def ready(self) -> bool:
        """Whether it can be given as it stands."""
        return bool(self.way) and not self.unclear and not self.missing


def parted(text: str) -> tuple[str, str]:
    """The operator's own words and the text of others: what follows an empty line or a mark of quoting."""
    lines = text.replace("\r\n", "\n").strip().split("\n")
    for n, line in enumerate(lines):
        if not line.strip() or _QUOTES.match(line.strip()):
            rest = "\n".join(re.sub(r"^> ?", "", one) for one in lines[n:]).strip()
            return " ".join(lines[:n]).strip(), rest
    return " ".join(lines).strip(), ""


def understood(
    conn: Connection,
    ways: Mapping[str, Known],
    said: Said,
    way: str,
    *,
    picked: Mapping[str, Sequence[str]] | None = None,
    earlier: Earlier | None = None,
) -> Understood:
    """What a sentence means as this way; ``picked`` are ids that were chosen by field."""
    if way == AGAIN and earlier is not None:
        return _again(ways, said, earlier)
    known = ways.get(way)
    if known is None:
        return Understood("")
    parts, fills = known.spec.input.get("properties", {}), known.wish.fills
    filled, shown, unclear = dict[str, Any](), list[tuple[str, str]](), dict[str, tuple[Choice, ...]]()
    missing = list[str]()
    client = ""
    for name, filler in fills.items():
        part = parts[name]
        if filler != "whom":
            if value := _value(said, filler)[: part.get("maxLength", 2000)]:
                filled[name] = value
                shown.append((label(part, name), value if len(value) < SHORT else f"{value[:SHORT]} …"))
            continue
        found = _picked(conn, part["picks"], (picked or {}).get(name, ())) or whom(conn, part["picks"], said.own)
        if any(not one.sure for one in found):
            unclear[name] = found
        elif found:
            client = client or found[0].id
            filled[name] = [one.id for one in found] if part.get("type") == "array" else found[0].id
            shown.append((label(part, name), ", ".join(one.label for one in found)))
        elif (gap := str(said.reading.get("gap") or "")) and set(fills.values()) == {"whom"}:
            missing.append(f"who “{gap[:80]}” is: nobody is called so in your records")
    needed = [name for name in known.wish.needs if name not in filled and name not in unclear]
    missing += [label(parts[name], name) for name in needed if not missing]
    return Understood(
        way,
        known.spec.name,
        known.wish.label,
        input=filled,
        shown=tuple(shown),
        due=str(said.reading.get("due") or ""),
        unclear=unclear,
        missing=tuple(missing),
        outside=any(filler == "text" and name in filled for name, filler in fills.items()),
        client=client,
    )


def _value(said: Said, filler: str) -> str:
    """What fills a field that is no record."""
    if filler == "said":
        return said.own
    return said.text if filler == "text" else str(said.reading.get(filler) or "")


def _again(ways: Mapping[str, Known], said: Said, earlier: Earlier) -> Understood:
    """The work before once more, another way: as much of the sentence as its role can keep to."""
    known = ways.get(earlier.way)
    if known is None:
        return Understood("")
    parts, reading = known.spec.input.get("properties", {}), said.reading
    asked = {"size": reading.get("size"), "language": reading.get("tongue"), "due": reading.get("due")}
    changed = {name: str(value) for name, value in asked.items() if value and name in parts}
    if not changed and "question" in parts and earlier.input.get("question") and not any(asked.values()):
        changed = {"question": f"{earlier.input['question']} {said.own}"[:2000]}
    missing = () if changed and "earlier" in parts else (f"how {known.spec.name} is to do it otherwise",)
    kept = {name: value for name, value in earlier.input.items() if name not in ("size", "earlier")}
    return Understood(
        AGAIN,
        known.spec.name,
        f"{known.wish.label}, once more",
        input={**kept, **changed, "earlier": earlier.run},
        shown=tuple((label(parts[name], name), value) for name, value in changed.items()),
        due=str(reading.get("due") or ""),
        missing=missing,
        client=earlier.client,
    )


_ID_OF = re.compile(r"\b[Ii]ds? of (?:an? |the )?")


def label(part: Mapping[str, Any], name: str) -> str:
    """What a field of an input is, in words."""
    told = _ID_OF.sub("", str(part.get("description") or name.replace("_", " "))).partition(";")[0]
    return told.removeprefix("Instead of minutes: ").removeprefix("Instead of a publication: ").strip().capitalize()


def _picked(conn: Connection, kinds: Sequence[str], idents: Sequence[str]) -> tuple[Choice, ...]:
    """The records that were chosen, each by its id; what is no such record is not taken."""
    rows = [records.standing(conn, ident) for ident in idents]
    return tuple(Choice(row["id"], picking.label(row), sure=True) for row in rows if row and row["kind"] in kinds)


def whom(conn: Connection, kinds: Sequence[str], said: str) -> tuple[Choice, ...]:
    """The records of these kinds that a sentence names: one that is ``sure``, several that may be meant, or none.

    One whose whole name stands in it, or whose address does, is sure; part of a name is, when it is written as a name
    and only one record has it.
    """
    found = _WORD.findall(said)[:MOST_WORDS]
    plain = {word.casefold().strip(".'’") for word in found} | {word.casefold().removesuffix("'s") for word in found}
    named = {word.casefold().strip(".'’") for word in found[1:] if word[:1].isupper() or "@" in word}
    whole: dict[str, Choice] = {}
    part: dict[str, Choice] = {}
    for row in _candidates(conn, kinds, sorted(word for word in plain if len(word) >= LEAST)):
        words = {word.casefold().strip(".'’") for word in _WORD.findall(str(row["title"] or ""))}
        addresses = {str(one).casefold() for one in (row["body"] or {}).get("emails") or ()}
        if (words and words <= plain) or addresses & plain:
            whole[row["id"]] = Choice(row["id"], picking.label(row), sure=True)
        elif words & named:
            part[row["id"]] = Choice(row["id"], picking.label(row))
    among = whole or part
    if len(among) == 1:
        return tuple(Choice(one.id, one.label, sure=True) for one in among.values())
    return tuple(Choice(one.id, one.label) for one in list(among.values())[: picking.MOST])


def _candidates(conn: Connection, kinds: Sequence[str], words: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Records that hold one of the words, each once."""
    seen: set[str] = set()
    for kind in kinds:
        for word in words if kind != picking.MESSAGE else ():
            for row in records.listed(conn, kind, before=None, limit=picking.MOST, text=word):
                if row["id"] not in seen and row["state"] != "retired":
                    seen.add(row["id"])
                    yield row


# ----- what was said before


@dataclass(frozen=True)
class TalkLine:
    """One conversation in a list: how it began, and when."""

    id: str
    subject: str
    at: str


def listed(conn: Connection) -> Iterator[TalkLine]:
    """The newest conversations in which work was given."""
    for row in talks.listed(conn):
        yield TalkLine(row["id"], row["subject"], row["created"])


def came(conn: Connection, agent: str, run: str) -> given.GivenPage | None:
    """What came of the work of a sentence; None when the run is not kept any more."""
    try:
        return given.one(conn, agent, run)
    except NotFound:
        return None
