"""Streams: how far each stream of a connection was read; the cursor moves in the transaction of its page."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import streams
from soloist.engine.store.tx import Tx

_one = sa.select(streams).where(
    streams.c.connection == sa.bindparam("its_connection"), streams.c.stream == sa.bindparam("its_stream")
)


def get(conn: sa.Connection, connection: str, stream: str) -> dict[str, Any]:
    """Where a stream stands: {cursor, state, done, total, trouble, updated}, empty when it was never read."""
    row = conn.execute(_one, {"its_connection": connection, "its_stream": stream}).mappings().first()
    return dict(row) if row else {"cursor": "", "state": "", "done": 0, "total": 0, "trouble": "", "updated": ""}


def of(conn: sa.Connection, connection: str = "") -> list[dict[str, Any]]:
    """Every stream, or those of one connection."""
    query = sa.select(streams).order_by(streams.c.connection, streams.c.stream)
    if connection:
        query = query.where(streams.c.connection == connection)
    return [dict(row) for row in conn.execute(query).mappings()]


def put(tx: Tx, connection: str, stream: str, **values: Any) -> None:
    """Set columns of a stream; the others stay."""
    key = (streams.c.connection == connection) & (streams.c.stream == stream)
    values["updated"] = tx.now
    if not tx.run(streams.update().where(key).values(**values)).rowcount:
        tx.run(streams.insert(), {"connection": connection, "stream": stream, **values})


def forget(tx: Tx, connection: str) -> None:
    """A connection was taken away: its cursors mean nothing to the next one of that name."""
    tx.run(streams.delete().where(streams.c.connection == connection))
