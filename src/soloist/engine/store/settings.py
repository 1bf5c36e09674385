"""Small durable switches and marks of one home: the stop button, the home's id, when the operator last looked."""

from __future__ import annotations

import sqlalchemy as sa

from soloist.engine.store.tables import meta
from soloist.engine.store.tx import Tx

STOP = "stop"


_value = sa.select(meta.c.value).where(meta.c.key == sa.bindparam("asked"))


def value(conn: sa.Connection, key: str) -> str:
    """A stored value, "" when there is none."""
    return str(conn.execute(_value, {"asked": key}).scalar() or "")


def put(tx: Tx, key: str, text: str) -> None:
    """Store a value."""
    if tx.run(meta.update().where(meta.c.key == key).values(value=text)).rowcount == 0:
        tx.run(meta.insert(), {"key": key, "value": text})


def stopped(conn: sa.Connection) -> bool:
    """Whether the stop button is pressed."""
    return bool(value(conn, STOP))
