"""Trials: kept cases done again with a candidate; the rows are the whole of what a trial writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import calls
from soloist.engine.store.tables import proposals, runs
from soloist.engine.store.tables_agents import corrections, skill_calls, trial_rows, trials
from soloist.engine.store.tables_memory import retrievals
from soloist.engine.store.tables_spend import model_calls
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound

RUNNING, DONE, CANCELLED, FAILED = "running", "done", "cancelled", "failed"


def begin(tx: Tx, given: Mapping[str, Any], objects: Sequence[str], *, who: str) -> str:
    """A trial with its rows, none of them tried yet; returns its id. ``given``: kind, name, candidate, baseline."""
    ident = tx.new_id()
    told = {"kind": given["kind"], "name": given["name"], "rows": len(objects)}
    event = tx.append("trial.begun", subject=ident, payload=told, actor=who)
    row = {name: given[name] for name in ("kind", "name", "candidate", "baseline")}
    more = {"state": RUNNING, "totals": {"rows": len(objects), **given.get("totals", {})}, "who": who}
    tx.run(trials.insert(), {**row, **more, "id": ident, "started": tx.now, "ended": "", "event": event.id})
    rows = [{"trial": ident, "n": n, "object": o, "outcome": ""} for n, o in enumerate(objects)]
    if rows:
        tx.run(trial_rows.insert(), rows)
    return ident


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One trial (NotFound)."""
    row = conn.execute(sa.select(trials).where(trials.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no trial {ident[:80]}.")
    return dict(row)


def listed(conn: sa.Connection, *, before: str = "", limit: int = 50, kind: str = "") -> list[dict[str, Any]]:
    """Trials (of a kind), the newest first; ``before`` is the id of the last one seen."""
    query = sa.select(trials)
    if kind:
        query = query.where(trials.c.kind == kind)
    if before:
        query = query.where(trials.c.id < before)
    return [dict(row) for row in conn.execute(query.order_by(trials.c.id.desc()).limit(limit)).mappings()]


def waiting(conn: sa.Connection, ident: str, limit: int) -> list[dict[str, Any]]:
    """Rows that were not tried yet, in their order: {n, object, detail}."""
    at = trial_rows.c
    query = sa.select(at.n, at.object, at.detail).where(at.trial == ident, at.outcome == "").order_by(at.n).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def tell(tx: Tx, ident: str, found: Sequence[Mapping[str, Any]]) -> None:
    """Keep how rows came out: {n, outcome, before, after, detail}."""
    at = trial_rows.c
    for row in found:
        values = {name: row[name] for name in ("outcome", "before", "after", "detail")}
        tx.run(trial_rows.update().where((at.trial == ident) & (at.n == row["n"])).values(**values))


def end(tx: Tx, ident: str, state: str, totals: Mapping[str, Any]) -> None:
    """A trial is over; an event says how."""
    told = {name: value for name, value in totals.items() if isinstance(value, int | None)}
    tx.append(f"trial.{state}", subject=ident, payload=told)
    values = {"state": state, "totals": dict(totals), "ended": tx.now}
    tx.run(trials.update().where((trials.c.id == ident) & (trials.c.state == RUNNING)).values(**values))


def cancel(tx: Tx, ident: str, *, who: str) -> None:
    """Stop a trial; what was tried stays (NotFound; Conflict when it is over)."""
    if get(tx.conn, ident)["state"] != RUNNING:
        raise Conflict("This trial is over already; nothing was changed.")
    tx.append("trial.stopped", subject=ident, actor=who)
    tx.run(trials.update().where(trials.c.id == ident).values(state=CANCELLED, ended=tx.now))


def rows_of(
    conn: sa.Connection, ident: str, *, outcome: str = "", but: str = "", after: int = -1, limit: int = 100
) -> list[dict[str, Any]]:
    """Rows of a trial in their order: of one outcome, of all ``but`` one, or of all that were tried."""
    at = trial_rows.c
    query = sa.select(trial_rows).where(at.trial == ident, at.n > after, at.outcome != but)
    query = query.where(at.outcome == outcome) if outcome else query.where(at.outcome != "")
    return [dict(row) for row in conn.execute(query.order_by(at.n).limit(limit)).mappings()]


def outcomes(conn: sa.Connection, ident: str) -> list[dict[str, Any]]:
    """Outcome and detail of every row that was tried."""
    at = trial_rows.c
    query = sa.select(at.outcome, at.detail).where(at.trial == ident, at.outcome != "")
    return [dict(found) for found in conn.execute(query).mappings()]


# ----- what can be tried


def corrections_of(conn: sa.Connection, *, skill: str = "", agent: str = "", since: str = "", most: int) -> list[str]:
    """Kept corrections in which a skill was called, or that an agent's work led to; the newest first."""
    at = corrections.c
    query = sa.select(at.id, at.input).where(at.state == "kept", at.run != "", at.at >= since)
    if agent:
        query = query.where((at.agent == agent) | at.agent.startswith(f"{agent}@", autoescape=True))
    found = []
    for ident, given in conn.execute(query.order_by(at.id.desc()).limit(4 * most)):
        made = (given or {}).get("calls") or []
        if made and (not skill or any(call["skill"] == skill for call in made)):
            found.append(str(ident))
    return found[:most]


def runs_of(
    conn: sa.Connection, *, skill: str = "", agent: str = "", since: str = "", run: str = "", most: int
) -> list[str]:
    """Ended runs with kept calls, the newest first."""
    at, of = runs.c, skill_calls.c
    called = sa.select(of.run).where(of.run == at.id)
    if skill:
        called = called.where(of.skill == skill)
    query = sa.select(at.id).where(called.exists(), at.state.in_(["done", "waiting", "failed"]), at.started >= since)
    if agent:
        query = query.where((at.agent == agent) | at.agent.startswith(f"{agent}@", autoescape=True))
    if run:
        query = query.where(at.id == run)
    return [str(row[0]) for row in conn.execute(query.order_by(at.started.desc(), at.id.desc()).limit(most))]


def of_run(conn: sa.Connection, run: str) -> dict[str, Any]:
    """What is known of a run to do it again: its row, kept calls, and its first proposals of outside actions.

    {run, calls, proposals: [{id, payload (as proposed), wanted (as approved, None when nobody did), state}]}.
    """
    found = conn.execute(sa.select(runs).where(runs.c.id == run)).mappings().first()
    if found is None:
        raise NotFound(f"There is no run {run[:80]}.")
    at = proposals.c
    query = sa.select(at.id, at.payload, at.state, at.version).where(at.run == run, at.noun == "effect")
    made = [dict(row) for row in conn.execute(query.order_by(at.created, at.id)).mappings()]
    return {"run": dict(found), "calls": calls.of_run(conn, run), "proposals": made}


def retrievals_of(conn: sa.Connection, run: str, most: int = 10) -> list[str]:
    """The look-ups in memory that a run made."""
    at = retrievals.c
    return [str(ident) for ident in conn.execute(sa.select(at.id).where(at.run == run).limit(most)).scalars()]


def asked(conn: sa.Connection, run: str, skill: str) -> list[dict[str, Any]]:
    """What a skill had models asked in a run, the newest first, as far as it is kept."""
    at = model_calls.c
    query = sa.select(at.request).where(at.run == run, at.skill == skill).order_by(at.created.desc(), at.id.desc())
    return [dict(request) for request in conn.execute(query.limit(10)).scalars() if request]
