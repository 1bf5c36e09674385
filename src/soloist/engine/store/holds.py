"""Holds: runs of which nothing leaves until a person lets them go on; kept in rows, so they hold over a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import effects, meta, proposals
from soloist.engine.store.tx import Tx

KEY = "hold."


def put(tx: Tx, run: str, *, who: str, why: str) -> dict[str, Any]:
    """Hold a run; one that is held already stays as it is. Answers {run, since, by, why}."""
    if found := of(tx.conn, run):
        return found
    row = {"run": run, "since": tx.now, "by": who, "why": why}
    tx.run(meta.insert(), {"key": KEY + run, "value": json.dumps(row)})
    tx.append("run.held", subject=run, payload={"why": why}, run=run, actor=who)
    return row


def lift(tx: Tx, run: str, *, who: str) -> bool:
    """Let a run go on; False when it was not held."""
    gone = tx.run(meta.delete().where(meta.c.key == KEY + run)).rowcount == 1
    if gone:
        tx.append("run.released", subject=run, run=run, actor=who, payload={})
    return gone


def of(conn: sa.Connection, run: str) -> dict[str, Any] | None:
    """The hold of a run itself, or None."""
    text = conn.execute(sa.select(meta.c.value).where(meta.c.key == KEY + run)).scalar()
    return dict(json.loads(text)) if text else None


def on(conn: sa.Connection, effect: Mapping[str, Any]) -> bool:
    """Whether an effect is held: its own run, its proposal's, or the run that proposed it."""
    keys = [f"{KEY}{effect['run']}", f"{KEY}proposal:{effect['proposal']}"]
    made = sa.select(sa.literal(KEY).op("||")(proposals.c.run)).where(proposals.c.id == effect["proposal"])
    where = meta.c.key.in_(keys) | (meta.c.key == made.scalar_subquery())
    return conn.execute(sa.select(meta.c.key).where(where).limit(1)).first() is not None


def below(conn: sa.Connection, run: str) -> list[dict[str, Any]]:
    """Effects of a run that have not left: its own, its proposals', those of proposals it made."""
    ids = sa.select(proposals.c.id).where((proposals.c.run == run) | (proposals.c.id == run.removeprefix("proposal:")))
    where = (effects.c.run == run) | effects.c.proposal.in_(ids)
    query = sa.select(effects).where(where & effects.c.state.in_(["intended", "refused", "unknown"]))
    return [dict(row) for row in conn.execute(query.order_by(effects.c.ordinal).limit(200)).mappings()]
