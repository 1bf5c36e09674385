"""Everything that hangs on a person or a company: queries over their conversations; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import conversations, effects, messages, proposals, records, runs, tasks
from soloist.engine.store.tabling import field

MOST = 100
"""Rows of one list at the most; messages come by pages."""


def people_of(conn: sa.Connection, company: str) -> list[dict[str, Any]]:
    """The people of a company, by name."""
    theirs = (records.c.kind == "person") & (field(conn, "company") == company) & (records.c.state != "retired")
    theirs &= records.c.merged_into == ""
    query = sa.select(records).where(theirs).order_by(sa.func.lower(records.c.title), records.c.id).limit(MOST)
    return [dict(row) for row in conn.execute(query).mappings()]


def with_merged(conn: sa.Connection, idents: Sequence[str]) -> list[str]:
    """These records and everything that was merged into them, each once."""
    found, fresh = list(dict.fromkeys(idents)), list(idents)
    while fresh and len(found) < MOST * 10:
        query = sa.select(records.c.id).where(records.c.merged_into.in_(fresh))
        fresh = [ident for ident in conn.execute(query).scalars() if ident not in found]
        found += fresh
    return found


def leads_of(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """The enquiries of people or companies, newest change first."""
    whose = field(conn, "person").in_(idents) | field(conn, "company").in_(idents)
    query = sa.select(records).where((records.c.kind == "lead") & whose)
    rows = conn.execute(query.order_by(records.c.updated.desc(), records.c.id.desc()).limit(MOST)).mappings()
    return [dict(row) for row in rows]


def _threads(idents: Sequence[str]) -> Any:
    """Ids of the conversations of these records, as part of a query."""
    return sa.select(conversations.c.id).where(conversations.c.record.in_(idents))


def messages_of(
    conn: sa.Connection, idents: Sequence[str], *, before: tuple[str, str] | None, limit: int
) -> list[dict[str, Any]]:
    """Messages that came or went on their conversations, newest first, after the (at, id) of the last one seen."""
    query = sa.select(messages).where(messages.c.conversation.in_(_threads(idents)) & (messages.c.direction != "own"))
    if before is not None:
        query = query.where(sa.tuple_(messages.c.at, messages.c.id) < sa.tuple_(*map(sa.literal, before)))
    rows = conn.execute(query.order_by(messages.c.at.desc(), messages.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows]


def counted(conn: sa.Connection, idents: Sequence[str]) -> dict[str, tuple[int, str, str]]:
    """By direction: how many messages, the first and the last instant."""
    figures = (sa.func.count(), sa.func.min(messages.c.at), sa.func.max(messages.c.at))
    where = messages.c.conversation.in_(_threads(idents)) & (messages.c.direction != "own")
    query = sa.select(messages.c.direction, *figures).where(where)
    found = conn.execute(query.group_by(messages.c.direction)).all()
    return {str(way): (int(number), str(first), str(last)) for way, number, first, last in found}


def with_documents(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """The newest messages that have attachments: id, at, direction, subject, attachments."""
    columns = (messages.c[name] for name in ("id", "at", "direction", "subject", "attachments"))
    has = messages.c.attachments.is_not(None) & (sa.cast(messages.c.attachments, sa.Text).not_in(["[]", "null"]))
    query = sa.select(*columns).where(messages.c.conversation.in_(_threads(idents)) & has)
    rows = conn.execute(query.order_by(messages.c.at.desc(), messages.c.id.desc()).limit(MOST)).mappings()
    return [dict(row) for row in rows]


def message_with(conn: sa.Connection, idents: Sequence[str], message: str) -> dict[str, Any] | None:
    """A message if it is on one of their conversations, else None."""
    query = sa.select(messages).where((messages.c.id == message) & messages.c.conversation.in_(_threads(idents)))
    row = conn.execute(query).mappings().first()
    return dict(row) if row else None


def open_cards(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Open cards about them or on their conversations, oldest first."""
    about = tasks.c.record.in_(idents) | tasks.c.conversation.in_(_threads(idents))
    query = sa.select(tasks).where((tasks.c.state == "open") & about).order_by(tasks.c.created, tasks.c.id).limit(MOST)
    return [dict(row) for row in conn.execute(query).mappings()]


PROMISED = "You promised: "
"""How the title of a card begins that holds a promise of the operator's own."""


def promises_of(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Cards that hold what the operator promised them, open and closed, newest first."""
    about = tasks.c.record.in_(idents) | tasks.c.conversation.in_(_threads(idents))
    promise = (tasks.c.type == "task") & tasks.c.title.startswith(PROMISED, autoescape=True)
    query = sa.select(tasks).where(promise & about).order_by(tasks.c.created.desc(), tasks.c.id).limit(20)
    return [dict(row) for row in conn.execute(query).mappings()]


def waiting_proposals(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Proposals on their conversations, or about their records, that nobody has decided, oldest first."""
    about = proposals.c.record.in_(idents) | proposals.c.conversation.in_(_threads(idents))
    query = sa.select(proposals).where((proposals.c.state == "waiting") & about)
    return [dict(row) for row in conn.execute(query.order_by(proposals.c.created).limit(MOST)).mappings()]


def pending_follow_ups(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Reminders that wait for an answer on their conversations: run, started, conversation and its subject."""
    joined = runs.join(conversations, runs.c.subject == conversations.c.id)
    columns = (runs.c.id, runs.c.started, conversations.c.id.label("conversation"), conversations.c.subject)
    waits = (runs.c.flow == "followup") & runs.c.state.in_(["waiting", "pending"])
    query = sa.select(*columns).select_from(joined).where(waits & conversations.c.record.in_(idents))
    return [dict(row) for row in conn.execute(query.order_by(runs.c.started).limit(MOST)).mappings()]


def returned(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """What went out to them and came back later: effect, its proposal's payload, and what the bounce said."""
    joined = effects.join(proposals, effects.c.proposal == proposals.c.id)
    columns = (effects.c.id, effects.c.late, effects.c.updated, proposals.c.payload)
    late = effects.c.late.is_not(None) & (sa.cast(effects.c.late, sa.Text) != "null")
    query = sa.select(*columns).select_from(joined).where(late & proposals.c.conversation.in_(_threads(idents)))
    return [dict(row) for row in conn.execute(query.order_by(effects.c.updated.desc()).limit(MOST)).mappings()]
