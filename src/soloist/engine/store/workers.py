"""Processes of one home: their rows, the Postgres locks that show who lives, and what the dead left; runs nothing."""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.base import is_sqlite
from soloist.engine.store.tables import workers
from soloist.engine.store.tx import Tx

_HELD = sa.text(
    "SELECT classid, objid FROM pg_locks WHERE locktype='advisory' AND objsubid=1 AND granted"
    " AND database=(SELECT oid FROM pg_database WHERE datname=current_database())"
)
_ORPHANS = sa.text(
    "SELECT DISTINCT executor_id FROM dbos.workflow_status WHERE status='PENDING'"
    " AND executor_id NOT IN (SELECT executor FROM workers WHERE ended='')"
)
_UNHELD = sa.text("SELECT pg_try_advisory_xact_lock(:n)")


def number(boot: str) -> int:
    """The number of the advisory lock that a process holds for as long as it lives: 64 bits of its boot id's hash."""
    return int.from_bytes(hashlib.sha256(f"soloist:{boot}".encode()).digest()[:8], "big", signed=True)


def begin(tx: Tx, boot: str, row: dict[str, Any]) -> None:
    """Write that a process lives: kind, executor, host, pid. The same boot again lives again."""
    values = {**row, "started": tx.now, "seen": tx.now, "ended": ""}
    if tx.run(workers.update().where(workers.c.boot == boot).values(**values)).rowcount == 0:
        tx.run(workers.insert(), {"boot": boot, **values})


def see(tx: Tx, boot: str) -> None:
    """Write that a process was there just now."""
    tx.run(workers.update().where(workers.c.boot == boot).values(seen=tx.now))


def end(tx: Tx, boot: str) -> None:
    """Write that a process ended in order."""
    tx.run(workers.update().where((workers.c.boot == boot) & (workers.c.ended == "")).values(seen=tx.now, ended=tx.now))


def end_others(tx: Tx, boot: str) -> None:
    """Write that this is the only process, which on SQLite the lock of the home proves."""
    tx.run(workers.update().where((workers.c.boot != boot) & (workers.c.ended == "")).values(ended=tx.now))


def seize(tx: Tx, boot: str) -> bool:
    """Mark a process as ended if its lock is free; False when it lives, is marked already, or another one looks at it.

    Both locks are held to the end of the transaction, so the process can neither come back nor begin an attempt.
    """
    row = sa.select(workers.c.boot).where((workers.c.boot == boot) & (workers.c.ended == ""))
    if tx.run(row.with_for_update(skip_locked=True)).first() is None:
        return False
    if not tx.run(_UNHELD, {"n": number(boot)}).scalar():
        return False
    tx.run(workers.update().where(workers.c.boot == boot).values(ended=tx.now))
    return True


def lives(tx: Tx, boot: str) -> bool:
    """Whether this process is not marked as ended; it cannot be marked before this transaction ends."""
    row = sa.select(workers.c.boot).where((workers.c.boot == boot) & (workers.c.ended == ""))
    return tx.run(row.with_for_update(read=True)).first() is not None


def living(conn: sa.Connection) -> list[dict[str, Any]]:
    """Every process that is not marked as ended, oldest first."""
    query = sa.select(workers).where(workers.c.ended == "").order_by(workers.c.started)
    return [dict(row) for row in conn.execute(query).mappings()]


def newest(conn: sa.Connection, limit: int = 20) -> list[dict[str, Any]]:
    """Processes, newest first, ended ones included."""
    query = sa.select(workers).order_by(workers.c.started.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def unheld(conn: sa.Connection) -> list[dict[str, Any]]:
    """Processes that are not marked as ended although nobody holds their lock; none on SQLite, where one is alone."""
    if is_sqlite(conn.dialect.name):
        return []
    held = {(row.classid << 32) | row.objid for row in conn.execute(_HELD)}
    return [row for row in living(conn) if number(row["boot"]) % 2**64 not in held]


def orphans(conn: sa.Connection) -> list[str]:
    """Executors that have unfinished runs and no living process (Postgres only)."""
    return list(conn.execute(_ORPHANS).scalars())
