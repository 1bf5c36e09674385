"""As of: which sequence of the journal an instant or number names, and the condition for rows that were there then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.tables import contexts, events, journal_head, record_versions, records
from soloist.engine.store.tables_memory import facts, memories, merges
from soloist.kernel.errors import BadInput, NotFound


def sequence(conn: sa.Connection, asked: str) -> int:
    """The last event at or before ``asked``: a sequence number or an ISO instant; "" is now.

    BadInput for what is neither, and for a time before the first event.
    """
    head = int(conn.execute(sa.select(journal_head.c.seq)).scalar() or 0)
    if not asked:
        return head
    if asked.isascii() and asked.isdigit():
        seq = int(asked)
        if not 1 <= seq <= head:
            raise BadInput(f"as_of: the journal goes from event 1 to event {head}; there is no {seq}.", field="as_of")
        return seq
    try:
        moment = utc(asked)
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"as_of: {asked[:60]!r} is no sequence number and no instant (2026-11-21T09:00:00Z).", field="as_of"
        ) from error
    found = conn.execute(sa.select(sa.func.max(events.c.seq)).where(events.c.at <= moment)).scalar()
    if found is None:
        first = conn.execute(sa.select(events.c.at).where(events.c.seq == 1)).scalar()
        began = f"the first event is of {first}" if first else "there is no event yet"
        raise BadInput(f"as_of: nothing is known of {asked}; {began}.", field="as_of")
    return int(found)


def utc(text: str) -> str:
    """An ISO instant as the store writes it (ValueError, OverflowError).

    One without a zone is meant in UTC, whatever the zone of the machine.
    """
    moment = from_iso(text)
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def there(table: Any, seq: int) -> sa.ColumnElement[bool]:
    """Rows of a table with ``event`` and ``ended`` that had begun and not ended at a sequence number."""
    begun = sa.select(events.c.id).where(events.c.id == table.c.event, events.c.seq <= seq).exists()
    over = sa.select(events.c.id).where(events.c.id == table.c.ended, events.c.seq <= seq).exists()
    return sa.and_(begun, sa.or_(table.c.ended == "", ~over))


def _reached(event: Any, seq: int) -> sa.ColumnElement[bool]:
    """Whether the event in a column had happened at a sequence number."""
    return sa.select(events.c.id).where(events.c.id == event, events.c.seq <= seq).exists()


def newest(seq: int) -> sa.Subquery:
    """(record, version): the version each record had at a sequence number."""
    row = record_versions.c
    query = sa.select(row.record, sa.func.max(row.version).label("version")).where(_reached(row.event, seq))
    return query.group_by(row.record).subquery()


def record(conn: sa.Connection, ident: str, seq: int) -> dict[str, Any]:
    """One record as it was at a sequence number: id, kind, version, title, state, body, schema, owners, at, event.

    NotFound when it did not exist yet. Before versions carried them, title and state were those of today.
    """
    row = record_versions.c
    query = sa.select(*_columns()).join(records, records.c.id == row.record).where(row.record == ident)
    found = conn.execute(query.where(_reached(row.event, seq)).order_by(row.version.desc()).limit(1)).mappings().first()
    if found is None:
        raise NotFound(f"There was no record {ident} at event {seq}.")
    return dict(found)


def records_of(conn: sa.Connection, kind: str, seq: int, *, after: str = "", limit: int = 500) -> list[dict[str, Any]]:
    """Records of a kind ("" for all) as they were at a sequence number, by id, after the last one seen."""
    head, row = newest(seq), record_versions.c
    on = (row.record == head.c.record) & (row.version == head.c.version)
    query = sa.select(*_columns()).join(head, on).join(records, records.c.id == row.record)
    query = query.where(records.c.id > after)
    if kind:
        query = query.where(records.c.kind == kind)
    return [dict(found) for found in conn.execute(query.order_by(records.c.id).limit(limit)).mappings()]


def records_named(conn: sa.Connection, idents: Sequence[str], seq: int) -> dict[str, dict[str, Any]]:
    """Some records as they were at a sequence number, by id; those that were not there yet are missing."""
    head, row = newest(seq), record_versions.c
    on = (row.record == head.c.record) & (row.version == head.c.version)
    query = sa.select(*_columns()).join(head, on).join(records, records.c.id == row.record)
    rows = conn.execute(query.where(row.record.in_(list(idents)))).mappings()
    return {str(found["id"]): dict(found) for found in rows}


def merged(conn: sa.Connection, idents: Sequence[str], seq: int) -> dict[str, str]:
    """Which of some records led to another at a sequence number, and to which."""
    query = sa.select(merges.c.other, merges.c.kept).where(merges.c.other.in_(list(idents)), there(merges, seq))
    return {str(row.other): str(row.kept) for row in conn.execute(query)}


def _columns() -> list[Any]:
    row = record_versions.c
    own = (row.version, row.body, row.schema, row.owners, row.at, row.event)
    title = sa.case((row.title != "", row.title), else_=records.c.title).label("title")
    state = sa.case((row.title != "", row.state), else_=records.c.state).label("state")
    return [records.c.id, records.c.kind, title, state, *own]


def facts_of(conn: sa.Connection, record_id: str, seq: int) -> list[dict[str, Any]]:
    """Facts about a record that were known at a sequence number."""
    query = sa.select(facts).where(facts.c.record == record_id, there(facts, seq))
    return [dict(row) for row in conn.execute(query.order_by(facts.c.attribute, facts.c.id)).mappings()]


def memories_at(conn: sa.Connection, seq: int, *, record_id: str = "", limit: int = 500) -> list[dict[str, Any]]:
    """Memories that were there at a sequence number, oldest first; of one record, or of all."""
    query = sa.select(memories).where(there(memories, seq))
    if record_id:
        query = query.where(memories.c.record == record_id)
    return [dict(row) for row in conn.execute(query.order_by(memories.c.n).limit(limit)).mappings()]


def instant(conn: sa.Connection, seq: int) -> str:
    """When an event was recorded, "" for none."""
    return str(conn.execute(sa.select(events.c.at).where(events.c.seq == seq)).scalar() or "")


def place(conn: sa.Connection, event: str) -> int:
    """The sequence number of an event by its id, 0 for none."""
    return int(conn.execute(sa.select(events.c.seq).where(events.c.id == event)).scalar() or 0)


def contexts_of(conn: sa.Connection, ident: str) -> list[dict[str, Any]]:
    """What was frozen for a run, or the context of this id, in the order it was given."""
    table = contexts
    query = sa.select(table).where(sa.or_(table.c.run == ident, table.c.id == ident)).order_by(table.c.at, table.c.id)
    return [dict(row) for row in conn.execute(query.limit(50)).mappings()]


def version_now(conn: sa.Connection, ident: str, number: int) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """(a version of a record, the record as it is now), None for what is gone."""
    row = record_versions.c
    then = conn.execute(sa.select(record_versions).where(row.record == ident, row.version == number)).mappings().first()
    now = conn.execute(sa.select(records).where(records.c.id == ident)).mappings().first()
    return (dict(then) if then else None), (dict(now) if now else None)
