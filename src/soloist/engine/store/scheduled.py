"""Scheduled: appointments that take up time between two instants, whatever they came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import assets, tabling
from soloist.engine.store.records import forwarded
from soloist.engine.store.tables import records

MOST = 5_000


def appointments(conn: sa.Connection, *, since: str, until: str) -> list[dict[str, Any]]:
    """Appointments that begin in a span of time and were neither cancelled nor merged away, the first one first."""
    begins = tabling.field(conn, "begins")
    where = (records.c.kind == "appointment") & (records.c.merged_into == "") & (records.c.state != "cancelled")
    query = sa.select(records).where(where & (begins >= since) & (begins <= until)).order_by(begins, records.c.id)
    return [forwarded(conn, dict(row)) for row in conn.execute(query.limit(MOST)).mappings()]


def raw(conn: sa.Connection, folder: Path, digest: str) -> bytes:
    """The stored mail of a message, nothing for one that was no mail."""
    return assets.load(conn, folder, digest) if digest else b""
