"""Suggesting: one line a month about a way that repeats, from what was measured in the month before; it nags nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from soloist.engine.store import grants, repeats
from soloist.engine.store.reading import Connection
from soloist.insight import playbooks, words
from soloist.kernel.agent import AgentSpec

LEAST = 5
"""Times that something has to come in a month before it is worth a line."""
FOR_KIND: Mapping[str, tuple[str, str]] = {
    "scheduling": ("scheduler", "about dates"),
    "billing": ("billing", "about invoices and payments"),
    "support": ("support_triage", "that ask for help"),
    "enquiry": ("intake", "that are enquiries"),
}
"""Kind of message to the role that works on such ones, and how they are called."""


@dataclass(frozen=True)
class Suggestion:
    """What could be switched on or looked at, how often it was measured, and the page where it is done."""

    text: str
    count: int
    href: str
    month: str


def month_before(now: datetime) -> tuple[str, str]:
    """Begin and end of the calendar month before an instant (ISO 8601, UTC)."""
    end = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begin = (end - timedelta(days=1)).replace(day=1)
    return f"{begin:%Y-%m-%dT%H:%M:%S}.000000Z", f"{end:%Y-%m-%dT%H:%M:%S}.000000Z"


def suggestion(
    conn: Connection, now: datetime, specs: Mapping[str, AgentSpec], states: Mapping[str, tuple[str, str]]
) -> Suggestion | None:
    """The strongest one of the month before, the same for the whole month; None when nothing repeated."""
    since, until = month_before(now)
    found = [
        *_asleep(repeats.kinds_of_messages(conn, since, until), specs, states),
        *_failing(repeats.stopped(conn, since, until)),
        *_always(conn, repeats.decided(conn, since, until)),
        *_alike(conn, since, until),
    ]
    if not found:
        return None
    count, text, href = max(found, key=lambda one: (one[0], one[1]))
    return Suggestion(text, count, href, since[:7])


Found = tuple[int, str, str]


def _asleep(
    counted: Mapping[str, int], specs: Mapping[str, AgentSpec], states: Mapping[str, tuple[str, str]]
) -> list[Found]:
    """Kinds of messages whose role is paused."""
    found = []
    for kind, (role, called) in FOR_KIND.items():
        number, state = counted.get(kind, 0), states.get(role, ("active", ""))[0]
        if number >= LEAST and role in specs and state == "paused":
            told = f"Switch on {role}: {words.counted(number, 'message')} {called} last month, and it is paused."
            found.append((number, told, f"/agents/{role}"))
    return found


def _failing(counted: Mapping[str, int]) -> list[Found]:
    """Flows that stopped again and again."""
    return [
        (number, f"Look at what stops {flow}: {words.counted(number, 'run')} of it failed last month.", "/failures")
        for flow, number in counted.items()
        if number >= LEAST
    ]


def _alike(conn: Any, since: str, until: str) -> list[Found]:
    """Plans of one sort that were carried out again and again and are no playbook yet."""
    known = playbooks.titles(conn)
    return [
        (
            one.times,
            f"Keep {one.title!r} as a playbook: {one.times} plans like it were carried out.",
            "/playbooks#likely",
        )
        for one in playbooks.likely(conn, known, since, until)
        if one.times >= playbooks.LIKE
    ]


def _always(conn: Any, decided: list[tuple[str, str, str]]) -> list[Found]:
    """What was approved every time, by an agent for whose operation there is no grant yet."""
    live = {(str(g["agent"]).partition("@")[0], g["operation"]) for g in grants.listed(conn, limit=1000, state="live")}
    total: Counter[tuple[str, str]] = Counter((agent.partition("@")[0], what) for agent, what, _ in decided)
    never = {(agent.partition("@")[0], what) for agent, what, state in decided if state == "rejected"}
    found = []
    for (agent, what), number in total.items():
        if number >= LEAST and agent and (agent, what) not in never and (agent, what) not in live:
            told = (
                f"You approved all {number} proposals of {agent} ({what}) last month: a grant could let them go alone."
            )
            found.append((number, told, "/policy"))
    return found
