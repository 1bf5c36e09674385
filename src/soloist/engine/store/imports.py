"""Imports: files taken over from elsewhere, their rows as they were read, and what became of each; it reads no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import identities, records
from soloist.engine.store.tables_memory import import_rows, imports
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound

TAKEN_BACK = "retired"
"""State of a record that an import made and that was taken back with it: it is kept, and nothing finds or lists it."""
_key = import_rows.c["import"]


def create(tx: Tx, values: Mapping[str, Any], *, who: str) -> str:
    """A new import with its event; its id."""
    ident = tx.new_id()
    event = tx.append("import.begun", subject=ident, payload={"name": values["name"]}, actor=who)
    row = {"id": ident, "who": who, "created": tx.now, "updated": tx.now, "event": event.id, "counts": {}, "report": {}}
    tx.run(imports.insert(), {**row, "mapping": {}, **values})
    return ident


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One import (NotFound)."""
    row = conn.execute(sa.select(imports).where(imports.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no import {ident}.")
    return dict(row)


def listed(conn: sa.Connection, limit: int = 100) -> list[dict[str, Any]]:
    """Imports, the newest first."""
    query = sa.select(imports).order_by(imports.c.created.desc(), imports.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def in_states(conn: sa.Connection, states: Sequence[str]) -> list[str]:
    """Ids of the imports in these states."""
    query = sa.select(imports.c.id).where(imports.c.state.in_(list(states))).order_by(imports.c.id)
    return list(conn.execute(query).scalars())


def put(tx: Tx, ident: str, **values: Any) -> None:
    """Set columns of an import."""
    tx.run(imports.update().where(imports.c.id == ident).values(updated=tx.now, **values))


def hold(tx: Tx, ident: str, *states: str) -> dict[str, Any]:
    """The import, kept to this transaction; Conflict when it is in none of these states by now."""
    tx.run(imports.update().where(imports.c.id == ident).values(updated=tx.now))
    row = get(tx.conn, ident)
    if row["state"] not in states:
        raise Conflict(f"This import is {row['state']} by now; nothing was changed.", field="state")
    return row


def move(tx: Tx, ident: str, old: Sequence[str], state: str, *, who: str = "soloist", **values: Any) -> None:
    """Another state, with an event (Conflict when it is in none of the old ones)."""
    hold(tx, ident, *old)
    put(tx, ident, state=state, **values)
    tx.append(f"import.{state}", subject=ident, payload={"counts": values.get("counts") or {}}, actor=who)


# ----- rows


def put_rows(tx: Tx, ident: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows as they were read: {n, given, outcome, detail}; rows that are there already are replaced."""
    numbers = [row["n"] for row in rows]
    tx.run(import_rows.delete().where((_key == ident) & import_rows.c.n.in_(numbers)))
    empty = {"read": None, "record": "", "version": 0, "match": "", "outcome": "", "detail": None}
    tx.run(import_rows.insert(), [{"import": ident, **empty, **row} for row in rows])


def clear_rows(tx: Tx, ident: str) -> None:
    """Forget all rows of an import that is read anew."""
    tx.run(import_rows.delete().where(_key == ident))


def rows(
    conn: sa.Connection,
    ident: str,
    *,
    outcomes: Sequence[str] = (),
    after: int = -1,
    limit: int = 100,
    backwards: bool = False,
) -> list[dict[str, Any]]:
    """Rows in the order of the file, after a line, or from the last one ``backwards``."""
    query = sa.select(import_rows).where((_key == ident) & (import_rows.c.n > after))
    if outcomes:
        query = query.where(import_rows.c.outcome.in_(list(outcomes)))
    order = import_rows.c.n.desc() if backwards else import_rows.c.n
    return [dict(row) for row in conn.execute(query.order_by(order).limit(limit)).mappings()]


def row(conn: sa.Connection, ident: str, n: int) -> dict[str, Any]:
    """One row as it is now (NotFound)."""
    found = conn.execute(sa.select(import_rows).where((_key == ident) & (import_rows.c.n == n))).mappings().first()
    if found is None:
        raise NotFound(f"There is no row {n} in the import {ident}.")
    return dict(found)


def mark(tx: Tx, ident: str, n: int, **values: Any) -> None:
    """Set columns of a row."""
    tx.run(import_rows.update().where((_key == ident) & (import_rows.c.n == n)).values(**values))


def came_back(tx: Tx, ident: str, record: str, version: int, now: int) -> None:
    """A record is again as the row before said: that row's write is the newest but for its number."""
    same = (_key == ident) & (import_rows.c.record == record) & (import_rows.c.version == version - 1)
    tx.run(import_rows.update().where(same & import_rows.c.outcome.in_(["made", "filled"])).values(version=now))


def counts(conn: sa.Connection, ident: str) -> dict[str, int]:
    """How many rows there are of each outcome."""
    query = sa.select(import_rows.c.outcome, sa.func.count()).where(_key == ident).group_by(import_rows.c.outcome)
    return {str(outcome): int(number) for outcome, number in conn.execute(query.order_by(import_rows.c.outcome))}


def named(conn: sa.Connection, kind: str, titles: Sequence[str]) -> dict[str, list[str]]:
    """Ids of records of a kind by their title in lower case; none that was merged into another or taken back."""
    wanted = sorted({title.casefold() for title in titles if title})
    if not wanted:
        return {}
    low = sa.func.lower(records.c.title)
    where = (records.c.kind == kind) & low.in_(wanted) & (records.c.merged_into == "")
    where &= records.c.state != TAKEN_BACK
    found: dict[str, list[str]] = {}
    for ident, title in conn.execute(sa.select(records.c.id, low).where(where).order_by(records.c.id)):
        found.setdefault(str(title), []).append(ident)
    return found


def unlink(tx: Tx, record: str, why: str) -> None:
    """End the live identifiers of a record that was taken back, so that the next import does not find it."""
    live = (identities.c.record == record) & (identities.c.ended == "")
    if tx.conn.execute(sa.select(identities.c.id).where(live).limit(1)).first() is None:
        return
    event = tx.append("identity.unlinked", subject=record, payload={"why": why})
    tx.run(identities.update().where(live).values(ended=tx.now, ended_event=event.id))
