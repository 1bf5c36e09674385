"""Runs and their steps: what is pending, what each step answered; a step that runs again gets its stored answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import failures
from soloist.engine.store.tables import run_steps, runs
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound
from soloist.kernel.lives import RUN

AGAIN = ":again:"
"""What stands in the id of a run between that of the first one and the number of this try."""
COLLECTED, ERASED = {"collected": True}, {"erased": True}
"""What stands in place of the answer of a step that its age, or the wish of the person it is about, had deleted."""


def pending_runs(conn: sa.Connection) -> list[str]:
    """Ids of runs that were asked for and not begun, oldest first; those of a flow that is held are not among them."""
    query = sa.select(runs.c.id).where(runs.c.state == "pending").order_by(runs.c.started).limit(1000)
    if held := failures.held(conn):
        query = query.where(runs.c.flow.not_in(held))
    return list(conn.execute(query).scalars())


def still_pending(conn: sa.Connection, run: str) -> bool:
    """Whether a run has not begun in any process."""
    return conn.execute(sa.select(runs.c.state).where(runs.c.id == run)).scalar() == "pending"


def exists(conn: sa.Connection, run: str) -> bool:
    """Whether a run was ever asked for."""
    return conn.execute(sa.select(runs.c.id).where(runs.c.id == run)).first() is not None


def tries(conn: sa.Connection, first: str) -> list[dict[str, Any]]:
    """A run and every later try of it, in their order; [] when there is none."""
    found: list[dict[str, Any]] = []
    while row := _row(conn, f"{first}{AGAIN}{len(found)}" if found else first):
        found.append(row)
    return found


def origin(run: str) -> str:
    """The run of which this is a try, or itself."""
    return run.partition(AGAIN)[0]


def listening(conn: sa.Connection, run: str) -> str:
    """Who hears what is sent to a run: itself, or the newest try of one that has failed.

    The row is locked to the end of the transaction: on Postgres another process may just begin it, or try it again.
    """
    state = conn.execute(sa.select(runs.c.state).where(runs.c.id == run).with_for_update()).scalar()
    if state != "failed":
        return run
    newest = str(tries(conn, origin(run))[-1]["id"])
    conn.execute(sa.select(runs.c.id).where(runs.c.id == newest).with_for_update())
    return newest


def unfinished(conn: sa.Connection, flow: str) -> bool:
    """Whether a run of a flow was asked for and has not ended."""
    query = sa.select(runs.c.id).where((runs.c.flow == flow) & runs.c.state.in_(["pending", "running"]))
    return conn.execute(query.limit(1)).first() is not None


def any_done_since(conn: sa.Connection, flow: str, since: str) -> bool:
    """Whether a run of a flow ended well after an instant."""
    done = (runs.c.flow == flow) & (runs.c.state == "done") & (runs.c.ended >= since)
    return conn.execute(sa.select(runs.c.id).where(done).limit(1)).first() is not None


def asked_for(conn: sa.Connection, run: str) -> tuple[str, str] | None:
    """Flow and input of a run that has not ended and is not held, else None."""
    row = conn.execute(sa.select(runs).where(runs.c.id == run)).mappings().first()
    if row is None or row["state"] in RUN.ends or (row["state"] == "pending" and row["flow"] in failures.held(conn)):
        return None
    return row["flow"], row["input"]


def begin(tx: Tx, run: str) -> None:
    """Mark a pending run as running. The run itself does so: a row that is still pending has certainly not begun."""
    tx.run(runs.update().where((runs.c.id == run) & (runs.c.state == "pending")).values(state="running"))


def move(tx: Tx, run: str, state: str, *, note: str = "", error: str = "") -> None:
    """Change the state of a run along its declared life; the same state again only changes the note."""
    old = tx.conn.execute(sa.select(runs.c.state).where(runs.c.id == run)).scalar()
    if old is None or old in RUN.ends:
        return
    if old != state:
        RUN.check(old, state)
    ended = tx.now if state in RUN.ends else ""
    tx.run(runs.update().where(runs.c.id == run).values(state=state, note=note, error=error, ended=ended))


def charge(tx: Tx, run: str, *, micro: int, tokens: int) -> None:
    """Add to a run what a call of a model came to; what belongs to no run of a flow is left alone."""
    row = runs.c
    values = {"cost_micro": row.cost_micro + micro, "tokens": row.tokens + tokens}
    tx.run(runs.update().where(row.id == run).values(**values))


def once(
    tx: Tx, run: str, step: str, work: Callable[[], Any], *, given: Any = None, detail: Any = None, n: int = 0
) -> Any:
    """Do ``work()`` and keep its answer under (run, step, n), or return the answer kept earlier.

    ``given`` is what the step was given, ``detail`` what the run page shows beside the answer; both JSON. ``detail``
    may be a callable that is asked after the work.
    """
    key = (run_steps.c.run == run) & (run_steps.c.step == step) & (run_steps.c.n == n)
    kept = tx.conn.execute(sa.select(run_steps.c.output).where(key)).first()
    if kept is not None:
        return kept.output
    output = work()
    position = tx.conn.execute(sa.select(sa.func.count()).where(run_steps.c.run == run)).scalar()
    tx.run(
        run_steps.insert(),
        {
            "run": run,
            "step": step,
            "n": n,
            "position": position,
            "input": given,
            "output": output,
            "detail": detail() if callable(detail) else detail,
            "started": tx.now,
            "ended": tx.now,
        },
    )
    return output


def committed(conn: sa.Connection, tries: Sequence[str]) -> list[dict[str, Any]]:
    """What the steps of all tries of one run committed, each once; for ``carry_over``.

    Conflict when that was deleted meanwhile: then nobody knows what was done, and doing it again could double it.
    """
    rows = {(row["step"], row["n"]): row for run in tries for row in steps_of(conn, run)}
    if any(row["output"] in (COLLECTED, ERASED) for row in rows.values()):
        raise Conflict("What this run had done is deleted, so trying it again could do it twice. Nothing was begun.")
    return list(rows.values())


def carry_over(tx: Tx, steps: Sequence[Mapping[str, Any]], new: str) -> None:
    """Give a new try what the steps before it committed, so that ``once`` does none of it a second time."""
    if steps:
        tx.run(run_steps.insert(), [{**row, "run": new} for row in steps])


def get(conn: sa.Connection, run: str) -> dict[str, Any]:
    """One run (NotFound)."""
    row = _row(conn, run)
    if row is None:
        raise NotFound(f"There is no run {run}.")
    return row


def _row(conn: sa.Connection, run: str) -> dict[str, Any] | None:
    row = conn.execute(sa.select(runs).where(runs.c.id == run)).mappings().first()
    return dict(row) if row else None


def steps_of(conn: sa.Connection, run: str) -> list[dict[str, Any]]:
    """The steps of a run in order."""
    query = sa.select(run_steps).where(run_steps.c.run == run).order_by(run_steps.c.position, run_steps.c.n)
    return [dict(row) for row in conn.execute(query).mappings()]


def listed(conn: sa.Connection, *, before: tuple[str, str] | None, limit: int, state: str = "") -> list[dict[str, Any]]:
    """Runs, newest first, after the (started, id) of the last one seen."""
    query = sa.select(runs)
    if state:
        query = query.where(runs.c.state == state)
    if before is not None:
        query = query.where(sa.tuple_(runs.c.started, runs.c.id) < sa.tuple_(*map(sa.literal, before)))
    rows = conn.execute(query.order_by(runs.c.started.desc(), runs.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows]
