"""Contexts: what a run was given of memory, and the counts and lists that pages and packing ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import facts, origins
from soloist.engine.store.tables import contexts, conversations, effects, events, messages, proposals, records
from soloist.engine.store.tables_memory import context_memories, memories, outcomes
from soloist.engine.store.tables_memory import facts as fact_rows
from soloist.engine.store.tx import Tx


def add(tx: Tx, row: Mapping[str, Any], slices: Sequence[Mapping[str, Any]]) -> str:
    """Keep a context and the slices of memory that were packed into it, in their order; returns its id.

    Its origin is that of all of them together, and its run has read them from now on.
    """
    ident, origin = tx.new_id(), origins.of_slices(tx.conn, row, slices)
    tx.run(contexts.insert(), {**row, "id": ident, "at": tx.now, "origin": origin.told()})
    origins.read(tx, str(row.get("run") or ""), origin)
    names = ("retrieval", "rank", "n", "memory", "hash", "part", "span_from", "span_to")
    rows = [
        {"context": ident, "place": place, **{name: piece[name] for name in names if name in piece}}
        for place, piece in enumerate(slices)
    ]
    if rows:
        tx.run(context_memories.insert(), rows)
    return ident


def held(conn: sa.Connection, idents: Sequence[str], now: str) -> list[dict[str, Any]]:
    """The statements about some records that hold now or are disputed; those that expired are not among them."""
    return [row for row in facts.known(conn, idents, at=now) if not row["expires"] or row["expires"] > now]


def history_size(conn: sa.Connection, idents: Sequence[str], conversation: str) -> int:
    """Characters of every message with some records and of a conversation: what there would be without choosing."""
    threads = sa.select(conversations.c.id).where(conversations.c.record.in_(list(idents)))
    where = messages.c.conversation.in_(threads) | (messages.c.conversation == conversation)
    total = sa.func.sum(sa.func.length(messages.c.text))
    return int(conn.execute(sa.select(total).where(where)).scalar() or 0)


def get(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """One context, or None."""
    row = conn.execute(sa.select(contexts).where(contexts.c.id == ident)).mappings().first()
    return dict(row) if row else None


def fact(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """One statement, ended or not, or None."""
    row = conn.execute(sa.select(fact_rows).where(fact_rows.c.id == ident)).mappings().first()
    return dict(row) if row else None


def slices(conn: sa.Connection, context: str) -> list[dict[str, Any]]:
    """The slices of memory of a context in the order they were packed, each with its item as it was written."""
    joined = context_memories.outerjoin(memories, memories.c.id == context_memories.c.memory)
    columns = [memories.c[name] for name in ("text", "kind", "tier", "trust", "at", "actor", "record", "ref", "ended")]
    query = sa.select(context_memories, *columns).select_from(joined)
    query = query.where(context_memories.c.context == context).order_by(context_memories.c.place)
    return [dict(row) for row in conn.execute(query).mappings()]


def used_in(conn: sa.Connection, memory: str, limit: int = 50) -> list[str]:
    """The contexts an item was packed into, newest first."""
    query = sa.select(context_memories.c.context).where(context_memories.c.memory == memory).distinct()
    return list(conn.execute(query.order_by(context_memories.c.context.desc()).limit(limit)).scalars())


def memories_of(conn: sa.Connection, idents: Sequence[str], limit: int = 50) -> list[dict[str, Any]]:
    """Items about some records that last, newest first."""
    query = sa.select(memories).where(memories.c.record.in_(list(idents)) & (memories.c.ended == ""))
    return [dict(row) for row in conn.execute(query.order_by(memories.c.n.desc()).limit(limit)).mappings()]


def items(conn: sa.Connection, idents: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Items by id."""
    if not idents:
        return {}
    rows = conn.execute(sa.select(memories).where(memories.c.id.in_(list(idents)))).mappings()
    return {str(row["id"]): dict(row) for row in rows}


def told_since(
    conn: sa.Connection, since: str, kinds: Sequence[str], record: str = "", limit: int = 20
) -> list[dict[str, Any]]:
    """Items of some kinds written since an instant (about a record, "" for any), oldest first."""
    query = sa.select(memories).where(memories.c.kind.in_(list(kinds)) & (memories.c.ended == ""))
    query = query.where(memories.c.created >= since)
    query = query.where(memories.c.record == record) if record else query
    return [dict(row) for row in conn.execute(query.order_by(memories.c.n).limit(limit)).mappings()]


def known_object(conn: sa.Connection, ident: str) -> bool:
    """Whether a proposal, effect, record, message or item has this id."""
    parts = [sa.select(sa.literal(1)).where(table.c.id == ident) for table in (proposals, effects, records, messages)]
    parts.append(sa.select(sa.literal(1)).where(memories.c.id == ident))
    return conn.execute(sa.union_all(*parts).limit(1)).first() is not None


def outcomes_about(conn: sa.Connection, idents: Sequence[str], limit: int = 20) -> list[dict[str, Any]]:
    """Outcomes noted on some objects, newest first."""
    query = sa.select(outcomes).where(outcomes.c.object.in_(list(idents)))
    return [dict(row) for row in conn.execute(query.order_by(outcomes.c.at.desc()).limit(limit)).mappings()]


def counted_memories(conn: sa.Connection) -> list[dict[str, Any]]:
    """Rows, characters, oldest and newest instant of what lasts, by tier and kind."""
    figures = (
        sa.func.count().label("rows"),
        sa.func.sum(sa.func.length(memories.c.text)).label("characters"),
        sa.func.min(memories.c.created).label("oldest"),
        sa.func.max(memories.c.created).label("newest"),
    )
    query = sa.select(memories.c.tier, memories.c.kind, *figures).where(memories.c.ended == "")
    rows = conn.execute(query.group_by(memories.c.tier, memories.c.kind).order_by(memories.c.tier, memories.c.kind))
    return [{**dict(row), "characters": int(row["characters"] or 0)} for row in rows.mappings()]


def now_of(conn: sa.Connection) -> str:
    """The recorded instant of the newest event: the present, as far as the house knows."""
    return str(conn.execute(sa.select(sa.func.max(events.c.at))).scalar() or "")


def cost(conn: sa.Connection, limit: int = 500) -> list[dict[str, Any]]:
    """What the newest contexts held of memory and what it cost, newest first: {id, run, at, packed}."""
    columns = (contexts.c.id, contexts.c.run, contexts.c.at, contexts.c.retrieval, contexts.c.packed)
    query = sa.select(*columns).where(contexts.c.packed.is_not(None)).order_by(contexts.c.at.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]
