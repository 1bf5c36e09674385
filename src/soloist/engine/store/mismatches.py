"""Mismatches: differences between inside and outside, one row for each, moved along its life; and what they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import effects, proposals
from soloist.engine.store.tables_out import mismatches
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound
from soloist.kernel.lives import MISMATCH
from soloist.kernel.mismatch import COPY

CHUNK = 500
"""Values in one IN list."""


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One mismatch (NotFound)."""
    found = find(conn, ident)
    if found is None:
        raise NotFound(f"There is no mismatch {ident}.")
    return found


def find(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """One mismatch or None."""
    row = conn.execute(sa.select(mismatches).where(mismatches.c.id == ident)).mappings().first()
    return dict(row) if row else None


def insert(tx: Tx, row: Mapping[str, Any]) -> None:
    """Store a new open mismatch with its event."""
    values = {**row, "state": MISMATCH.start, "first_seen": tx.now, "last_seen": tx.now}
    tx.run(mismatches.insert(), values)
    _told(tx, "mismatch.opened", values)


def see(tx: Tx, ident: str, **values: Any) -> None:
    """It was seen again; ``values`` are what it looks like now."""
    tx.run(mismatches.update().where(mismatches.c.id == ident).values(last_seen=tx.now, **values))


def move(tx: Tx, row: Mapping[str, Any], state: str, *, actor: str = "soloist", **values: Any) -> None:
    """Change the state (Conflict when it moved meanwhile); ends and beginnings have their event."""
    MISMATCH.check(row["state"], state)
    key = (mismatches.c.id == row["id"]) & (mismatches.c.state == row["state"])
    closed = tx.now if state in ("gone", "accepted") else ""
    if tx.run(mismatches.update().where(key).values(state=state, closed=closed, **values)).rowcount != 1:
        raise Conflict("This mismatch was moved by someone else; nothing was changed.")
    kind = {"gone": "mismatch.closed", "open": "mismatch.opened", "accepted": "mismatch.accepted"}
    _told(tx, kind.get(state, "mismatch.fixing"), row, actor=actor)


def _told(tx: Tx, kind: str, row: Mapping[str, Any], *, actor: str = "soloist") -> None:
    payload = {name: row.get(name, "") for name in ("connector", "kind", "effect", "ref", "title")}
    tx.append(kind, subject=str(row["id"]), payload=payload, actor=actor)


def of(conn: sa.Connection, connector: str, states: Sequence[str]) -> list[dict[str, Any]]:
    """The mismatches of a connection in these states, oldest first."""
    where = (mismatches.c.connector == connector) & mismatches.c.state.in_(list(states))
    query = sa.select(mismatches).where(where).order_by(mismatches.c.first_seen, mismatches.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def listed(
    conn: sa.Connection, state: str, *, after: tuple[str, str] = ("", ""), limit: int = 100, connector: str = ""
) -> list[dict[str, Any]]:
    """Mismatches (in a state, or all for ""), oldest first, after the (first_seen, id) of the last one seen."""
    query = sa.select(mismatches)
    if state:
        query = query.where(mismatches.c.state == state)
    if connector:
        query = query.where(mismatches.c.connector == connector)
    query = query.where(sa.tuple_(mismatches.c.first_seen, mismatches.c.id) > sa.tuple_(*map(sa.literal, after)))
    rows = conn.execute(query.order_by(mismatches.c.first_seen, mismatches.c.id).limit(limit)).mappings()
    return [dict(row) for row in rows]


def counts(conn: sa.Connection) -> dict[tuple[str, str, str], int]:
    """How many there are of each (connector, kind, state)."""
    columns = (mismatches.c.connector, mismatches.c.kind, mismatches.c.state)
    query = sa.select(*columns, sa.func.count()).group_by(*columns)
    return {(row[0], row[1], row[2]): int(row[3]) for row in conn.execute(query)}


def standing(conn: sa.Connection) -> tuple[int, str]:
    """How many are open, and since when the oldest is ("" when none is)."""
    query = sa.select(sa.func.count(), sa.func.min(mismatches.c.first_seen)).where(mismatches.c.state == "open")
    row = conn.execute(query).one()
    return int(row[0]), str(row[1] or "")


def inside(conn: sa.Connection, connector: str, operation: str, since: str) -> list[dict[str, Any]]:
    """Every forward effect of an operation first tried (or made) since an instant, with what its proposal says.

    An effect that was never tried and ended is nothing that could be outside, so it is left out.
    """
    begun = sa.case((effects.c.first_attempt != "", effects.c.first_attempt), else_=effects.c.created)
    where = (effects.c.connector == connector) & (effects.c.operation == operation) & (effects.c.undoes == "")
    never = (effects.c.first_attempt == "") & effects.c.state.in_(["resolved_not_done", "failed"])
    query = _with_proposal().where(where & (begun >= since) & ~never).order_by(effects.c.ordinal)
    return [dict(row) for row in conn.execute(query).mappings()]


def first_done(conn: sa.Connection, connector: str, operation: str) -> str:
    """When the first effect of an operation was made, "" when there is none."""
    where = (effects.c.connector == connector) & (effects.c.operation == operation)
    return str(conn.execute(sa.select(sa.func.min(effects.c.created)).where(where)).scalar() or "")


def _with_proposal() -> sa.Select[Any]:
    """Effects with payload, undo kind, record and title of their proposals."""
    p = proposals.c
    extra = (p.payload, p.undo, p.record, p.risk, p.reason)
    return sa.select(effects, *extra).join_from(effects, proposals, effects.c.proposal == p.id)


def with_proposal(conn: sa.Connection, effect: str) -> dict[str, Any]:
    """One effect with payload, undo kind and record of its proposal (NotFound)."""
    row = conn.execute(_with_proposal().where(effects.c.id == effect)).mappings().first()
    if row is None:
        raise NotFound(f"There is no effect {effect}.")
    return dict(row)


def known_keys(conn: sa.Connection, keys: Iterable[str]) -> set[str]:
    """Those of these keys that an effect of this home has, of whatever operation and age."""
    return _known(conn, effects.c.key, sorted({key for key in keys if key}), sa.true())


def known_refs(conn: sa.Connection, connector: str, refs: Iterable[str]) -> set[str]:
    """Those of these provider ids that an effect of this connection has, of whatever age; second ones do not count."""
    copies = effects.c.group.startswith(COPY, autoescape=True) & (effects.c.state != "compensated")
    same = (effects.c.connector == connector) & ~copies
    return _known(conn, effects.c.provider_ref, sorted({ref for ref in refs if ref}), same)


def _known(conn: sa.Connection, column: Any, values: Sequence[str], where: Any) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(values), CHUNK):
        query = sa.select(column).where(column.in_(values[start : start + CHUNK]) & where)
        found.update(conn.execute(query).scalars())
    return found


def open_effects(conn: sa.Connection, states: Sequence[str]) -> list[dict[str, Any]]:
    """Effects in these states with what their proposals say, oldest first."""
    query = _with_proposal().where(effects.c.state.in_(list(states))).order_by(effects.c.ordinal)
    return [dict(row) for row in conn.execute(query).mappings()]


def not_begun(conn: sa.Connection) -> list[dict[str, Any]]:
    """Proposals of outside changes that wait or are approved and have no effect yet, oldest first."""
    has = sa.exists().where(effects.c.proposal == proposals.c.id)
    where = proposals.c.state.in_(["waiting", "approved"]) & (proposals.c.noun == "effect") & ~has
    query = sa.select(proposals).where(where).order_by(proposals.c.created, proposals.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]
