"""What memory holds, for those who look at it: figures by tier, whom it is about, items by pages, where they were used.

It writes nothing and ranks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import contexts, proposals, records, runs
from soloist.engine.store.tables_memory import context_memories, facts, memories

NEWEST = 2**62
MOST = 200
"""Rows of one list at the most."""


@dataclass(frozen=True)
class Wanted:
    """Which items are listed; "" is any. ``records`` are ids of whom they are about."""

    tier: str = ""
    scope: str = ""
    trust: str = ""
    kind: str = ""
    records: tuple[str, ...] = ()
    pinned: bool = False
    without: tuple[str, ...] = ()
    """Kinds of items that are left out."""


def _live(now: str) -> sa.ColumnElement[bool]:
    """Items that have not ended, nor outlived their tier."""
    return (memories.c.ended == "") & ((memories.c.expires == "") | (memories.c.expires > now))


def by_tier(conn: sa.Connection, now: str) -> dict[str, dict[str, Any]]:
    """For each tier that holds something: items, characters, unverified, pinned, oldest, next (expiry), over."""
    m = memories.c
    lasts = (m.expires == "") | (m.expires > now)

    def having(condition: Any) -> Any:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    query = sa.select(
        m.tier,
        having(lasts).label("items"),
        sa.func.sum(sa.case((lasts, sa.func.length(m.text)), else_=0)).label("characters"),
        having(lasts & (m.trust == "unverified")).label("unverified"),
        having(lasts & (m.pinned == 1)).label("pinned"),
        having(~lasts).label("over"),
        sa.func.min(m.created).label("oldest"),
        sa.func.min(sa.case((m.expires > now, m.expires))).label("next"),
    ).where(m.ended == "")
    rows = conn.execute(query.group_by(m.tier)).mappings()
    return {str(row["tier"]): {**row, "oldest": row["oldest"] or "", "next": row["next"] or ""} for row in rows}


def by_scope(conn: sa.Connection, limit: int = 50) -> list[tuple[str, int]]:
    """Scopes of what lasts with how many items they hold, the fullest first."""
    query = sa.select(memories.c.scope, sa.func.count().label("many")).where(memories.c.ended == "")
    rows = conn.execute(query.group_by(memories.c.scope).order_by(sa.desc("many"), memories.c.scope).limit(limit))
    return [(str(row.scope), int(row.many)) for row in rows]


def whom(
    conn: sa.Connection, *, text: str = "", kinds: Sequence[str] = (), after: str = "", limit: int = 50
) -> list[dict[str, Any]]:
    """Records with something remembered about them: id, kind, title, items, facts; by title.

    ``kinds`` are those that are asked for (all of them without), ``after`` the "title~id" of the last one seen.
    """
    items = _about(memories).subquery()
    told = _about(facts).subquery()
    joined = records.outerjoin(items, items.c.record == records.c.id).outerjoin(told, told.c.record == records.c.id)
    many, known = (sa.func.coalesce(part.c.many, 0) for part in (items, told))
    title = sa.func.lower(records.c.title)
    query = sa.select(
        records.c.id, records.c.kind, records.c.title, many.label("items"), known.label("facts"), title.label("key")
    ).select_from(joined)
    query = query.where((many + known > 0) & (records.c.merged_into == ""))
    if kinds:
        query = query.where(records.c.kind.in_(kinds))
    if text:
        query = query.where(title.contains(text.lower(), autoescape=True))
    if after:
        seen, _, ident = after.rpartition("~")
        query = query.where(sa.tuple_(title, records.c.id) > sa.tuple_(sa.literal(seen), sa.literal(ident)))
    return [dict(row) for row in conn.execute(query.order_by(title, records.c.id).limit(limit)).mappings()]


def _about(table: Any) -> Any:
    """How many live rows of a table there are about each record."""
    query = sa.select(table.c.record, sa.func.count().label("many"))
    return query.where((table.c.ended == "") & (table.c.record != "")).group_by(table.c.record)


def items(
    conn: sa.Connection, wanted: Wanted, now: str, *, before: int = NEWEST, limit: int = 50
) -> list[dict[str, Any]]:
    """What lasts, newest first, before a row number."""
    m = memories.c
    where = _live(now) & (m.n < before)
    for column, value in ((m.tier, wanted.tier), (m.trust, wanted.trust), (m.kind, wanted.kind)):
        where &= (column == value) if value else sa.true()
    if wanted.scope:
        where &= m.scope == wanted.scope
    if wanted.records:
        where &= m.record.in_(wanted.records)
    if wanted.without:
        where &= m.kind.not_in(wanted.without)
    if wanted.pinned:
        where &= m.pinned == 1
    query = sa.select(memories).where(where).order_by(m.n.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def tiers_of(conn: sa.Connection, idents: Sequence[str], now: str) -> dict[str, int]:
    """How many items of each tier last about these records."""
    query = sa.select(memories.c.tier, sa.func.count()).where(_live(now) & memories.c.record.in_(idents))
    return {str(tier): int(many) for tier, many in conn.execute(query.group_by(memories.c.tier))}


def named(conn: sa.Connection, idents: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Items by id, ended or not; missing ones are left out."""
    if not idents:
        return {}
    rows = conn.execute(sa.select(memories).where(memories.c.id.in_([*idents][:MOST]))).mappings()
    return {str(row["id"]): dict(row) for row in rows}


def facts_named(conn: sa.Connection, idents: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Facts by id, ended or not; missing ones are left out."""
    if not idents:
        return {}
    rows = conn.execute(sa.select(facts).where(facts.c.id.in_([*idents][:MOST]))).mappings()
    return {str(row["id"]): dict(row) for row in rows}


def derived_from(conn: sa.Connection, row: Any, limit: int = 20) -> list[dict[str, Any]]:
    """Items and facts that name an item among their sources: {id, text, table}."""
    names = f'"{row["id"]}"'
    newer = memories.c.n > row["n"]
    into = sa.cast(memories.c.origin, sa.Text).contains(names, autoescape=True)
    found = sa.select(memories.c.id, memories.c.text, memories.c.ended).where(newer & into).limit(limit)
    told = sa.select(facts).where(sa.cast(facts.c.origin, sa.Text).contains(names, autoescape=True)).limit(limit)
    rows = [{**one, "table": "memories"} for one in conn.execute(found).mappings()]
    return [*rows, *({**one, "table": "facts"} for one in conn.execute(told).mappings())]


def replaced(conn: sa.Connection, ident: str) -> list[dict[str, Any]]:
    """Items that this one took the place of, newest first."""
    query = sa.select(memories).where(memories.c.superseded_by == ident).order_by(memories.c.n.desc()).limit(20)
    return [dict(row) for row in conn.execute(query).mappings()]


def used_in(conn: sa.Connection, ident: str, limit: int = 20) -> list[dict[str, Any]]:
    """Contexts that an item was in, newest first: context, part, run, flow, at, and the proposal it led to ("")."""
    joined = context_memories.join(contexts, contexts.c.id == context_memories.c.context)
    joined = joined.outerjoin(runs, runs.c.id == contexts.c.run)
    joined = joined.outerjoin(proposals, (proposals.c.run == contexts.c.run) & (contexts.c.run != ""))
    query = sa.select(
        context_memories.c.context,
        context_memories.c.part,
        context_memories.c.retrieval,
        contexts.c.run,
        contexts.c.at,
        sa.func.coalesce(runs.c.flow, "").label("flow"),
        sa.func.coalesce(proposals.c.id, "").label("proposal"),
        proposals.c.payload,
    ).select_from(joined)
    query = query.where(context_memories.c.memory == ident).order_by(contexts.c.at.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]
