"""Gathering: what the follower of the journal reads to remember: events, and the rows they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import (
    approvals,
    conversations,
    effects,
    events,
    messages,
    notes,
    proposals,
    record_versions,
    records,
    tasks,
)
from soloist.engine.store.tables_memory import memories, outcomes
from soloist.kernel.ids import derived


def after(conn: sa.Connection, seq: int, limit: int) -> list[dict[str, Any]]:
    """Events after a place in the journal without their payloads, in order."""
    columns = (events.c.seq, events.c.id, events.c.kind, events.c.subject, events.c.actor, events.c.at)
    query = sa.select(*columns).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def messages_of(conn: sa.Connection, idents: Sequence[str], arrived: Sequence[str]) -> list[dict[str, Any]]:
    """Messages by id or by the event they came with, each with the record of its conversation, oldest first."""
    where = messages.c.id.in_(list(idents)) | messages.c.event.in_(list(arrived))
    joined = messages.join(conversations, messages.c.conversation == conversations.c.id)
    query = sa.select(messages, conversations.c.record.label("whose")).select_from(joined).where(where)
    return [dict(row) for row in conn.execute(query.order_by(messages.c.at, messages.c.id)).mappings()]


def place(conn: sa.Connection, message: Any) -> int:
    """How many messages of its conversation are older than a message, plus one."""
    older = sa.tuple_(messages.c.at, messages.c.id) < sa.tuple_(sa.literal(message["at"]), sa.literal(message["id"]))
    same = messages.c.conversation == message["conversation"]
    return 1 + int(conn.execute(sa.select(sa.func.count()).where(same & older)).scalar() or 0)


def sent(conn: sa.Connection, idents: Sequence[str]) -> dict[str, str]:
    """Ids that the messages of these effects have, or will have, with the instant they left."""
    if not idents:
        return {}
    joined = effects.join(proposals, effects.c.proposal == proposals.c.id)
    query = sa.select(proposals.c.id, effects.c.updated).select_from(joined)
    query = query.where(effects.c.id.in_(list(idents)) & (proposals.c.conversation != ""))
    return {derived("sent", row.id): str(row.updated) for row in conn.execute(query)}


def answered(conn: sa.Connection, message: Any) -> dict[str, Any] | None:
    """The newest message of ours before one that came in, with the proposal it was sent by: {at, proposal}."""
    mine = (messages.c.conversation == message["conversation"]) & (messages.c.direction == "out")
    joined = messages.join(effects, effects.c.id == messages.c.event)
    query = sa.select(messages.c.at, effects.c.proposal).select_from(joined).where(mine)
    row = conn.execute(query.where(messages.c.at < message["at"]).order_by(messages.c.at.desc()).limit(1)).first()
    return {"at": str(row.at), "proposal": str(row.proposal)} if row else None


def notes_of(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """What was written down about some objects, oldest first."""
    if not idents:
        return []
    query = sa.select(notes).where(notes.c.object.in_(list(idents)) & notes.c.kind.in_(["note", "comment"]))
    return [dict(row) for row in conn.execute(query.order_by(notes.c.at)).mappings()]


def versions_of(conn: sa.Connection, happened: Sequence[str]) -> list[dict[str, Any]]:
    """The versions that some events wrote, in order, each with its record's kind and the body and state before."""
    before = record_versions.alias()
    joined = record_versions.join(records, records.c.id == record_versions.c.record).outerjoin(
        before, (before.c.record == record_versions.c.record) & (before.c.version == record_versions.c.version - 1)
    )
    columns = (records.c.kind, before.c.body.label("before"), before.c.state.label("state_before"))
    query = sa.select(record_versions, *columns).select_from(joined)
    query = query.where(record_versions.c.event.in_(list(happened)))
    query = query.order_by(record_versions.c.at, record_versions.c.record, record_versions.c.version)
    return [dict(row) for row in conn.execute(query).mappings()]


def decided(conn: sa.Connection, idents: Sequence[str]) -> list[tuple[dict[str, Any], dict[str, Any], str]]:
    """Proposals with each decision a person made on them and the title of their card."""
    if not idents:
        return []
    rows = conn.execute(sa.select(proposals).where(proposals.c.id.in_(list(idents)))).mappings()
    found = {row["id"]: dict(row) for row in rows}
    query = sa.select(tasks.c.subject, tasks.c.title).where(tasks.c.subject.in_(list(found)))
    titles = {str(row.subject): str(row.title) for row in conn.execute(query.order_by(tasks.c.created))}
    said = approvals.c.proposal.in_(list(found)) & approvals.c.decision.in_(["approve", "reject"])
    rows = conn.execute(sa.select(approvals).where(said).order_by(approvals.c.at, approvals.c.id)).mappings()
    return [(found[row["proposal"]], dict(row), titles.get(row["proposal"], "")) for row in rows]


def cards_of(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Cards by id."""
    if not idents:
        return []
    return [dict(row) for row in conn.execute(sa.select(tasks).where(tasks.c.id.in_(list(idents)))).mappings()]


def effects_of(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Effects by id, each with the record of its proposal."""
    if not idents:
        return []
    joined = effects.join(proposals, effects.c.proposal == proposals.c.id)
    query = sa.select(effects, proposals.c.record.label("whose")).select_from(joined)
    return [dict(row) for row in conn.execute(query.where(effects.c.id.in_(list(idents)))).mappings()]


def outcomes_of(conn: sa.Connection, happened: Sequence[str]) -> list[dict[str, Any]]:
    """The outcomes that some events noted."""
    query = sa.select(outcomes).where(outcomes.c.event.in_(list(happened)))
    return [dict(row) for row in conn.execute(query).mappings()]


def kept(conn: sa.Connection, refs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Items that last by what they stand for."""
    query = sa.select(memories).where(
        memories.c.ref.in_(list(refs)) & (memories.c.ended == "") & (memories.c.ref != "")
    )
    return {str(row["ref"]): dict(row) for row in conn.execute(query).mappings()}


def saying(conn: sa.Connection, hashes: Sequence[str]) -> list[dict[str, Any]]:
    """Items that last and say exactly these texts."""
    query = sa.select(memories).where(memories.c.hash.in_(list(hashes)) & (memories.c.ended == ""))
    return [dict(row) for row in conn.execute(query.order_by(memories.c.n).limit(500)).mappings()]
