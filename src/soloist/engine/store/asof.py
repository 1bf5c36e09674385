"""As of: which sequence of the journal an instant or number names, and the condition for rows that were there then."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.tables import events, journal_head
from soloist.kernel.errors import BadInput


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
        instant = iso(from_iso(asked))
    except ValueError as error:
        raise BadInput(f"as_of: {asked[:60]!r} is no sequence number and no instant (2026-11-21T09:00:00Z).") from error
    found = conn.execute(sa.select(sa.func.max(events.c.seq)).where(events.c.at <= instant)).scalar()
    if found is None:
        first = conn.execute(sa.select(events.c.at).where(events.c.seq == 1)).scalar()
        began = f"the first event is of {first}" if first else "there is no event yet"
        raise BadInput(f"as_of: nothing is known of {asked}; {began}.", field="as_of")
    return int(found)


def there(table: Any, seq: int) -> sa.ColumnElement[bool]:
    """Rows of a table with ``event`` and ``ended`` that had begun and not ended at a sequence number."""
    begun = sa.select(events.c.id).where(events.c.id == table.c.event, events.c.seq <= seq).exists()
    over = sa.select(events.c.id).where(events.c.id == table.c.ended, events.c.seq <= seq).exists()
    return sa.and_(begun, sa.or_(table.c.ended == "", ~over))
