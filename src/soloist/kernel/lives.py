"""The declared lives of proposals, effects, cards, runs and runs' starts; who moves them is decided elsewhere."""

from __future__ import annotations

from soloist.kernel.states import Machine

PROPOSAL = Machine(
    "proposal",
    "waiting",
    {
        "waiting": {"approved", "rejected", "denied", "expired", "withdrawn", "superseded"},
        "approved": {"superseded", "withdrawn"},
        "rejected": set(),
        "denied": set(),
        "expired": set(),
        "withdrawn": set(),
        "superseded": set(),
    },
)
"""Approved becomes superseded when it is undone while held, or when what it rested on moved before it left; withdrawn
when the operator answered by other means before it left."""

EFFECT = Machine(
    "effect",
    "intended",
    {
        "intended": {"claimed", "resolved_not_done"},
        "claimed": {"attempting", "intended", "resolved_not_done"},
        "attempting": {"succeeded", "refused", "unknown"},
        "refused": {"intended", "failed"},
        "unknown": {"reconciling", "needs_human", "intended"},
        "reconciling": {"succeeded", "intended", "needs_human"},
        "needs_human": {"resolved_done", "resolved_not_done", "intended"},
        "succeeded": {"compensating", "failed"},
        "resolved_done": {"compensating", "failed"},
        "compensating": {"compensated", "compensation_failed"},
        "failed": set(),
        "resolved_not_done": set(),
        "compensated": set(),
        "compensation_failed": set(),
    },
)
"""The life of an approved proposal at the outside; nothing leads back from attempting but an answer or a doubt.

A receipt says that the other side took it; a bounce that comes later turns it to failed.
"""

TASK = Machine(
    "card",
    "open",
    {"open": {"done", "expired", "withdrawn"}, "done": set(), "expired": set(), "withdrawn": set()},
)

RUN = Machine(
    "run",
    "pending",
    {
        "pending": {"running"},
        "running": {"waiting", "done", "failed"},
        "waiting": {"running", "done", "failed"},
        "done": set(),
        "failed": set(),
    },
)
