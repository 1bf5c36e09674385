"""Ladder: how much may go alone, earned by straight approvals and lost at once; pure figures and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from soloist.stages.policy.facts import Facts
from soloist.stages.policy.gates import NEVER_EARNED, tripped

LEVELS = ("observe", "propose", "limited", "full")
"""Observe: nothing is even asked. Propose: everything asks. Limited: some a day alone. Full: all of it alone."""

CLASSES: Mapping[str, tuple[str, float, int]] = {
    "undoable": ("what can be taken back exactly", 0.80, 11),
    "template mail": ("mail from your templates on known threads, held before it leaves", 0.90, 25),
    "client mail": ("other mail to clients", 0.95, 52),
}
"""Classes that can be earned: words, the lower bound that must be reached, the straight approvals that reach it."""

PER_DAY = 10
"""How many a limited grant lets go in 24 hours."""
DAYS = 90
"""How long an earned grant lives."""


def class_of(facts: Facts) -> str:
    """The operation class of a proposal: internal, undoable, template mail, client mail or other."""
    if facts.kind == "change":
        return "internal"
    if NEVER_EARNED & set(tripped(facts)):
        return "other"
    if facts.undo == "exact":
        return "undoable"
    if not facts.message or facts.audience in ("list", "public") or len(facts.recipients) > 1:
        return "other"
    if facts.held and facts.thread_known and facts.template:
        return "template mail"
    return "client mail"


def needed(operations: str, offered: str) -> int:
    """Straight approvals at which a grant is offered, 0 for never; ``offered`` is the number after a refusal."""
    if operations not in CLASSES:
        return 0
    return int(offered) if offered.isdigit() else CLASSES[operations][2]


def bound(operations: str, target: float) -> float:
    """The lower bound that proves what writes operations of a class; ``target`` where nothing is ever earned."""
    return CLASSES[operations][1] if operations in CLASSES else target


@dataclass(frozen=True)
class Offer:
    """What an earned grant lets go: its gates, its condition and how it can be taken back."""

    title: str
    gates: tuple[str, ...]
    when: str
    window: str


def offer(operations: str, operation: str) -> Offer:
    """The grant that a class earns for one operation."""
    if operations == "undoable":
        return Offer(f"{operation} goes alone", (), 'proposal.undo == "exact"', "24h")
    if operations == "template mail":
        when = 'proposal.held && proposal.thread_known && proposal.template != ""'
        return Offer("Template mail on known threads goes alone", ("client contact",), when, "10m")
    return Offer("Mail to clients you know goes alone", ("client contact",), "size(proposal.recipients) == 1", "10m")
