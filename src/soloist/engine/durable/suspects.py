"""Suspects: runs in whose middle the process ended again and again; they go on alone, and at last not by themselves.

A run that waits for somebody is never one: only runs of flows that do not park were working when the process ended.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from soloist.engine.store import base
from soloist.engine.store.tables import meta, runs
from soloist.engine.store.tx import Tx

ALONE, MOST = 3, 5
"""Ends in whose middle a run stood before it goes on alone, and before it is given up until a person says so."""
COUNT = "ended in:"
BEGUN = "+"
WHY = (
    "The process ended {count} times while it worked on this, and nothing else ran beside it the last times. "
    "It is set aside, so that the rest can go on. A very large or damaged input, or too little memory, does this."
)


def count(tx: Tx, working: Sequence[str]) -> dict[str, int]:
    """Count one more end for each run that was working; how many each has by now. Runs that ended are forgotten.

    A suspect counts only when it had begun to go on alone: an end that comes before that is not its doing.
    """
    known = {
        row.key.removeprefix(COUNT): str(row.value)
        for row in tx.conn.execute(sa.select(meta).where(meta.c.key.like(f"{COUNT}%")))
    }
    found = {run: _ends(known.get(run, "0")) for run in working}
    for run in known:
        tx.run(meta.delete().where(meta.c.key == COUNT + run))
    for run, ends in found.items():
        tx.run(meta.insert(), {"key": COUNT + run, "value": str(ends)})
    return found


def _ends(kept: str) -> int:
    """One more than was kept; a suspect that had not begun stays what it was."""
    ends = int(kept.removesuffix(BEGUN))
    return ends if ends >= ALONE and not kept.endswith(BEGUN) else ends + 1


def goes_on(tx: Tx, run: str) -> None:
    """Mark that a suspect begins to go on alone."""
    key = meta.c.key == COUNT + run
    tx.run(meta.update().where(key & meta.c.value.not_like(f"%{BEGUN}")).values(value=meta.c.value + BEGUN))


def working(conn: sa.Connection, parking: Collection[str]) -> list[str]:
    """Runs that had begun and not ended, of flows that do not park."""
    query = sa.select(runs.c.id).where((runs.c.state == "running") & runs.c.flow.not_in(list(parking)))
    return list(conn.execute(query.order_by(runs.c.started)).scalars())


def set_aside(tx: Tx, found: Sequence[str]) -> None:
    """Keep the library from going on with these runs when it is launched."""
    table = status_table(tx.conn)
    if not table:
        return
    begun = "workflow_uuid=:run AND status IN ('PENDING', 'ENQUEUED')"
    stop = f"UPDATE {table} SET status='CANCELLED' WHERE {begun}"  # noqa: S608  # constant names
    for run in found:
        tx.run(sa.text(stop), {"run": run})


def dead(conn: sa.Connection, version: str) -> list[tuple[str, str]]:
    """Runs that the library has given up, or would never go on with, and that have not ended for us: (run, why)."""
    table = status_table(conn)
    if not table:
        return []
    lost = (
        f"SELECT w.workflow_uuid, w.status, w.application_version FROM {table} w "  # noqa: S608  # a constant name
        "JOIN runs r ON r.id=w.workflow_uuid WHERE r.state IN ('running', 'waiting') AND "
        "(w.status IN ('MAX_RECOVERY_ATTEMPTS_EXCEEDED', 'ERROR') OR "
        "(w.status='PENDING' AND w.application_version IS NOT NULL AND w.application_version<>:version))"
    )
    return [(row[0], _why(row[1], row[2])) for row in conn.execute(sa.text(lost), {"version": version})]


def _why(status: str, version: str) -> str:
    """What became of a run, in words."""
    if status == "PENDING":
        return f"This run was begun by another version ({version}), and this one cannot go on with it."
    if status == "ERROR":
        return "The engine ended this run with a fault that nobody heard of."
    return "The engine began this run again so often that it has given it up."


def status_table(conn: sa.Connection) -> str:
    """The library's table of runs as SQL names it, "" before its first launch."""
    schema = None if base.is_sqlite(conn.dialect.name) else "dbos"
    if not sa.inspect(conn).has_table("workflow_status", schema=schema):
        return ""
    return "workflow_status" if schema is None else f"{schema}.workflow_status"
