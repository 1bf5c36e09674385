"""Fact: a dated statement about a record, and what a new one does to those that stand; it stores nothing.

Two clocks: ``valid_from``/``valid_to`` say when it is true in the world (ISO, "" for open), the events that began and
ended its row when the house knew it. A cut row is ended and its remaining pieces are written anew, so that what was
known earlier can still be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from soloist.kernel.errors import BadInput
from soloist.kernel.hashing import canonical
from soloist.kernel.kind import storable
from soloist.kernel.memory import TRUSTS
from soloist.kernel.money import is_amount

State = Literal["held", "disputed"]
RANK: Mapping[str, int] = {"unverified": 1, "rule": 2, "confirmed": 3}
"""Whose word counts more: the operator's over a rule's over what came from outside."""
CONFIDENCES: Mapping[str, str] = {
    "stated": "said in so many words",
    "read": "read off the words by a rule",
    "derived": "follows from something else that is known",
    "doubtful": "may well be otherwise",
}
MANY = frozenset(
    {"phone", "contact", "email", "address", "url", "named date", "promise", "preference", "note", "asked"}
)
"""Attributes of which a record may have several at once; any other value of another attribute contradicts."""
LONGEST_VALUE, LONGEST_QUOTE, LONGEST_NAME = 4000, 1000, 80
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class NewFact:
    """A statement before it is weighed. ``quote`` are the words it rests on, ``actor`` whose word it is."""

    record: str
    attribute: str
    value: Any
    valid_from: str = ""
    valid_to: str = ""
    source: str = ""
    ref: str = ""
    quote: str = ""
    origin: Sequence[str] = ()
    trust: str = "unverified"
    confidence: str = "read"
    expires: str = ""
    actor: str = ""
    run: str = ""


@dataclass(frozen=True)
class Cut:
    """A row that ends: the pieces of its time that still hold, and why."""

    id: str
    pieces: tuple[tuple[str, str], ...]
    why: str


@dataclass(frozen=True)
class Weighed:
    """What becomes of a statement and the time it is written with.

    ``same`` is a row that says it already, ``against`` the rows it contradicts.
    """

    state: State = "held"
    valid_from: str = ""
    valid_to: str = ""
    same: str = ""
    cuts: tuple[Cut, ...] = ()
    against: tuple[str, ...] = ()


def check(new: NewFact) -> None:
    """Refuse a statement that could not be read again (BadInput names the field)."""
    if not new.attribute.strip() or len(new.attribute) > LONGEST_NAME or not new.attribute.isprintable():
        raise BadInput(f"attribute: 1 to {LONGEST_NAME} printable characters, like 'budget'.", field="attribute")
    if new.trust not in TRUSTS:
        raise BadInput(f"trust: one of {', '.join(TRUSTS)}.", field="trust")
    if new.confidence not in CONFIDENCES:
        raise BadInput(f"confidence: one of {', '.join(CONFIDENCES)}; a word, not a percentage.", field="confidence")
    if new.value is None or new.value == "" or not storable(new.value):
        raise BadInput("value: say what is the case, in texts and numbers; nothing was stored.", field="value")
    if isinstance(new.value, Mapping) and {"minor", "currency"} & new.value.keys() and not is_amount(new.value):
        right = 'an amount is like {"minor": 120000, "currency": "EUR"}'
        raise BadInput(f"value: {right}; nothing was stored.", field="value")
    if len(canonical(new.value)) > LONGEST_VALUE:
        raise BadInput(f"value: at most {LONGEST_VALUE} bytes; keep a document as a document.", field="value")
    if new.valid_from and new.valid_to and new.valid_to <= new.valid_from:
        raise BadInput(f"valid_to: {new.valid_to} is not after valid_from {new.valid_from}.", field="valid_to")


def authority(row: Mapping[str, Any]) -> str:
    """Whose word a statement is: the operator's, a rule's, or that of one voice outside."""
    if row["trust"] == "confirmed":
        return "operator"
    return "rule" if row["trust"] == "rule" else f"outside:{str(row['actor'] or row['source']).casefold()}"


def same_value(one: Any, other: Any) -> bool:
    """Whether two values say the same; texts are compared without case and doubled spaces."""
    if isinstance(one, str) and isinstance(other, str):
        return " ".join(one.casefold().split()) == " ".join(other.casefold().split())
    return canonical(one) == canonical(other)


def weigh(new: NewFact, rows: Sequence[Mapping[str, Any]]) -> Weighed:
    """What a statement does to the live rows of its record and attribute. Nothing that stands is overwritten.

    The same voice supersedes itself, a stronger one a weaker one; anything else is kept beside as disputed. A
    statement that is older than the next one of its voice holds only until then.
    """
    voice, rank = authority({"trust": new.trust, "actor": new.actor, "source": new.source}), RANK[new.trust]
    begin, end = new.valid_from, new.valid_to or _next(new, voice, rows)
    cuts: list[Cut] = []
    against: list[str] = []
    for row in sorted(rows, key=lambda row: (-RANK[row["trust"]], row["id"])):
        if not _meet(row, begin, end):
            continue
        weaker, held = rank > RANK[row["trust"]], row["state"] == "held"
        if same_value(row["value"], new.value):
            if not weaker and (not held or _within(row, begin, end)):
                return Weighed(same=row["id"])
            begin = min(begin, row["valid_from"]) if weaker and held else begin
            cuts.append(Cut(row["id"], _rest(row, begin, end), "said again"))
        elif new.attribute in MANY and held:
            continue
        elif weaker or (held and authority(row) == voice):
            cuts.append(Cut(row["id"], _rest(row, begin, end), "a newer statement" if held else "settled"))
        elif held:
            against.append(row["id"])
    kept = tuple(cuts) if not against else ()
    return Weighed("disputed" if against else "held", begin, end, cuts=kept, against=tuple(against))


def _next(new: NewFact, voice: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """When the next statement of the same voice begins, "" when none follows or several may stand side by side."""
    if new.attribute in MANY:
        return ""
    theirs = [row["valid_from"] for row in rows if row["state"] == "held" and authority(row) == voice]
    return min((str(begin) for begin in theirs if begin > new.valid_from), default="")


def _meet(row: Mapping[str, Any], begin: str, end: str) -> bool:
    """Whether a row's time and a span have an instant in common."""
    return bool(row["valid_from"] < (end or _LAST) and begin < (row["valid_to"] or _LAST))


def _within(row: Mapping[str, Any], begin: str, end: str) -> bool:
    """Whether a span lies inside a row's time."""
    return bool(row["valid_from"] <= begin and (end or _LAST) <= (row["valid_to"] or _LAST))


def _rest(row: Mapping[str, Any], begin: str, end: str) -> tuple[tuple[str, str], ...]:
    """What is left of a row's time without a span."""
    found = []
    if row["valid_from"] < begin:
        found.append((str(row["valid_from"]), begin))
    if end and end < (row["valid_to"] or _LAST):
        found.append((end, str(row["valid_to"])))
    return tuple(found)


def true_at(row: Mapping[str, Any], instant: str) -> bool:
    """Whether a statement speaks of an instant."""
    return bool(row["valid_from"] <= instant and instant < (row["valid_to"] or _LAST))
