"""Retention as days by rule: which there are, what they mean in words, what the law forbids; it deletes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.kernel.errors import BadInput

LONGEST = 36_500
"""Days, a hundred years."""


@dataclass(frozen=True)
class Rule:
    """What is kept how long: ``days`` 0 is for good; never fewer than ``least``, for the reason ``law``."""

    name: str
    label: str
    days: int
    then: str
    least: int = 0
    law: str = ""
    group: str = "memory"


_YEARS = "Books must be kept ten years (in Germany section 147 AO); they never leave by themselves."
RULES: tuple[Rule, ...] = (
    Rule("memory.ephemeral", "Memory of one run", 1, "it ends, and leaves the disk after the days of grace"),
    Rule("memory.working", "Memory of a working session", 7, "it ends, unless it was carried over or pinned"),
    Rule("memory.session", "What was said and done lately", 90, "it ends; what was summed up for good stays"),
    Rule("memory.canonical", "What is known for good", 0, "it ends"),
    Rule(
        "memory.grace",
        "Memory that has ended",
        30,
        "it leaves the disk; what a decision rested on is emptied and keeps its hash",
    ),
    Rule(
        "retrievals",
        "What was looked up",
        180,
        "it goes; what a decision rested on stays, without replay",
    ),
    Rule("runs.details", "Inputs and outputs of steps", 180, "they are emptied, their times stay", group="work"),
    Rule("models.texts", "Prompts and answers of models", 180, "they go; what they cost stays", group="work"),
    Rule("runs.engine", "The engine's notes on ended runs", 30, "they go", group="work"),
    Rule("mail.originals", "Originals of mails", 730, "the raw mail goes, its text stays", group="mail"),
    Rule("assets.unused", "Files that nothing points at", 30, "they go", least=1, group="mail"),
    Rule("access.ended", "Sign-ins that have ended", 90, "they go", group="work"),
)
KINDS: Mapping[str, Rule] = {
    kind: Rule(f"records.{kind}", label, 0, "closed ones untouched for so long go", least, law, "records")
    for kind, label, least, law in (
        ("lead", "Enquiries", 0, ""),
        ("idea", "Ideas", 0, ""),
        ("draft", "Drafts", 0, ""),
        ("appointment", "Appointments", 0, ""),
        ("meeting", "Meetings", 0, ""),
        ("publication", "Publications", 0, ""),
        ("offer", "Offers", 2190, "Offers that led to an order are business letters: six years in Germany."),
        ("invoice", "Invoices", 3650, _YEARS),
        ("payment", "Payments", 3650, _YEARS),
    )
}
CLOSED = ("closed", "lost", "retired", "cancelled", "done", "archived", "expired", "answered", "published", "paid")
"""States of records that nobody works on any more."""


def known() -> dict[str, Rule]:
    """Every rule by name, in the order in which it is shown."""
    return {rule.name: rule for rule in (*RULES, *KINDS.values())}


def defaults() -> dict[str, int]:
    """Days by name, as a home begins."""
    return {name: rule.days for name, rule in known().items()}


def checked(given: Mapping[str, Any], current: Mapping[str, int]) -> dict[str, int]:
    """The whole policy with some days changed (BadInput names the rule and what would be right)."""
    rules, found = known(), {**defaults(), **current}
    for name, days in given.items():
        rule = rules.get(name)
        if rule is None:
            raise BadInput(
                f"{name[:80]}: there is no such rule. Known: {', '.join(rules)}.", field=f"rules.{name[:80]}"
            )
        if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= LONGEST:
            raise BadInput(f"{name}: days from 0 (for good) to {LONGEST}, not {days!r}.", field=f"rules.{name}")
        if days and days < rule.least:
            reason = f" {rule.law}" if rule.law else ""
            raise BadInput(f"{name}: 0 (for good) or at least {rule.least} days.{reason}", field=f"rules.{name}")
        found[name] = days
    return {name: found[name] for name in rules}


def words(days: int) -> str:
    """A length of time as a person says it."""
    if not days:
        return "for good"
    for size, one, many in ((365, "year", "years"), (7, "week", "weeks"), (1, "day", "days")):
        if days % size == 0 and (size == 1 or days >= 2 * size or days == 365):
            count = days // size
            return f"{count} {one if count == 1 else many}"
    return f"{days} days"
