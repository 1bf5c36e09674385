"""Mismatch: the kinds of difference between inside and outside, what can be done about each, and what that leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MISSING_OUTSIDE = "missing_outside"
MISSING_INSIDE = "missing_inside"
DIFFERS = "differs"
DUPLICATE = "duplicate"
UNATTRIBUTED = "unattributed"

KINDS: Mapping[str, str] = {
    MISSING_OUTSIDE: "Missing outside",
    MISSING_INSIDE: "Missing here",
    DIFFERS: "Differs",
    DUPLICATE: "There twice",
    UNATTRIBUTED: "Not from here",
}
"""Every kind with its name as a person reads it, in the order they are shown."""

MEANING: Mapping[str, str] = {
    MISSING_OUTSIDE: "We hold it as done, and it is not there.",
    MISSING_INSIDE: "It is there, and we do not hold it as done.",
    DIFFERS: "It is there with other content than was sent.",
    DUPLICATE: "It is there more than once.",
    UNATTRIBUTED: "It is there and carries no key of ours: somebody or something else wrote it.",
}

DONE = frozenset({"succeeded", "resolved_done", "compensation_failed"})
"""States of an effect in which the result should be there."""
UNCERTAIN = frozenset({"unknown", "reconciling", "needs_human"})
WAITING = frozenset({"intended", "claimed"})
IN_FLIGHT = frozenset({"attempting", "compensating", "refused"})
"""States that say nothing yet."""

OUTSIDE, INSIDE = "outside", "inside"
COPY = "copy:"
"""Begins the group of an effect that stands for a second one found outside, so that it can be taken back."""


@dataclass(frozen=True)
class Option:
    """One thing that can be done about a mismatch; ``hands`` when a person must do something outside."""

    name: str
    label: str
    consequence: str
    hands: bool = False


SEND_AGAIN = Option(
    "send_again", "Send it again", "A fresh proposal waits in the inbox. Nothing leaves before you say so."
)
GONE = Option("accept", "Accept: it is gone", "Nothing is sent. It stays listed as accepted until it changes.")
TAKE_AS_DONE = Option("take_as_done", "Take it as done", "It is marked as done with what was found. Nothing is sent.")
LEAVE = Option("accept", "Accept as it is", "Nothing is changed, here or there. It opens again when it changes.")
CHOOSE = Option(
    "choose", "Settle field by field", "For each field the side you choose wins; what changes is proposed first."
)
TAKE_BACK = Option(
    "take_back", "Take one back", "The declared way back of this operation runs, as an effect of its own."
)
BY_HAND = Option(
    "by_hand", "I mend it by hand", "A task for your hands is listed until you say that it is done.", hands=True
)
MINE = Option("mine", "It was me", "It is kept as your own doing. Nothing is sent.")
NOTE = Option("record", "Record it", "A note with its content is kept. Nothing is sent.")
INVESTIGATE = Option(
    "investigate", "Look into it", "A task for your hands is listed until you say that it is done.", hands=True
)


def options(row: Mapping[str, Any]) -> tuple[Option, ...]:
    """What can be done about a mismatch; the first is the one that is offered first."""
    kind, inside = row["kind"], row["inside"] or {}
    if kind == MISSING_OUTSIDE:
        return (SEND_AGAIN, GONE, BY_HAND)
    if kind == MISSING_INSIDE:
        settled = inside.get("state") in UNCERTAIN | WAITING
        return (*((TAKE_AS_DONE,) if settled else ()), LEAVE, BY_HAND)
    if kind == DIFFERS:
        return (CHOOSE, LEAVE, BY_HAND)
    if kind == DUPLICATE:
        return (*((TAKE_BACK,) if inside.get("undo") in ("exact", "offset") else ()), LEAVE, BY_HAND)
    return (MINE, NOTE, INVESTIGATE)
