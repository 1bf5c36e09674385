"""What a home says it did, against what the provider really did; pure, so that the checker itself can be tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

NOT_DONE = frozenset({"failed", "resolved_not_done", "refused"})
OPEN = frozenset({"needs_human", "unknown", "reconciling"})
AT_REST = frozenset({"succeeded", "failed", "needs_human", "resolved_done", "resolved_not_done"})


@dataclass
class Story:
    """Everything a checker needs; references name proposals, also on the provider's side."""

    deeds: Counter[str]
    effects: Sequence[dict[str, Any]]
    approved: set[str] = field(default_factory=set)
    sent_again: Counter[str] = field(default_factory=Counter)
    carded: set[str] = field(default_factory=set)
    """Ids of effects that an open card is about."""


def faults(story: Story) -> list[str]:
    """Every broken promise, in words; none for a good story."""
    of = {row["source_ref"]: row for row in story.effects}
    return [
        *_counts(story, of),
        *(f"{ref} was approved and has no effect" for ref in story.approved - set(of)),
        *(f"{row['source_ref']} {said}" for row in story.effects if (said := _claim(row, story))),
    ]


def _counts(story: Story, of: dict[str, dict[str, Any]]) -> list[str]:
    """Deeds nobody approved, doubles, and class A and B that were left undone."""
    found = [f"{ref} was done without approval" for ref in set(story.deeds) - story.approved]
    for ref in story.approved & set(of):
        most, count = 1 + story.sent_again[ref], story.deeds[ref]
        if count > most:
            found.append(f"{ref} was done {count} times")
        if of[ref]["class"] in "AB" and count == 0:
            found.append(f"{ref} of class {of[ref]['class']} was not done: {of[ref]['state']}")
    return found


def _claim(row: dict[str, Any], story: Story) -> str:
    """What is wrong with what one effect says of itself."""
    state, done = row["state"], story.deeds[row["source_ref"]]
    if state == "succeeded" and not done:
        return "is called succeeded, and it did not happen"
    if state in NOT_DONE and done:
        return f"is called {state}, and it happened"
    if state in OPEN and row["id"] not in story.carded:
        return f"is {state} and nobody was told"
    if state not in AT_REST:
        return f"never came to rest: {state}"
    return ""
