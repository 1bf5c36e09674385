"""Items of memory: written once in one growing row number, ended by a later event, never changed in what they say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.base import is_sqlite
from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.tables_memory import memories
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound
from soloist.kernel.hashing import json_hash, sha256
from soloist.kernel.memory import TIERS, NewMemory

WRITTEN, ENDED = "memory.written", "memory.ended"
_LOCK = 7_302_117
"""Advisory lock of Postgres under which row numbers are given."""


def add(tx: Tx, items: Sequence[NewMemory], *, actor: str, run: str = "") -> list[str]:
    """Write items with one journal event for all of them; answers their ids in order."""
    if not items:
        return []
    if not is_sqlite(tx.conn.dialect.name):
        tx.run(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    last = int(tx.conn.execute(sa.select(sa.func.max(memories.c.n))).scalar() or 0)
    rows = [_row(tx, item, last + place, run) for place, item in enumerate(items, 1)]
    payload = {
        "first": last + 1,
        "last": last + len(rows),
        "count": len(rows),
        "hash": json_hash([row["hash"] for row in rows]),
    }
    event = tx.append(WRITTEN, payload=payload, actor=actor, run=run)
    for row in rows:
        row["event"] = event.id
    tx.run(memories.insert(), rows)
    return [row["id"] for row in rows]


def _row(tx: Tx, item: NewMemory, n: int, run: str) -> dict[str, Any]:
    """The stored row; an item without an expiry gets the one of its tier."""
    lifetime = TIERS[item.tier].lifetime
    expires = item.expires or (iso(from_iso(tx.now) + timedelta(seconds=lifetime)) if lifetime else "")
    return {
        "n": n,
        "id": tx.new_id(),
        "tier": item.tier,
        "scope": item.scope,
        "kind": item.kind,
        "text": item.text,
        "hash": sha256(item.text.encode()),
        "source": item.source,
        "ref": item.ref,
        "at": item.at,
        "actor": item.actor,
        "thread": item.thread,
        "ordinal": item.ordinal,
        "record": item.record,
        "asset": item.asset,
        "span_from": item.span[0],
        "span_to": item.span[1],
        "origin": list(item.origin),
        "trust": item.trust,
        "importance": item.importance,
        "pinned": int(item.pinned),
        "tags": list(item.tags),
        "detail": dict(item.detail or {}),
        "run": run,
        "created": tx.now,
        "expires": expires,
    }


def end(tx: Tx, idents: Sequence[str], *, why: str, actor: str, superseded_by: str = "") -> int:
    """End items that still last, with one event that names them; answers how many."""
    live = [
        row.id for row in tx.rows(sa.select(memories.c.id).where(memories.c.id.in_(idents), memories.c.ended == ""))
    ]
    if not live:
        return 0
    event = tx.append(ENDED, payload={"ids": live, "why": why}, actor=actor)
    values = {"ended": event.id, "ended_why": why, "superseded_by": superseded_by}
    tx.run(memories.update().where(memories.c.id.in_(live)).values(**values))
    return len(live)


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One item, ended or not (NotFound)."""
    row = conn.execute(sa.select(memories).where(memories.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no memory {ident}.")
    return dict(row)


def of_record(conn: sa.Connection, record: str, limit: int = 100) -> list[dict[str, Any]]:
    """What lasts about a record, newest first."""
    query = sa.select(memories).where(memories.c.record == record, memories.c.ended == "")
    return [dict(row) for row in conn.execute(query.order_by(memories.c.n.desc()).limit(limit)).mappings()]


def of_ref(conn: sa.Connection, ref: str) -> list[dict[str, Any]]:
    """Items that stand for a thing and last."""
    query = sa.select(memories).where(memories.c.ref == ref, memories.c.ended == "").order_by(memories.c.n)
    return [dict(row) for row in conn.execute(query).mappings()]
