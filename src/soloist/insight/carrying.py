"""Carrying: what a person wrote into a draft, brought over into the text that took its place; it keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soloist.insight import diff
from soloist.insight.views import DraftField, FieldDiff
from soloist.stages.records import threeway


@dataclass(frozen=True)
class Carried:
    """The edits as they stand in the new text, and the passages both changed: the new words against those that stay."""

    edits: Mapping[str, str]
    both: tuple[FieldDiff, ...] = ()


def over(was: Mapping[str, str], edits: Mapping[str, str], now: Sequence[DraftField]) -> Carried:
    """Three ways, field by field: ``was`` is the text an edit was made from, ``now`` the one that counts.

    Where both changed the same words the edit stays. An edit that the new text makes already is none any more; one of
    a field that is gone is left out.
    """
    kept: dict[str, str] = {}
    both: list[FieldDiff] = []
    for field in now:
        if not field.editable or field.name not in edits:
            continue
        merged = threeway.merge(was.get(field.name, field.value), edits[field.name], field.value)
        both += [diff.field(f"{field.label}, which both changed", one.new, one.yours) for one in merged.conflicts]
        if merged.text != field.value:
            kept[field.name] = merged.text
    return Carried(kept, tuple(both))
