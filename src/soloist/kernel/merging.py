"""Two records that are one: the life of a merge, the one view of both, and what a proposal rests on; nothing is stored.

A merge rewrites neither record. The other one leads to the kept one until the merge is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.kernel.errors import BadInput
from soloist.kernel.hashing import json_hash
from soloist.kernel.states import Machine

MERGE = Machine(
    "merge",
    "proposed",
    {
        "proposed": {"merged", "apart", "gone"},
        "merged": {"unmerged"},
        "apart": {"proposed", "merged"},
        "unmerged": {"merged", "proposed"},
        "gone": {"proposed"},
    },
    ends=frozenset({"gone"}),
)
"""Apart and unmerged are remembered: the pair is proposed again only when its evidence has changed."""

CHOICES = ("kept", "other", "both")
"""Whose value of a field shows: the kept record's, the other's, or a list of both."""
EMPTY: tuple[Any, ...] = (None, "", [], {})


def check_choices(choices: Mapping[str, Any], kept: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """BadInput names the field that neither has, or a choice there is not."""
    for name, choice in choices.items():
        if choice not in CHOICES:
            raise BadInput(f'choices.{name}: "kept", "other" or "both".', field=f"choices.{name}")
        if name not in kept and name not in other:
            raise BadInput(f"choices.{name}: neither record has a field {name[:60]!r}.", field=f"choices.{name}")


def combined(kept: Mapping[str, Any], other: Mapping[str, Any], choices: Mapping[str, str]) -> dict[str, Any]:
    """The fields of both as one: as chosen, else the kept record's value, the other's where that is empty.

    Lists are put together, what stands in the kept record first.
    """
    found = dict(kept)
    for name, theirs in other.items():
        ours = kept.get(name)
        lists = isinstance(ours, list) and isinstance(theirs, list)
        choice = choices.get(name) or ("both" if lists else "kept")
        if ours in EMPTY or (choice == "other" and theirs not in EMPTY):
            found[name] = theirs
        elif choice == "both" and theirs not in EMPTY:
            first = ours if isinstance(ours, list) else [ours]
            more = theirs if isinstance(theirs, list) else [theirs]
            found[name] = [*first, *(one for one in more if one not in first)]
    return found


def digest(fields: Sequence[Mapping[str, Any]]) -> str:
    """What a pair's evidence says, as a hash: when it is another one, the pair may be asked about again."""
    return json_hash(
        sorted([str(f["field"]), *sorted((str(f["here"]), str(f["there"]))), f["verdict"]] for f in fields)
    )
