"""The declared lives of everything that has states; who moves them is decided elsewhere."""

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
        "compensation_failed": {"compensating", "compensated"},
    },
)
"""The life of an approved proposal at the outside; nothing leads back from attempting but an answer or a doubt.

A receipt says that the other side took it; a bounce or dispute that comes later turns it to failed. A way back that
failed can be tried again, or a person says that it was taken back by hand.
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

SAGA = Machine(
    "way back",
    "running",
    {"running": {"done", "stopped"}, "stopped": {"running", "left"}, "done": set(), "left": set()},
)
"""Taking back a bundle, last effect first; it stops at the first that cannot be taken back and waits for a person."""

GRANT = Machine(
    "grant",
    "offered",
    {
        "offered": {"live", "declined", "expired"},
        "live": {"revoked", "expired", "lost"},
        "declined": set(),
        "revoked": set(),
        "expired": set(),
        "lost": set(),
    },
)
"""A grant is offered by the ladder or made live at once by the operator; a correction loses it."""

MISMATCH = Machine(
    "mismatch",
    "open",
    {
        "open": {"fixing", "accepted", "gone"},
        "fixing": {"gone", "open"},
        "accepted": {"open", "gone"},
        "gone": {"open"},
    },
    ends=frozenset({"gone"}),
)
"""A difference between inside and outside; one that comes back is open again."""

FAILURE = Machine(
    "failure",
    "open",
    {"open": {"quarantined", "closed"}, "quarantined": {"open", "closed"}, "closed": {"open"}},
    ends=frozenset({"closed"}),
)
"""One kind of fault on the failure board, however often it happens; it opens again when it comes back."""
