"""Again: kept calls done once more: what a changed answer means for the calls after it, and how the end compares; pure.

A call's input holds what earlier calls answered, whole or in parts. Where those answer otherwise now, their new words
take the place of the old ones; what came from elsewhere (a person's word, the clock, a setting) stays as it was kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.stages.runtime.wording import distance, text_of

SAME, BETTER, WORSE, DIFFERS, CANNOT = "same", "better", "worse", "differs", "cannot"
OUTCOMES = (WORSE, DIFFERS, BETTER, CANNOT, SAME)
TELLING = 24
"""Characters from which a text that is found again is taken to be the answer of an earlier call."""
ALIKE = 0.6
"""Share of the keys of an answer that a value has when it is that answer with something changed."""

Change = tuple[Mapping[str, Any], Mapping[str, Any]]
"""What a call answered then, and what it answers now."""


def carried(value: Mapping[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    """An input with what earlier calls answer now in place of what they answered then."""
    found = dict(value)
    for old, new in changes:
        if old != new:
            found = {name: _merged(part, old, new, depth=2, name=name) for name, part in found.items()}
    return found


def answers(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """An answer then and now, in the forms in which later calls are given it: a choice of the kind stands in what was
    understood by other names."""
    found: list[Change] = [(old, new)]
    if old != new and {"kind", "rule", "told"} <= old.keys():
        was, now = ({"kind": one["kind"], "kind_rule": one["rule"]} for one in (old, new))
        found.append((was, now))
    return found


def _merged(part: Any, old: Mapping[str, Any], new: Mapping[str, Any], *, depth: int, name: str = "") -> Any:
    """One value, three ways: as it was kept, with what changed from the old answer to the new one."""
    if part == old:
        return dict(new)
    for key, was in old.items():
        if part == was and was != new.get(key) and (key == name or _telling(was)):
            return new.get(key)
    if not isinstance(part, Mapping) or not depth:
        return part
    if len(part.keys() & old.keys()) >= ALIKE * len(old):
        return {key: new[key] if key in new and part[key] == old.get(key) else kept for key, kept in part.items()}
    return {key: _merged(kept, old, new, depth=depth - 1, name=key) for key, kept in part.items()}


def _telling(value: Any) -> bool:
    return isinstance(value, str | list | Mapping) and len(str(value)) >= TELLING


@dataclass(frozen=True)
class Step:
    """One call done again: versions then and now; ``why`` says what made it answer otherwise, "" when nothing did."""

    skill: str
    then: str
    now: str
    same: bool
    why: str = ""


@dataclass(frozen=True)
class Redone:
    """What came of doing kept calls again. ``cannot`` says why it could not be done, "" when it could."""

    steps: Sequence[Step] = ()
    changes: Sequence[Change] = ()
    cannot: str = ""
    outputs: Sequence[Mapping[str, Any]] = field(default=())

    @property
    def unexplained(self) -> list[str]:
        """Skills that answered otherwise although nothing they depend on has changed."""
        return [step.skill for step in self.steps if not step.same and not step.why]

    @property
    def why(self) -> list[str]:
        """What made the difference, once each."""
        return list(dict.fromkeys(step.why for step in self.steps if not step.same and step.why))


def compared(before: Mapping[str, Any], after: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> dict[str, Any]:
    """{outcome, before, after} with the distances from what was wanted in thousandths (None when nobody said).

    ``wanted`` {} means that it was not wanted at all: then there is no better or worse, only another.
    """
    same = _plain(before) == _plain(after)
    if not wanted:
        return {"outcome": SAME if same else DIFFERS, "before": None, "after": None}
    far = {"before": _far(before, wanted), "after": _far(after, wanted)}
    if same or far["after"] == far["before"]:
        return {"outcome": SAME if same else DIFFERS, **far}
    return {"outcome": BETTER if far["after"] < far["before"] else WORSE, **far}


def _far(value: Mapping[str, Any], wanted: Mapping[str, Any]) -> int:
    """Text by its letters; a kind by yes or no."""
    if "kind" in wanted:
        return 0 if value.get("kind") == wanted["kind"] else 1000
    both = {name: value.get(name) for name in wanted}
    return distance(text_of(both), text_of(wanted))


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if part not in (None, "", [], {})}


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How a trial came out: the count of every outcome, the mean distances, and what nobody can explain."""
    found: dict[str, Any] = dict.fromkeys(OUTCOMES, 0)
    for row in rows:
        found[row["outcome"]] = found.get(row["outcome"], 0) + 1
    measured = [row["detail"] for row in rows if (row["detail"] or {}).get("before") is not None]
    if measured:
        found["distance_before"] = round(sum(one["before"] for one in measured) / len(measured))
        found["distance_after"] = round(sum(one["after"] for one in measured) / len(measured))
    found["unexplained"] = sum(1 for row in rows if (row["detail"] or {}).get("unexplained"))
    return found
