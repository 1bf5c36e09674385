"""Failures: one row for one kind of fault, however often it happens, with the inputs it met; the board shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import settings
from soloist.engine.store.tables_out import failures
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound
from soloist.kernel.lives import FAILURE

MOST_KEPT = 50
"""Inputs that one row keeps; older ones are on the pages of their runs."""
HELD = "flows.held"
"""Setting that names the flows of which no new run begins."""


def note(tx: Tx, ident: str, fault: Mapping[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    """Count a fault; answers the row as it is now.

    ``fault`` has kind, title, why, where, input, trace, done; ``case`` is one thing that failed: {run, origin, at,
    input, next}. A closed one is open again.
    """
    old = find(tx.conn, ident)
    if old is None:
        values = {"id": ident, "state": FAILURE.start, "times": 1, "runs": [dict(case)], "options": []}
        tx.run(failures.insert(), {**fault, **values, "first_seen": tx.now, "last_seen": tx.now})
        tx.append("failure.noted", subject=ident, payload={"title": fault["title"], "where": fault["where"]})
        return get(tx.conn, ident)
    cases = [*(old["runs"] or []), dict(case)][-MOST_KEPT:]
    if old["state"] == "closed":
        _move(tx, old, "open", "it happened again")
        cases = [dict(case)]
    values = {**fault, "times": old["times"] + 1, "runs": cases, "last_seen": tx.now}
    tx.run(failures.update().where(failures.c.id == ident).values(**values))
    return get(tx.conn, ident)


def keep(tx: Tx, ident: str, cases: Sequence[Mapping[str, Any]]) -> None:
    """Replace the cases of a row."""
    tx.run(failures.update().where(failures.c.id == ident).values(runs=[dict(case) for case in cases]))


def told(tx: Tx, ident: str, done: str, options: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was done about it and what can be done."""
    values = {"done": done, "options": [dict(option) for option in options]}
    tx.run(failures.update().where(failures.c.id == ident).values(**values))


def move(tx: Tx, ident: str, state: str, why: str, *, actor: str = "soloist") -> None:
    """Change the state along the declared life; the same state again is nothing."""
    row = get(tx.conn, ident)
    if row["state"] != state:
        _move(tx, row, state, why, actor=actor)


def _move(tx: Tx, row: Mapping[str, Any], state: str, why: str, *, actor: str = "soloist") -> None:
    FAILURE.check(row["state"], state)
    closed = tx.now if state == "closed" else ""
    key = (failures.c.id == row["id"]) & (failures.c.state == row["state"])
    if tx.run(failures.update().where(key).values(state=state, closed=closed)).rowcount != 1:
        raise Conflict("Someone else changed this failure at the same moment; nothing was changed.")
    tx.append(f"failure.{state}", subject=row["id"], payload={"why": why}, actor=actor)


def find(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """One failure or None."""
    row = conn.execute(sa.select(failures).where(failures.c.id == ident)).mappings().first()
    return dict(row) if row else None


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One failure (NotFound)."""
    row = find(conn, ident)
    if row is None:
        raise NotFound(f"There is no failure {ident}.")
    return row


def listed(conn: sa.Connection, states: Sequence[str], *, limit: int = 100) -> list[dict[str, Any]]:
    """Failures in these states, the newest first."""
    query = sa.select(failures).where(failures.c.state.in_(list(states)))
    query = query.order_by(failures.c.last_seen.desc(), failures.c.id).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def count(conn: sa.Connection) -> tuple[int, int]:
    """How many are open, and how many of those are set aside."""
    query = sa.select(failures.c.state, sa.func.count()).where(failures.c.state != "closed").group_by(failures.c.state)
    found = {row[0]: int(row[1]) for row in conn.execute(query)}
    return sum(found.values()), found.get("quarantined", 0)


def held(conn: sa.Connection) -> list[str]:
    """Flows of which no new run begins."""
    text = settings.value(conn, HELD)
    return list(json.loads(text)) if text else []


def hold(tx: Tx, flow: str, on: bool, *, actor: str) -> None:
    """Hold a flow, or let it go on; its new runs stay pending meanwhile, so that nothing is lost."""
    now = set(held(tx.conn))
    wanted = now | {flow} if on else now - {flow}
    if wanted != now:
        settings.put(tx, HELD, json.dumps(sorted(wanted)))
        tx.append("flow.held" if on else "flow.released", subject=flow, actor=actor)
