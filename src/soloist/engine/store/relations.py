"""Relations: what records point at, mirrored in rows that begin and end, so that one query finds who points here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import asof, kinds
from soloist.engine.store.tables import record_versions, records
from soloist.engine.store.tables_memory import relations
from soloist.engine.store.tx import Tx

MOST = 500
"""Rows of one answer at the most."""


def mirror(tx: Tx, record: str, wanted: Iterable[tuple[str, str]], event: str) -> None:
    """Make the live rows of a record those of ``wanted`` (role, other): the rest end, what is new begins, at ``event``.

    Rows of another source than "field" are left alone.
    """
    live = (relations.c.record == record) & (relations.c.ended == "") & (relations.c.source == "field")
    rows = tx.conn.execute(sa.select(relations.c.id, relations.c.role, relations.c.other).where(live)).all()
    have, want = {(role, other): ident for ident, role, other in rows}, set(wanted)
    over = [ident for key, ident in have.items() if key not in want]
    if over:
        tx.run(relations.update().where(relations.c.id.in_(over)).values(ended=event))
    for role, other in sorted(want - set(have)):
        row = {"id": tx.new_id(), "record": record, "role": role, "other": other, "source": "field"}
        tx.run(relations.insert(), {**row, "event": event, "at": tx.now, "ended": ""})


def about(
    conn: sa.Connection, record: str | Sequence[str], *, role: str = "", kind: str = "", as_of: str = ""
) -> list[dict[str, Any]]:
    """Records that point at this one (or one of several), newest change first: rows with ``role`` and ``other``.

    ``as_of`` (a sequence number or an instant) gives those that pointed at it then.
    """
    idents = [record] if isinstance(record, str) else list(record)
    found = sa.and_(
        relations.c.other.in_(idents),
        asof.there(relations, asof.sequence(conn, as_of)) if as_of else relations.c.ended == "",
        relations.c.role == role if role else sa.true(),
        records.c.kind == kind if kind else sa.true(),
    )
    columns = (records, relations.c.role, relations.c.other, relations.c.event.label("since"))
    query = sa.select(*columns).select_from(relations.join(records, records.c.id == relations.c.record)).where(found)
    rows = conn.execute(query.order_by(records.c.updated.desc(), records.c.id.desc()).limit(MOST)).mappings()
    return [dict(row) for row in rows]


def of(conn: sa.Connection, record: str, *, as_of: str = "") -> list[dict[str, Any]]:
    """What a record points at: {role, other, event, at}."""
    live = asof.there(relations, asof.sequence(conn, as_of)) if as_of else relations.c.ended == ""
    found = sa.and_(relations.c.record == record, live)
    rows = conn.execute(sa.select(relations).where(found).order_by(relations.c.role, relations.c.other)).mappings()
    return [dict(row) for row in rows]


def rebuild(tx: Tx, record: str, kind: str) -> int:
    """The rows of a record anew from its versions, each begun and ended by the version that did it; how many there are.

    For records from before there were relations; the answer to any as-of is the same as if they had been kept then.
    """
    schema = kinds.find(tx.conn, kind)
    if schema is None:
        return 0
    tx.run(relations.delete().where((relations.c.record == record) & (relations.c.source == "field")))
    columns = (record_versions.c.body, record_versions.c.event, record_versions.c.at)
    query = sa.select(*columns).where(record_versions.c.record == record).order_by(record_versions.c.version)
    open_rows: dict[tuple[str, str], dict[str, Any]] = {}
    made: list[dict[str, Any]] = []
    for body, event, at in tx.conn.execute(query).all():
        want = schema.references(body or {})
        for key in set(open_rows) - want:
            open_rows.pop(key)["ended"] = event
        for role, other in sorted(want - set(open_rows)):
            row = {"id": tx.new_id(), "record": record, "role": role, "other": other, "source": "field"}
            open_rows[(role, other)] = {**row, "event": event, "at": at, "ended": ""}
            made.append(open_rows[(role, other)])
    if made:
        tx.run(relations.insert(), made)
    return len(made)
