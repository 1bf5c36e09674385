"""Owners of fields: who set a value last and who may write over it; pure rules, nothing is read or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from soloist.kernel.errors import BadInput
from soloist.kernel.kind import EMPTY, OWNERS, Kind

SAID = {"operator": "you", "system": "Soloist", "outside": "messages and imports"}


def rank(by: str) -> int:
    """How strong a word is: outside 0, system 1, operator 2 (BadInput for any other)."""
    if by not in OWNERS:
        raise BadInput(f"by: one of {', '.join(OWNERS)}, not {by[:40]!r}.", field="by")
    return OWNERS.index(by)


def may_write(owners: Mapping[str, str], field: str, by: str) -> bool:
    """Whether ``by`` may write over a field; nobody's field is open to all, an unknown owner counts as the operator."""
    owner, strength = owners.get(field), rank(by)
    return owner is None or strength >= (OWNERS.index(owner) if owner in OWNERS else len(OWNERS) - 1)


@dataclass(frozen=True)
class Split:
    """Fields that may be ``written`` and fields that are ``kept`` as they are because somebody stronger owns them.

    ``kept`` gives for each {mine, offered, owner}.
    """

    written: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)


def split(
    body: Mapping[str, Any], owners: Mapping[str, str], fields: Mapping[str, Any], by: str, kind: Kind | None = None
) -> Split:
    """What of the fields that differ may be written; an empty value from outside never clears anything.

    A list grows by what is new in it, unless the operator owns it: then the difference is kept for a person.
    """
    written: dict[str, Any] = {}
    kept: dict[str, dict[str, Any]] = {}
    for name, value in fields.items():
        old = body.get(name)
        if value == old or (value in EMPTY and by == "outside"):
            continue
        once = kind is not None and kind.may_change(name) == "once" and old not in EMPTY
        if old in EMPTY or (may_write(owners, name, by) and not once):
            written[name] = _joined(old, value) if _grows(old, value, by) else value
        elif not (_grows(old, value, by) and _joined(old, value) == old):
            kept[name] = {"mine": old, "offered": value, "owner": owners.get(name, "operator")}
    return Split({name: value for name, value in written.items() if value != body.get(name)}, kept)


def _grows(old: Any, new: Any, by: str) -> bool:
    """Whether two lists are joined: what comes from outside adds to a list and takes nothing from it."""
    return by == "outside" and isinstance(old, list) and isinstance(new, list)


def _joined(old: Any, new: Any) -> list[Any]:
    return [*old, *(one for one in new if one not in old)]
