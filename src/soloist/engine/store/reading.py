"""Queries that only the read side asks: pages of lists by key, bounded counts, names of objects; nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.events import shown
from soloist.engine.store.tables import (
    contexts,
    conversations,
    effects,
    events,
    messages,
    proposals,
    records,
    runs,
    sessions,
    tasks,
    tokens,
)

Connection = sa.Connection
"""What every query is given: one consistent snapshot of the database."""

CAP = 1000
"""Counts stop here, so that a page costs the same in a home of ten years."""

SEARCHED = 20_000
"""Newest events a search in the activity looks through."""


def waiting(conn: sa.Connection, now: str, limit: int = 200) -> list[dict[str, Any]]:
    """Open cards that wait for the operator and do not sleep, oldest first."""
    query = sa.select(tasks).where(_waits(now)).order_by(tasks.c.created, tasks.c.id).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def waiting_count(conn: sa.Connection, now: str) -> int:
    """How many there are, at most ``CAP``."""
    return _count(conn, sa.select(tasks.c.id).where(_waits(now)))


def open_of_type(conn: sa.Connection, type_: str, limit: int, *, but: str = "") -> list[dict[str, Any]]:
    """Open cards of a type, the newest first; none about this kind of subject."""
    where = (tasks.c.state == "open") & (tasks.c.type == type_) & (tasks.c.subject_kind != but)
    query = sa.select(tasks).where(where).order_by(tasks.c.created.desc(), tasks.c.id).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def _waits(now: str) -> Any:
    awake = (tasks.c.snoozed_until == "") | (tasks.c.snoozed_until <= now)
    return (tasks.c.state == "open") & (tasks.c.waits_for == "operator") & awake


def _count(conn: sa.Connection, query: sa.Select[Any]) -> int:
    return int(conn.execute(sa.select(sa.func.count()).select_from(query.limit(CAP).subquery())).scalar() or 0)


def counts_since(conn: sa.Connection, kinds: tuple[str, ...], seq: int) -> dict[str, int]:
    """Events of each kind after a place in the journal, at most ``CAP`` of one; one question for all of them."""
    values = {"seq": seq, **{f"kind{n}": kind for n, kind in enumerate(kinds)}}
    return {str(row.kind): int(row.many) for row in conn.execute(_counts(len(kinds), CAP), values)}


@cache
def _counts(many: int, cap: int) -> sa.TextClause:
    """Each kind is read through its own index, and no further than the cap."""
    one = (
        "SELECT CAST(:kind{n} AS TEXT) AS kind, (SELECT count(*) FROM"
        " (SELECT 1 AS one FROM events WHERE kind = :kind{n} AND seq > :seq LIMIT {cap}) AS seen) AS many"
    )
    return sa.text(" UNION ALL ".join(one.format(n=n, cap=cap) for n in range(many)))


def before(conn: sa.Connection, seq: int, limit: int, kinds: Collection[str] = ()) -> list[dict[str, Any]]:
    """Events before a place in the journal (0 = its end), newest first; each kind is read through its own index."""
    if not kinds:
        return _newest(conn, seq, limit, None)
    rows = [row for kind in kinds for row in _newest(conn, seq, limit, events.c.kind == kind)]
    return sorted(rows, key=lambda row: -int(row["seq"]))[:limit]


def kinds_after(conn: sa.Connection, seq: int, limit: int = CAP) -> tuple[int, list[str]]:
    """The newest place in the journal, and the kinds of at most ``limit`` events after ``seq``, in order."""
    query = sa.select(events.c.seq, events.c.kind).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
    rows = conn.execute(query).all()
    newest = int(rows[-1].seq) if rows and len(rows) < limit else last_seq(conn)
    return max(newest, 0), [str(row.kind) for row in rows]


def searched(conn: sa.Connection, text: str, seq: int, limit: int) -> list[dict[str, Any]]:
    """Events whose payload, actor or subject holds a text, among the newest ``SEARCHED`` before a place."""
    end = seq or int(conn.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0) + 1
    like = f"%{_escaped(text)}%"
    holds = sa.or_(*(column.ilike(like, escape="\\") for column in (events.c.body, events.c.actor, events.c.subject)))
    return _newest(conn, end, limit, (events.c.seq > end - SEARCHED) & holds)


def _newest(conn: sa.Connection, seq: int, limit: int, where: Any) -> list[dict[str, Any]]:
    query = sa.select(events).order_by(events.c.seq.desc()).limit(limit)
    query = query.where(events.c.seq < seq) if seq else query
    query = query if where is None else query.where(where)
    return [shown(row) for row in conn.execute(query).mappings()]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def named(conn: sa.Connection, noun: str, idents: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Rows of a noun (``proposals``, ``effects``, ``tasks`` ...) by id; missing ones are left out."""
    table = _NOUNS[noun]
    if not idents:
        return {}
    rows = conn.execute(sa.select(table).where(table.c.id.in_(list(idents)))).mappings()
    return {str(row["id"]): dict(row) for row in rows}


_NOUNS: dict[str, sa.Table] = {
    "proposals": proposals,
    "effects": effects,
    "tasks": tasks,
    "messages": messages,
    "records": records,
    "events": events,
    "runs": runs,
    "conversations": conversations,
    "contexts": contexts,
}


def message_of_event(conn: sa.Connection, event: str) -> dict[str, Any] | None:
    """The message that was read from an event, or None."""
    row = conn.execute(sa.select(messages).where(messages.c.event == event).limit(1)).mappings().first()
    return dict(row) if row else None


def messages_of_events(conn: sa.Connection, idents: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Messages that were read from events, by the event's id."""
    if not idents:
        return {}
    rows = conn.execute(sa.select(messages).where(messages.c.event.in_(list(idents)))).mappings()
    return {str(row["event"]): dict(row) for row in rows}


def proposals_of_run(conn: sa.Connection, run: str) -> list[dict[str, Any]]:
    """The proposals a run made, oldest first."""
    query = sa.select(proposals).where(proposals.c.run == run).order_by(proposals.c.created, proposals.c.id)
    return [dict(row) for row in conn.execute(query.limit(50)).mappings()]


def proposals_of_conversation(conn: sa.Connection, conversation: str) -> list[dict[str, Any]]:
    """The newest proposals on a conversation."""
    query = sa.select(proposals).where(proposals.c.conversation == conversation).order_by(proposals.c.created.desc())
    return [dict(row) for row in conn.execute(query.limit(20)).mappings()]


def children(conn: sa.Connection, run: str) -> list[dict[str, Any]]:
    """The runs that a run asked for, oldest first."""
    query = sa.select(runs).where(runs.c.parent == run).order_by(runs.c.started).limit(50)
    return [dict(row) for row in conn.execute(query).mappings()]


def card_about(conn: sa.Connection, subject: str) -> dict[str, Any] | None:
    """The newest card about an object, open or closed, or None."""
    query = sa.select(tasks).where(tasks.c.subject == subject).order_by(tasks.c.created.desc()).limit(1)
    row = conn.execute(query).mappings().first()
    return dict(row) if row else None


def oldest_waiting_run(conn: sa.Connection, flow: str) -> dict[str, Any] | None:
    """The run of a flow that has waited longest, or None."""
    query = sa.select(runs).where((runs.c.state == "waiting") & (runs.c.flow == flow)).order_by(runs.c.started).limit(1)
    row = conn.execute(query).mappings().first()
    return dict(row) if row else None


def effects_waiting(conn: sa.Connection) -> int:
    """Effects that are approved and have not left, at most ``CAP``."""
    return _count(conn, sa.select(effects.c.id).where(effects.c.state == "intended"))


def last_seq(conn: sa.Connection) -> int:
    """The newest place in the journal."""
    return int(conn.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0)


def open_sessions(conn: sa.Connection, used_since: str) -> list[dict[str, Any]]:
    """Sessions that have not ended and were used since an instant, newest use first."""
    query = sa.select(sessions).where((sessions.c.ended == "") & (sessions.c.used > used_since))
    return [dict(row) for row in conn.execute(query.order_by(sessions.c.used.desc()).limit(50)).mappings()]


def live_tokens(conn: sa.Connection, now: str) -> list[dict[str, Any]]:
    """API tokens that have not ended."""
    query = sa.select(tokens).where((tokens.c.ended == "") & ((tokens.c.expires == "") | (tokens.c.expires > now)))
    return [dict(row) for row in conn.execute(query.order_by(tokens.c.created.desc()).limit(100)).mappings()]
