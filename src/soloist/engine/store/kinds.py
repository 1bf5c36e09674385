"""Kinds of records as this home knows them: every schema that was ever used, by number; which one holds now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import records
from soloist.engine.store.tables_memory import record_kinds
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput
from soloist.kernel.hashing import json_hash
from soloist.kernel.kind import Kind, dumped, loaded

_NEWEST = (
    sa.select(record_kinds.c.version, record_kinds.c.hash, record_kinds.c.source)
    .where(record_kinds.c.kind == sa.bindparam("kind"))
    .order_by(record_kinds.c.version.desc())
    .limit(1)
)
MOST_PARSED = 500
_PARSED: dict[tuple[str, int, str], Kind] = {}
RETIRED = "retired"
"""Source of a schema whose kind is no longer declared: its records stay, new ones cannot be made."""


def digest(kind: Kind) -> str:
    """The hash of a schema."""
    return json_hash(dumped(kind))


def declare(tx: Tx, kinds: Iterable[Kind], *, source: str = "") -> list[str]:
    """Keep each schema that differs from the newest of its kind as a new number; the names of those that changed.

    A kind of the operator's own that is no longer declared is kept as retired. ``source`` overrides where they are
    from (else "soloist.toml" for custom ones and "shipped").
    """
    changed, seen = [], set()
    for kind in kinds:
        seen.add(kind.name)
        newest = tx.first(_NEWEST.params(kind=kind.name))
        where, mark = source or ("soloist.toml" if kind.custom else "shipped"), digest(kind)
        if newest is not None and newest["hash"] == mark and newest["source"] == where:
            continue
        _keep(tx, kind.name, int(newest["version"]) + 1 if newest else 1, dumped(kind), where)
        changed.append(kind.name)
    for kind in everything(tx.conn):
        if kind.name not in seen and kind.custom:
            _keep(tx, kind.name, kind.number + 1, dumped(kind), RETIRED)
            changed.append(kind.name)
    return changed


def _keep(tx: Tx, name: str, number: int, schema: dict[str, Any], source: str) -> None:
    """The row of a schema; what a home is born with is no event in its life, every change of it is."""
    mark, event = json_hash(schema), ""
    if number > 1 or source != "shipped":
        told = {"version": number, "hash": mark, "source": source}
        event = tx.append("record_kind.declared", subject=name, payload=told).id
    row = {"kind": name, "version": number, "schema": schema, "hash": mark, "source": source}
    tx.run(record_kinds.insert(), {**row, "event": event, "at": tx.now})


def _load(conn: sa.Connection, name: str, number: int, mark: str) -> Kind:
    """A schema; it is parsed once, kept under its number and hash, so what is kept can never be an older one."""
    key = (name, number, mark)
    if key not in _PARSED:
        raw = sa.select(sa.type_coerce(record_kinds.c.schema, sa.Text))
        text = conn.execute(raw.where((record_kinds.c.kind == name) & (record_kinds.c.version == number))).scalar_one()
        if len(_PARSED) >= MOST_PARSED:
            _PARSED.clear()
        _PARSED[key] = loaded(json.loads(str(text)), number)
    return _PARSED[key]


def find(conn: sa.Connection, name: str) -> Kind | None:
    """The newest schema of a kind, retired or not; None for a kind that was never declared: reading goes on."""
    newest = conn.execute(_NEWEST, {"kind": name}).mappings().first()
    return _load(conn, name, int(newest["version"]), newest["hash"]) if newest is not None else None


def current(conn: sa.Connection, name: str, *, new: bool = False) -> Kind | None:
    """The schema of a kind that holds now; None when this home has declared none at all (a bare store).

    BadInput for a kind nobody declared, and with ``new`` for one that was retired.
    """
    newest = conn.execute(_NEWEST, {"kind": name}).mappings().first()
    if newest is not None and not (new and newest["source"] == RETIRED):
        return _load(conn, name, int(newest["version"]), newest["hash"])
    known = [kind.name for kind in everything(conn)]
    if not known:
        return None
    raise BadInput(
        f"kind: there is no kind of record {name[:60]!r}. There are: {', '.join(known)}. Nothing was written.",
        field="kind",
    )


def used(conn: sa.Connection, name: str, number: int) -> Kind | None:
    """The schema a body was written with; None for one from before there were schemas."""
    key = (record_kinds.c.kind == name) & (record_kinds.c.version == number)
    mark = conn.execute(sa.select(record_kinds.c.hash).where(key)).scalar()
    return _load(conn, name, number, str(mark)) if mark is not None else None


def everything(conn: sa.Connection, *, retired: bool = False) -> list[Kind]:
    """The newest schema of every kind, by name; retired ones only where they are asked for."""
    newest = sa.select(record_kinds.c.kind, sa.func.max(record_kinds.c.version).label("version"))
    newest_of = newest.group_by(record_kinds.c.kind).subquery()
    joined = sa.and_(record_kinds.c.kind == newest_of.c.kind, record_kinds.c.version == newest_of.c.version)
    query = sa.select(record_kinds.c.kind, record_kinds.c.version, record_kinds.c.hash, record_kinds.c.source)
    rows = conn.execute(query.join(newest_of, joined).order_by(record_kinds.c.kind)).all()
    return [_load(conn, name, int(number), mark) for name, number, mark, source in rows if retired or source != RETIRED]


def schemas(conn: sa.Connection, name: str) -> list[dict[str, Any]]:
    """Every schema a kind ever had, newest first: version, hash, source, at, schema."""
    query = sa.select(record_kinds).where(record_kinds.c.kind == name).order_by(record_kinds.c.version.desc())
    return [dict(row) for row in conn.execute(query).mappings()]


def counts(conn: sa.Connection) -> dict[str, int]:
    """How many records there are of each kind."""
    query = sa.select(records.c.kind, sa.func.count()).group_by(records.c.kind)
    return {str(kind): int(number) for kind, number in conn.execute(query)}
