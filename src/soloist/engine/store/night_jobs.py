"""Night jobs: questions that wait for the cheap hours or lie with a provider as a batch; rows survive every restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import tasks
from soloist.engine.store.tables_spend import night_jobs
from soloist.engine.store.tx import Tx

WAITS = "waiting"
"""For its hours."""
TO_SEND = "to send"
"""For the next batch."""
SENDING = "sending"
"""In a batch that may or may not have reached the provider."""
SENT = "sent"
ASKED = "asked"
"""Too late, and the operator was asked what now."""
LEFT = "left"
"""Its run went on without the batch, which is looked at until it is settled."""
WOKEN = "woken"
"""Its run goes on; the row is over."""
OPEN = (WAITS, TO_SEND, SENDING, SENT, ASKED, LEFT)
_J = night_jobs.c


def put(tx: Tx, row: Mapping[str, Any]) -> bool:
    """Write a job once by its id; whether it was new."""
    if tx.first(sa.select(_J.id).where(_J.id == row["id"])) is not None:
        return False
    tx.run(night_jobs.insert(), {**row, "created": tx.now})
    return True


def get(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """One job, or None."""
    row = conn.execute(sa.select(night_jobs).where(_J.id == ident)).mappings().first()
    return dict(row) if row is not None else None


def open_(conn: sa.Connection) -> list[dict[str, Any]]:
    """Every job that is not over, the oldest first."""
    query = sa.select(night_jobs).where(_J.state.in_(OPEN)).order_by(_J.created, _J.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def change(tx: Tx, idents: Sequence[str], state: str, **values: Any) -> None:
    """Move jobs to a state."""
    if idents:
        tx.run(night_jobs.update().where(_J.id.in_([*idents])).values(state=state, **values))


def over(tx: Tx, ident: str, said: Mapping[str, Any]) -> None:
    """A job is over: the words of its question go, what became of it stays."""
    change(tx, [ident], WOKEN, request={}, response=dict(said), ended=tx.now)


def marked(conn: sa.Connection, task: str) -> bool:
    """Whether a task is marked as work by morning."""
    lane = conn.execute(sa.select(tasks.c.lane).where(tasks.c.id == task)).scalar() if task else ""
    return lane == "morning"


def figures(conn: sa.Connection, since: str) -> dict[str, int]:
    """{waiting, with a provider, done, late} of jobs: those open now, and those that ended since an instant."""
    found = {"waiting": 0, "sent": 0, "done": 0, "late": 0}
    for row in open_(conn):
        found["sent" if row["state"] in (SENDING, SENT, LEFT) else "waiting"] += 1
    for said in conn.execute(sa.select(_J.response).where((_J.state == WOKEN) & (_J.ended >= since))).scalars():
        found["done"] += 1
        found["late"] += (said or {}).get("how") == "late"
    return found
