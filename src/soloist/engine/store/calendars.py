"""Calendars: what was read of an object before, and whom the operator met; nothing outside is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import tabling
from soloist.engine.store.tables import records


def appointments(conn: sa.Connection, calendar: str) -> Iterator[dict[str, Any]]:
    """The appointments of a calendar that were not cancelled or merged away: {id, version, body, state}."""
    where = (records.c.kind == "appointment") & (tabling.field(conn, "calendar") == calendar)
    where &= records.c.merged_into == ""
    columns = (records.c.id, records.c.version, records.c.body, records.c.state)
    query = sa.select(*columns).where(where & (records.c.state != "cancelled")).order_by(records.c.id)
    for row in conn.execute(query).mappings().all():
        yield dict(row)


def met(conn: sa.Connection, calendar: str, since: str, until: str) -> list[dict[str, Any]]:
    """Who was at appointments between two instants: {sender, name, count, first, last}, by address."""
    found: dict[str, dict[str, Any]] = {}
    for row in appointments(conn, calendar):
        at = str(row["body"].get("begins", ""))
        if not since <= at <= until:
            continue
        for one in (row["body"].get("external") or {}).get("attendees", []):
            empty = {"sender": one["address"], "name": "", "count": 0, "first": at, "last": at}
            known = found.setdefault(one["address"], empty)
            known["name"] = known["name"] or one["name"]
            known |= {"count": known["count"] + 1, "first": min(known["first"], at), "last": max(known["last"], at)}
    return sorted(found.values(), key=lambda one: (-one["count"], one["sender"]))
