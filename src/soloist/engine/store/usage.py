"""Usage: how often each operation was used, how it ended, and when last; reads only."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import effects, proposals
from soloist.kernel.proposal import CHANGE_CONNECTOR, CHANGE_OPERATION

COUNTED = 10_000
"""Newest effects that are counted, so that the list costs the same in a home of ten years."""
WORKED = ("succeeded", "resolved_done", "compensating", "compensated", "compensation_failed")
"""States of an effect that happened, whatever became of it later."""
FAILED = ("failed", "resolved_not_done")
UNCLEAR = ("unknown", "reconciling", "needs_human")


def by_operation(conn: sa.Connection) -> dict[tuple[str, str], dict[str, Any]]:
    """{uses, worked, failed, unclear, last} of every operation among the newest ``COUNTED``; ways back are left out."""
    of = effects.c
    newest = sa.select(of.connector, of.operation, of.state, of.updated, of.undoes)
    rows = newest.order_by(of.ordinal.desc()).limit(COUNTED).subquery()
    shape = (rows.c.connector, rows.c.operation, rows.c.state)
    query = sa.select(*shape, sa.func.count(), sa.func.max(rows.c.updated)).where(rows.c.undoes == "")
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for connector, operation, state, count, last in conn.execute(query.group_by(*shape)):
        figures = found.setdefault((connector, operation), _nothing())
        _add(figures, state, int(count), last)
    return found | _changes(conn)


def _nothing() -> dict[str, Any]:
    return {"uses": 0, "worked": 0, "failed": 0, "unclear": 0, "last": ""}


def _add(row: dict[str, Any], state: str, count: int, last: str) -> None:
    row["uses"] += count
    row["worked"] += count * (state in WORKED)
    row["failed"] += count * (state in FAILED)
    row["unclear"] += count * (state in UNCLEAR)
    row["last"] = max(row["last"], last)


def _changes(conn: sa.Connection) -> dict[tuple[str, str], dict[str, Any]]:
    """The same for changes of records, which leave no effect: what was approved was carried out."""
    shape = (proposals.c.connector, proposals.c.operation)
    ours = (proposals.c.connector == CHANGE_CONNECTOR) & (proposals.c.operation == CHANGE_OPERATION)
    newest = sa.select(*shape, proposals.c.state, proposals.c.updated).where(ours)
    rows = newest.order_by(proposals.c.created.desc()).limit(COUNTED).subquery()
    query = sa.select(rows.c.connector, rows.c.operation, sa.func.count(), sa.func.max(rows.c.updated))
    query = query.where(rows.c.state == "approved").group_by(rows.c.connector, rows.c.operation)
    return {
        (connector, operation): _nothing() | {"uses": int(count), "worked": int(count), "last": last}
        for connector, operation, count, last in conn.execute(query)
    }


def latest(conn: sa.Connection, connector: str, operation: str, limit: int) -> list[dict[str, Any]]:
    """The newest proposals of an operation with the state of their first effect ("" before there is one)."""
    effect = sa.select(effects.c.state).where((effects.c.proposal == proposals.c.id) & (effects.c.undoes == ""))
    row = proposals.c
    columns = [row.id, row.state, row.agent, row.source, row.updated, row.connector, row.operation, row.payload]
    query = sa.select(*columns, effect.order_by(effects.c.created).limit(1).scalar_subquery().label("effect"))
    query = query.where((proposals.c.connector == connector) & (proposals.c.operation == operation))
    rows = conn.execute(query.order_by(proposals.c.created.desc(), proposals.c.id).limit(limit)).mappings()
    return [{**row, "effect": row["effect"] or ""} for row in rows]
