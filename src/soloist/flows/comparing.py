"""Comparing: what this home holds against what a list from outside shows, as typed differences; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from typing import Any

from soloist.kernel import mismatch as kinds
from soloist.kernel.proposal import at
from soloist.sdk import Thing

SHOWN = 300
"""Characters of a value that are kept for the page."""
TELLING = 2
"""Fields that must agree before two things without a common key count as the same content."""
LOOKS = 50_000
"""Pairs of contents that are compared at the most; what is left over counts as not alike."""
_KEY = re.compile(r"[a-z2-7]{26}\Z")


@dataclass(frozen=True)
class Rules:
    """What a listing can prove: ``seen`` is when it began, ``since`` from when it shows things.

    ``lag`` are seconds for which the two sides may differ. ``whole``: the list came to its end. ``own_hand``: what
    carries no key was done by the operator. ``taken_away``: what was put there may be gone and still be done.
    """

    seen: datetime
    since: datetime
    lag: float
    whole: bool = True
    own_hand: bool = False
    taken_away: bool = False
    known_keys: frozenset[str] = frozenset()
    known_refs: frozenset[str] = frozenset()
    born: datetime | None = None
    """Since when this home does such things: what somebody wrote there before is no surprise."""


@dataclass(frozen=True)
class Drift:
    """One difference. ``inside`` and ``outside`` are what is shown, ``fields`` [{field, inside, outside}]."""

    kind: str
    ref: str
    effect: str
    title: str
    record: str = ""
    inside: Mapping[str, Any] = field(default_factory=dict)
    outside: Mapping[str, Any] = field(default_factory=dict)
    fields: Sequence[Mapping[str, Any]] = ()


@dataclass
class Found:
    """The result: differences, effects proven by their key, and how many of the rest there are."""

    drifts: list[Drift] = field(default_factory=list)
    proven: list[tuple[Mapping[str, Any], Thing]] = field(default_factory=list)
    matched: int = 0
    settling: int = 0
    own_hand: int = 0
    taken_away: int = 0
    before: int = 0


def compare(ours: Sequence[Mapping[str, Any]], things: Iterable[Thing], operation: str, rules: Rules) -> Found:
    """``ours`` are effect rows with payload, undo and record of their proposals; ``things`` the list from outside."""
    found = Found()
    ours = [row for row in ours if not str(row["group"]).startswith(kinds.COPY) or row["state"] == "compensated"]
    by_key, by_ref = {row["key"]: row for row in ours}, {row["provider_ref"]: row for row in ours}
    there: dict[str, list[Thing]] = {row["id"]: [] for row in ours}
    strange: list[Thing] = []
    for thing in things:
        row = (by_ref.get(thing.ref) if thing.ref else None) or (by_key.get(thing.key) if thing.key else None)
        if row is not None:
            there[row["id"]].append(thing)
        elif thing.key not in rules.known_keys and thing.ref not in rules.known_refs:
            strange.append(thing)
    side = _Side(operation, rules, found)
    for row in ours:
        side.ours(row, there[row["id"]])
    side.strange(ours, there, strange)
    return found


class _Side:
    """One comparison under way; ``found`` collects."""

    def __init__(self, operation: str, rules: Rules, found: Found) -> None:
        self._operation, self._rules, self._found = operation, rules, found
        self._young = rules.seen - timedelta(seconds=rules.lag)
        self._looked = 0

    def ours(self, row: Mapping[str, Any], things: list[Thing]) -> None:
        """One effect against the things that are its own."""
        state, young = row["state"], datetime.fromisoformat(row["updated"]) >= self._young
        if state in kinds.IN_FLIGHT or (young and not things):
            self._found.settling += state in kinds.IN_FLIGHT or state in kinds.DONE
        elif state in kinds.UNCERTAIN or (state in kinds.WAITING and row["attempts"]):
            self._uncertain(row, things)
        elif state in kinds.DONE:
            self._done(row, things)
        elif things and not (state == "compensated" and row["undo"] != "exact"):
            if young:
                self._found.settling += 1
            else:
                self._drift(kinds.MISSING_INSIDE, row, things[0])

    def _uncertain(self, row: Mapping[str, Any], things: list[Thing]) -> None:
        """A thing with our key proves that it happened, unless the operation knows no key at all."""
        if not things:
            return
        if row["class"] != "C" and any(thing.key == row["key"] for thing in things):
            self._found.proven.append((row, things[0]))
        else:
            self._drift(kinds.MISSING_INSIDE, row, things[0])

    def _done(self, row: Mapping[str, Any], things: list[Thing]) -> None:
        if not things:
            if not self._rules.whole:
                return
            if self._rules.taken_away:
                self._found.taken_away += 1
            else:
                self._drift(kinds.MISSING_OUTSIDE, row, None)
            return
        first = next((thing for thing in things if thing.ref == row["provider_ref"]), things[0])
        self._found.matched += 1
        if fields := differences(row["payload"], first.fields):
            self._drift(kinds.DIFFERS, row, first, fields)
        for other in {thing.ref: thing for thing in things if thing.ref != first.ref}.values():
            self._drift(kinds.DUPLICATE, row, other, ref=other.ref)

    def strange(
        self, ours: Sequence[Mapping[str, Any]], there: Mapping[str, Sequence[Thing]], things: Sequence[Thing]
    ) -> None:
        """Things that belong to no effect."""
        flying = any(row["state"] in kinds.IN_FLIGHT for row in ours)
        for thing in {thing.ref: thing for thing in things}.values():
            if self._rules.own_hand and not _KEY.match(thing.key):
                self._found.own_hand += 1
            elif self._settles(thing, flying):
                self._found.settling += 1
            elif _KEY.match(thing.key):
                self._drift(kinds.MISSING_INSIDE, None, thing)
            else:
                self._without_key(ours, there, thing)

    def _settles(self, thing: Thing, flying: bool) -> bool:
        """Whether it may yet turn out to be ours: it is young, or nobody knows when and something is under way."""
        when = instant(thing.at)
        return flying if when is None else when >= self._young

    def _without_key(
        self, ours: Sequence[Mapping[str, Any]], there: Mapping[str, Sequence[Thing]], thing: Thing
    ) -> None:
        """The same content as one of ours is a second one of it, or the one we are not sure of; else it is strange."""
        alike = [row for row in ours if same_content(row["payload"], thing.fields)] if self._looked < LOOKS else []
        self._looked += len(ours)
        when, born = instant(thing.at), self._rules.born
        open_ones = [row for row in alike if row["state"] in kinds.UNCERTAIN and not there[row["id"]]]
        if open_ones:
            self._drift(kinds.MISSING_INSIDE, open_ones[0], thing)
        elif doubled := [row for row in alike if there[row["id"]]]:
            self._drift(kinds.DUPLICATE, doubled[0], thing, ref=thing.ref)
        elif when is not None and born is not None and when < born:
            self._found.before += 1
        else:
            self._drift(kinds.UNATTRIBUTED, None, thing)

    def _drift(
        self,
        kind: str,
        row: Mapping[str, Any] | None,
        thing: Thing | None,
        fields: Sequence[Mapping[str, Any]] = (),
        *,
        ref: str = "",
    ) -> None:
        there = outside(thing) if thing else {}
        given = thing.fields if thing and thing.fields else None
        here = inside(row, given) if row else {"operation": self._operation, "state": ""}
        drift = Drift(
            kind,
            ref or ("" if row else thing.ref if thing else ""),
            row["id"] if row else "",
            _title(row, thing) or self._operation,
            row["record"] if row else "",
            {**here, "operation": self._operation},
            there,
            tuple(fields),
        )
        self._found.drifts.append(drift)


def instant(text: str) -> datetime | None:
    """An ISO instant with its offset, None when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def inside(row: Mapping[str, Any], fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An effect as the page shows it beside a thing; ``fields`` are the ones the thing has, else all plain ones."""
    payload = row["payload"]
    places = [place for place in fields if at(payload, place) is not None] if fields else list(payload)
    return {
        "state": row["state"],
        "at": row["first_attempt"] or row["created"],
        "undo": row["undo"],
        "key": row["key"],
        "ref": row["provider_ref"],
        "fields": {place: plain(at(payload, place)) for place in places},
    }


def outside(thing: Thing) -> dict[str, Any]:
    """A thing as the page shows it."""
    fields = {str(name): plain(value) for name, value in thing.fields.items()}
    return {"ref": thing.ref, "key": thing.key, "title": thing.title[:SHOWN], "at": thing.at, "fields": fields}


def differences(payload: Mapping[str, Any], fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Fields that are on both sides and do not say the same: [{field, inside, outside}]."""
    found = []
    for place, value in fields.items():
        own = at(payload, place)
        if own is not None and not same(own, value):
            found.append({"field": place, "inside": plain(own), "outside": plain(value)})
    return found


def same_content(payload: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether a thing says what a payload says: every field that both have, and at least two of them."""
    both = [(at(payload, place), value) for place, value in fields.items() if at(payload, place) is not None]
    return len(both) >= TELLING and all(same(own, value) for own, value in both)


def same(own: Any, other: Any) -> bool:
    """Whether two values mean the same: 250 and "250.00", an address with and without its name, in any order."""
    if isinstance(own, list | tuple) or isinstance(other, list | tuple):
        return sorted(map(_folded, _many(own))) == sorted(map(_folded, _many(other)))
    if isinstance(own, Mapping) and isinstance(other, Mapping):
        return all(same(own.get(name), other.get(name)) for name in {*own, *other})
    if isinstance(own, str) and isinstance(other, str):
        return _folded(own) == _folded(other)
    numbers = (_number(own), _number(other))
    return _folded(own) == _folded(other) if None in numbers else numbers[0] == numbers[1]


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value in (None, "") else [value]


def _number(value: Any) -> Decimal | None:
    """A number, also one written as text; None for anything else."""
    try:
        found = None if isinstance(value, bool) else Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _folded(value: Any) -> str:
    """One spelling of a plain value."""
    if value is None or isinstance(value, bool):
        return str(value or "").lower()
    text = " ".join(str(value).split())
    if "@" in text and (address := parseaddr(text)[1]):
        local, _, domain = address.lower().rpartition("@")
        return f"{local}@{_plain_domain(domain)}"
    return text


def _plain_domain(domain: str) -> str:
    """A domain as mail headers write it."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def plain(value: Any) -> Any:
    """A value short enough to be kept beside a mismatch."""
    if isinstance(value, str):
        return value if len(value) <= SHOWN else f"{value[: SHOWN - 1]}…"
    if isinstance(value, list | tuple):
        return [plain(item) for item in value[:20]]
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in list(value.items())[:20]}
    return value


def _title(row: Mapping[str, Any] | None, thing: Thing | None) -> str:
    """What it is about in a few words: the outside's own title, else what was sent."""
    if thing is not None and thing.title:
        return thing.title[:SHOWN]
    payload = row["payload"] if row else {}
    said = payload.get("subject") or payload.get("title") or payload.get("name") or (row["reason"] if row else "")
    return str(said or (thing.ref if thing else ""))[:SHOWN]
