"""Calls of models: a row before each call, its end after it; the texts lie here and in recordings and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import origins
from soloist.engine.store.clock import later
from soloist.engine.store.tables import workers
from soloist.engine.store.tables_spend import model_calls, recordings
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound
from soloist.kernel.origin import of

OPEN = "reserved"
BATCHED = "batched"
"""Held back for a question that lies with the provider: it outlives the process that sent it."""
PAID = ("answered", "failed", "lost")
"""States in which a call may have cost something."""
FREE = ("recorded", "refused")
"""Answered from a recording; not made because of a cap."""
FORGOTTEN = 1800.0
"""Seconds after which an open call of a process that has no row (a command) counts as lost."""
_C = model_calls.c


def begin(tx: Tx, row: Mapping[str, Any]) -> str:
    """Write a call before it is made; returns its id."""
    ident = tx.new_id()
    origin = origins.asked(tx, str(row.get("run") or ""), of(row.get("origin")))
    tx.run(model_calls.insert(), {"state": OPEN, **row, "id": ident, "created": tx.now, "origin": origin.told()})
    return ident


def end(tx: Tx, ident: str, state: str, **values: Any) -> dict[str, Any] | None:
    """Write how an open call ended; None when it has ended already."""
    open_ = (_C.id == ident) & _C.state.in_((OPEN, BATCHED))
    row = tx.first(sa.select(model_calls).where(open_).with_for_update())
    if row is None:
        return None
    tx.run(model_calls.update().where(_C.id == ident).values(state=state, ended=tx.now, **values))
    return row


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One call (NotFound)."""
    row = conn.execute(sa.select(model_calls).where(_C.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no call of a model with the id {ident}.")
    return dict(row)


def attempts(conn: sa.Connection, run: str, step: str) -> list[dict[str, Any]]:
    """Every attempt of a step, the first one first."""
    query = sa.select(model_calls).where((_C.run == run) & (_C.step == step)).order_by(_C.attempt)
    return [dict(row) for row in conn.execute(query).mappings()]


def of_steps(conn: sa.Connection, run: str, steps: Sequence[str]) -> list[dict[str, Any]]:
    """Every call that was made for these steps of a run, in the order they were made."""
    query = sa.select(model_calls).where(_C.run == run).order_by(_C.created, _C.id)
    return [dict(row) for row in conn.execute(query).mappings() if row["step"].rpartition("/")[0] in steps]


def lengths(conn: sa.Connection, skill: str, model: str, limit: int = 80) -> list[tuple[int, int, int]]:
    """(bytes of the question, tokens in, tokens out) of the newest settled calls of a skill to a model."""
    done = (_C.skill == skill) & (_C.model == model) & (_C.state == "answered") & (_C.fault == "") & (_C.tokens_out > 0)
    query = sa.select(_C.detail, _C.tokens_in, _C.tokens_out).where(done)
    rows = conn.execute(query.order_by(_C.created.desc(), _C.id.desc()).limit(limit))
    return [(int((row.detail or {}).get("bytes", 0)), row.tokens_in, row.tokens_out) for row in rows]


def seen_in(conn: sa.Connection, run: str) -> list[dict[str, Any]]:
    """Which agents, flows, clients and tasks have paid for calls of a run already."""
    query = sa.select(_C.agent, _C.flow, _C.client, _C.task).distinct().where((_C.run == run) & (_C.state != "refused"))
    return [dict(row) for row in conn.execute(query).mappings()]


def orphans(conn: sa.Connection, now: str) -> list[dict[str, Any]]:
    """Open calls of processes that are marked as ended, and old ones of commands."""
    living = sa.select(workers.c.boot).where(workers.c.ended == "")
    ended = sa.select(workers.c.boot).where(workers.c.ended != "")
    dead = _C.worker.in_(ended) | (_C.worker.not_in(living) & (_C.created < later(now, -FORGOTTEN)))
    return [dict(row) for row in conn.execute(sa.select(model_calls).where((_C.state == OPEN) & dead)).mappings()]


def listed(
    conn: sa.Connection,
    *,
    before: tuple[str, str] | None = None,
    run: str = "",
    agent: str = "",
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Calls, newest first, before the (created, id) of the last one seen."""
    query = sa.select(model_calls)
    if run:
        query = query.where(_C.run == run)
    if agent:
        query = query.where(_C.agent == agent)
    if before is not None:
        query = query.where(sa.tuple_(_C.created, _C.id) < sa.tuple_(*map(sa.literal, before)))
    rows = conn.execute(query.order_by(_C.created.desc(), _C.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows]


def by_model(conn: sa.Connection, since: str) -> list[dict[str, Any]]:
    """{provider, model, state, fault, calls, cost_micro, tokens_in, tokens_out, milliseconds} since an instant."""
    query = sa.select(
        _C.provider,
        _C.model,
        _C.state,
        _C.fault,
        sa.func.count().label("calls"),
        sa.func.sum(_C.cost_micro).label("cost_micro"),
        sa.func.sum(_C.tokens_in).label("tokens_in"),
        sa.func.sum(_C.tokens_out).label("tokens_out"),
        sa.func.sum(_C.milliseconds).label("milliseconds"),
    ).where(_C.created >= since)
    rows = conn.execute(query.group_by(_C.provider, _C.model, _C.state, _C.fault)).mappings()
    return [{**row, **{k: int(row[k] or 0) for k in ("cost_micro", "tokens_in", "tokens_out", "milliseconds")}}
            for row in rows]  # fmt: skip


def by(conn: sa.Connection, column: str, since: str, limit: int = 50) -> list[dict[str, Any]]:
    """{subject, calls, cost_micro, runs} of agents, flows, clients, skills or models, dearest first."""
    of = _C[column]
    cost = sa.func.sum(_C.cost_micro)
    query = sa.select(
        of.label("subject"),
        sa.func.count().label("calls"),
        cost.label("cost_micro"),
        sa.func.count(sa.distinct(_C.run)).label("runs"),
    ).where((_C.created >= since) & _C.state.in_(PAID))
    rows = conn.execute(query.group_by(of).order_by(cost.desc()).limit(limit)).mappings()
    return [{**row, "cost_micro": int(row["cost_micro"] or 0)} for row in rows]


def repeated(conn: sa.Connection, since: str, limit: int = 20) -> list[dict[str, Any]]:
    """The same question asked more than once since an instant: {key, agent, skill, paid, recorded, cost_micro}."""
    paid, free = (sa.func.sum(sa.case((_C.state.in_(states), 1), else_=0)) for states in (PAID, ("recorded",)))
    query = sa.select(
        _C.key,
        sa.func.max(_C.agent).label("agent"),
        sa.func.max(_C.skill).label("skill"),
        paid.label("paid"),
        free.label("recorded"),
        sa.func.sum(_C.cost_micro).label("cost_micro"),
    ).where((_C.created >= since) & (_C.key != "") & (_C.state != "refused"))
    rows = conn.execute(query.group_by(_C.key).having(sa.func.count() > 1).order_by(sa.desc("cost_micro")).limit(limit))
    return [{**row, "paid": int(row["paid"]), "recorded": int(row["recorded"]), "cost_micro": int(row["cost_micro"])}
            for row in rows.mappings()]  # fmt: skip


NO_WORDS: Mapping[str, Any] = {"request": None, "response": None, "said": "", "key": "", "recording": ""}
"""What a call keeps nothing in when its texts go: what it cost stays."""


def forget(tx: Tx, idents: Sequence[str]) -> None:
    """Take the texts out of calls; what they cost stays."""
    tx.run(model_calls.update().where(_C.id.in_([*idents])).values(**NO_WORDS))


def forget_recordings(tx: Tx, runs: Sequence[Sequence[str]], clients: Sequence[Sequence[str]]) -> int:
    """Take the recordings out that calls of these runs, or for these clients, rest on; how many."""
    gone = 0
    for column, parts in ((_C.run, runs), (_C.client, clients)):
        for part in parts:
            keys = sa.select(_C.key).where(column.in_([*part]) & (_C.key != ""))
            gone += tx.run(recordings.delete().where(recordings.c.key.in_(keys))).rowcount
    return gone


def amend(tx: Tx, ident: str, **values: Any) -> None:
    """Write what is known of a call after it has ended."""
    tx.run(model_calls.update().where(_C.id == ident).values(**values))
