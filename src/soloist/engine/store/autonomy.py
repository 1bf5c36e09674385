"""Autonomy: for each agent and class of operations, how many straight approvals there are and what may go alone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables_out import autonomy
from soloist.engine.store.tx import Tx

_START = {"level": "propose", "straight": 0, "decided": 0, "edited": 0, "offered": "", "changed": "", "why": ""}


def get(conn: sa.Connection, agent: str, operations: str) -> dict[str, Any]:
    """The row of an agent's operation class; one that was never decided on begins at "propose"."""
    key = (autonomy.c.agent == agent) & (autonomy.c.operations == operations)
    row = conn.execute(sa.select(autonomy).where(key)).mappings().first()
    return dict(row) if row else {"agent": agent, "operations": operations, **_START}


def put(tx: Tx, row: dict[str, Any], *, who: str) -> None:
    """Keep a row; a change of its level is an event."""
    old = get(tx.conn, row["agent"], row["operations"])
    moved = old["level"] != row["level"]
    values = {name: row[name] for name in _START} | ({"changed": tx.now} if moved else {})
    key = (autonomy.c.agent == row["agent"]) & (autonomy.c.operations == row["operations"])
    if tx.run(autonomy.update().where(key).values(**values)).rowcount == 0:
        tx.run(autonomy.insert(), {"agent": row["agent"], "operations": row["operations"], **values})
    if moved:
        change = {"from": old["level"], "to": row["level"], "operations": row["operations"], "why": row["why"]}
        tx.append("autonomy.changed", subject=row["agent"], payload=change, actor=who)


def listed(conn: sa.Connection) -> list[dict[str, Any]]:
    """Every row, by agent and class."""
    query = sa.select(autonomy).order_by(autonomy.c.agent, autonomy.c.operations)
    return [dict(row) for row in conn.execute(query).mappings()]
