"""What the operator's time goes to: decisions with their times, interruptions, what ran alone, cards that belong
together; bounded queries, nothing is written but when a card was shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import events, notes, proposals, tasks, verdicts
from soloist.engine.store.tx import Tx

INTERRUPTED = "attention.interrupted"
CLOSED = ("card.done", "card.expired", "card.withdrawn")
CAP = 5000
"""Decisions that are looked at, newest first: half a year of thirty a day."""


def decided(conn: sa.Connection, since: str, kinds: Sequence[str] = CLOSED, limit: int = CAP) -> list[dict[str, Any]]:
    """Cards closed since an instant, newest first, with ``ended`` (the kind of its end) and ``at``."""
    found: list[dict[str, Any]] = []
    columns = (tasks.c.id, tasks.c.type, tasks.c.shown, tasks.c.created, tasks.c.decision, tasks.c.subject)
    for kind in kinds:
        newest = sa.select(events.c.subject, events.c.at, events.c.kind).where(events.c.kind == kind)
        last = newest.order_by(events.c.seq.desc()).limit(limit).subquery()
        query = sa.select(*columns, last.c.at, last.c.kind.label("ended")).join(last, last.c.subject == tasks.c.id)
        found += [dict(row) for row in conn.execute(query.where(last.c.at >= since)).mappings()]
    return sorted(found, key=lambda row: (row["at"], row["id"]), reverse=True)[:limit]


def interruptions(conn: sa.Connection, since: str) -> int:
    """How often the operator was interrupted since an instant, at most 100."""
    newest = sa.select(events.c.at).where(events.c.kind == INTERRUPTED).order_by(events.c.seq.desc()).limit(100)
    return sum(1 for at in conn.execute(newest).scalars() if at >= since)


def was_interrupted_by(conn: sa.Connection, card: str) -> bool:
    """Whether a card has interrupted the operator already."""
    key = (events.c.subject == card) & (events.c.kind == INTERRUPTED)
    return conn.execute(sa.select(events.c.seq).where(key).limit(1)).first() is not None


def seq_at(conn: sa.Connection, instant: str) -> int:
    """The place in the journal of the first event at or after an instant, by halving: some twenty looks."""
    low, high = 1, int(conn.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = conn.execute(sa.select(events.c.at).where(events.c.seq >= middle).order_by(events.c.seq).limit(1)).scalar()
        low, high = (low, middle) if at is None or at >= instant else (middle + 1, high)
    return low


def counted(conn: sa.Connection, kinds: Sequence[str], seq: int, cap: int = 100_000) -> int:
    """Events of these kinds from a place in the journal on, each read through its own index."""
    found = 0
    for kind in kinds:
        inner = sa.select(sa.literal(1)).where((events.c.kind == kind) & (events.c.seq >= seq)).limit(cap).subquery()
        found += int(conn.execute(sa.select(sa.func.count()).select_from(inner)).scalar() or 0)
    return found


def together(conn: sa.Connection, proposal: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The waiting proposals of a bundle in their order; none for a proposal that stands alone."""
    if not proposal.get("bundle"):
        return []
    key = (proposals.c.bundle == proposal["bundle"]) & (proposals.c.state == "waiting")
    query = sa.select(proposals).where(key).order_by(proposals.c.place, proposals.c.created, proposals.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def alike(conn: sa.Connection, proposal: Mapping[str, Any], now: str, limit: int = 200) -> list[dict[str, Any]]:
    """Waiting proposals by the same agent for the same operation whose card is awake, with ``card``, oldest first."""
    awake = (tasks.c.snoozed_until == "") | (tasks.c.snoozed_until <= now)
    same = (
        (proposals.c.state == "waiting")
        & (proposals.c.connector == proposal["connector"])
        & (proposals.c.operation == proposal["operation"])
        & (proposals.c.agent == proposal["agent"])
        & (proposals.c.bundle == "")
    )
    joined = proposals.join(tasks, (tasks.c.subject == proposals.c.id) & (tasks.c.state == "open") & awake)
    query = sa.select(proposals, tasks.c.id.label("card")).select_from(joined).where(same)
    rows = conn.execute(query.order_by(proposals.c.created, proposals.c.id).limit(limit)).mappings()
    return [dict(row) for row in rows]


def cards_of(conn: sa.Connection, subjects: Sequence[str]) -> dict[str, str]:
    """The open cards about these objects: {object: card}."""
    key = tasks.c.subject.in_(list(subjects)) & (tasks.c.state == "open")
    return {str(row.subject): str(row.id) for row in conn.execute(sa.select(tasks.c.subject, tasks.c.id).where(key))}


_BY_OTHERS = ~proposals.c.source.like("soloist%")
"""Letters to the operator go by a grant of their own and need no looking back."""


def ran_alone(conn: sa.Connection, since: str, limit: int = 500) -> list[dict[str, Any]]:
    """Proposals that policy let go without a question since an instant and nobody has looked at, newest first.

    Each with ``mode``, ``rule``, ``grant`` and ``said`` (the reason) of the verdict that let it go.
    """
    said = sa.select(verdicts).where((verdicts.c.when == "proposed") & (verdicts.c.answer == "allow")).subquery()
    looked = sa.exists().where((notes.c.object == proposals.c.id) & (notes.c.kind == REVIEWED))
    more = (said.c.mode, said.c.rule, said.c.grant, said.c.reason.label("said"))
    query = sa.select(proposals, *more).join(said, said.c.proposal == proposals.c.id)
    query = query.where((proposals.c.state == "approved") & (proposals.c.created >= since) & ~looked & _BY_OTHERS)
    rows = conn.execute(query.order_by(proposals.c.created.desc(), proposals.c.id).limit(limit)).mappings()
    return list({row["id"]: dict(row) for row in rows}.values())


REVIEWED = "reviewed"
"""Kind of the note that a person looked at what ran alone."""


def saw(tx: Tx, ident: str, seen: Mapping[str, Any]) -> None:
    """Keep what was shown of a card, by operator; the first time is the instant from which a decision takes."""
    first = sa.case((tasks.c.shown == "", tx.now), else_=tasks.c.shown)
    tx.run(tasks.update().where(tasks.c.id == ident).values(seen=dict(seen), shown=first))


SITTING = "review.begun"


def begun(conn: sa.Connection, seq: int) -> tuple[str, int] | None:
    """When the sitting of this event began, and its minutes; None when the event is another one."""
    key = (events.c.seq == seq) & (events.c.kind == SITTING)
    row = conn.execute(sa.select(events.c.at, events.c.body).where(key)).first()
    return (str(row.at), int(json.loads(row.body)["minutes"])) if row and row.body else None
