"""Imports: files taken over from elsewhere, their rows as they were read, and what became of each; it reads no file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import merges
from soloist.engine.store.tables import identities, records
from soloist.engine.store.tables_memory import import_rows, imports
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound

TAKEN_BACK = "retired"
"""State of a record that an import made and that was taken back with it: it is kept, and nothing finds or lists it."""
_key = import_rows.c["import"]
_CHUNK = 400
"""Values of one query."""
SEEN = 300
"""Former imports that are looked through for one with the same columns."""


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


def listed(conn: sa.Connection, limit: int = 100, before: tuple[str, str] | None = None) -> list[dict[str, Any]]:
    """Imports, the newest first, after the (created, id) of the last one seen."""
    query = sa.select(imports).order_by(imports.c.created.desc(), imports.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(sa.tuple_(imports.c.created, imports.c.id) < sa.tuple_(*map(sa.literal, before)))
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
    """Rows in the order of the file, after one; or ``backwards`` from the last, before one (-1 for from the end)."""
    query = sa.select(import_rows).where(_key == ident)
    if after >= 0:
        query = query.where(import_rows.c.n < after if backwards else import_rows.c.n > after)
    if outcomes:
        query = query.where(import_rows.c.outcome.in_(list(outcomes)))
    order = import_rows.c.n.desc() if backwards else import_rows.c.n
    return [dict(row) for row in conn.execute(query.order_by(order).limit(limit)).mappings()]


def numbered(conn: sa.Connection, ident: str, outcome: str, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Those of these rows that have an outcome."""
    found = []
    for place in range(0, len(numbers), _CHUNK):
        where = (_key == ident) & (import_rows.c.outcome == outcome)
        query = sa.select(import_rows).where(where & import_rows.c.n.in_(numbers[place : place + _CHUNK]))
        found += [dict(row) for row in conn.execute(query.order_by(import_rows.c.n)).mappings()]
    return found


def row(conn: sa.Connection, ident: str, n: int) -> dict[str, Any]:
    """One row as it is now (NotFound)."""
    found = conn.execute(sa.select(import_rows).where((_key == ident) & (import_rows.c.n == n))).mappings().first()
    if found is None:
        raise NotFound(f"There is no row {n} in the import {ident}.")
    return dict(found)


def mark(tx: Tx, ident: str, n: int, **values: Any) -> None:
    """Set columns of a row."""
    tx.run(import_rows.update().where((_key == ident) & (import_rows.c.n == n)).values(**values))


def mark_many(tx: Tx, ident: str, marks: Iterable[Mapping[str, Any]]) -> None:
    """Set columns of many rows, each named by its ``n``; rows that set the same columns go together."""
    for names, some in groupby(sorted(marks, key=sorted), key=sorted):
        columns = [name for name in names if name != "n"]
        query = import_rows.update().where((_key == ident) & (import_rows.c.n == sa.bindparam("n_")))
        query = query.values({name: sa.bindparam(f"{name}_") for name in columns})
        tx.run(query, [{f"{name}_": value for name, value in one.items()} for one in some])


def met(conn: sa.Connection, ident: str) -> dict[str, list[int]]:
    """Records that more than one row of an import made or filled, with these rows."""
    query = sa.select(import_rows.c.record, import_rows.c.n).where((_key == ident) & (import_rows.c.record != ""))
    query = query.where(import_rows.c.outcome.in_(["made", "filled"])).order_by(import_rows.c.n)
    found: dict[str, list[int]] = {}
    for record, n in conn.execute(query):
        found.setdefault(record, []).append(int(n))
    return {record: rows for record, rows in found.items() if len(rows) > 1}


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


def identified(conn: sa.Connection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """(scheme, value) -> (record, its kind) for those identifiers that stand for somebody; a merged one's is kept."""
    columns = (identities.c.value, identities.c.record, records.c.kind, records.c.merged_into)
    joined = identities.join(records, records.c.id == identities.c.record)
    found = {}
    for scheme, same in groupby(sorted(keys), key=lambda key: key[0]):
        values = [value for _, value in same]
        for place in range(0, len(values), _CHUNK):
            some = identities.c.value.in_(values[place : place + _CHUNK])
            query = sa.select(*columns).select_from(joined).where((identities.c.scheme == scheme) & some)
            for value, record, kind, merged in conn.execute(query.where(identities.c.ended == "")):
                found[scheme, value] = (merges.root(conn, record) if merged else record, kind)
    return found


def link_many(tx: Tx, links: Sequence[Mapping[str, Any]]) -> None:
    """Keep identifiers that nobody has: {scheme, value, record, evidence, event}."""
    if links:
        more = {"rule": "import", "at": tx.now, "ended": ""}
        tx.run(identities.insert(), [{"id": tx.new_id(), **one, **more} for one in links])


def raw_many(conn: sa.Connection, idents: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Records exactly as their rows have them, by id."""
    found = {}
    for place in range(0, len(idents), _CHUNK):
        query = sa.select(records).where(records.c.id.in_(list(idents[place : place + _CHUNK])))
        found.update({row["id"]: dict(row) for row in conn.execute(query).mappings()})
    return found


def unlink(tx: Tx, gone: Sequence[str], why: str) -> None:
    """End the live identifiers of records that were taken back, so that the next import does not find them."""
    live = identities.c.ended == ""
    query = sa.select(identities.c.record).where(live & identities.c.record.in_(list(gone))).distinct()
    linked = sorted(tx.conn.execute(query).scalars()) if gone else []
    events = {one: tx.append("identity.unlinked", subject=one, payload={"why": why}).id for one in linked}
    if events:
        values = {"ended": tx.now, "ended_event": sa.bindparam("event_")}
        ended = identities.update().where(live & (identities.c.record == sa.bindparam("record_"))).values(values)
        tx.run(ended, [{"record_": record, "event_": event} for record, event in events.items()])


def chosen_before(conn: sa.Connection, ident: str, columns: Sequence[str]) -> dict[str, Any] | None:
    """The newest other import of a file with these columns whose mapping a person chose, if there is one."""
    query = sa.select(imports.c.id, imports.c.name, imports.c.kind, imports.c.mapping, imports.c.created)
    query = query.where((imports.c.id != ident) & (imports.c.format != "mbox"))
    for row in conn.execute(query.order_by(imports.c.created.desc(), imports.c.id.desc()).limit(SEEN)).mappings():
        mapping = row["mapping"] or {}
        if mapping.get("chosen") and mapping.get("columns") == list(columns):
            return dict(row)
    return None
