"""Bills: invoices of one direction, payments with or without one, and what an agent has proposed about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import tabling
from soloist.engine.store.records import forwarded
from soloist.engine.store.tables import proposals, records

MOST = 2_000
RECEIVED = "received"
OPEN_OWN, OPEN_RECEIVED = ("sent", "overdue"), ("received",)
"""States in which an invoice of ours, or one we received, is not paid."""


def invoices(
    conn: sa.Connection, *, received: bool, states: Sequence[str] = (), supplier: str = ""
) -> list[dict[str, Any]]:
    """Invoices we received (else our own), the newest change first, at most ``MOST``; none that was merged away."""
    mark = tabling.field(conn, "direction") == RECEIVED
    where = (records.c.kind == "invoice") & (records.c.merged_into == "") & (mark if received else ~mark)
    where = where & records.c.state.in_(list(states)) if states else where
    where = where & (tabling.field(conn, "supplier") == supplier) if supplier else where
    query = sa.select(records).where(where).order_by(records.c.updated.desc(), records.c.id).limit(MOST)
    return [forwarded(conn, dict(row)) for row in conn.execute(query).mappings()]


def payments(conn: sa.Connection, *, states: Sequence[str], loose: bool | None = None) -> list[dict[str, Any]]:
    """Payments in these states, oldest first; ``loose`` True are those that name no invoice, False those that do."""
    where = (records.c.kind == "payment") & (records.c.merged_into == "") & records.c.state.in_(list(states))
    if loose is not None:
        named = tabling.field(conn, "invoice") != ""
        where &= ~named if loose else named
    query = sa.select(records).where(where).order_by(records.c.created, records.c.id).limit(MOST)
    return [forwarded(conn, dict(row)) for row in conn.execute(query).mappings()]


def proposed(conn: sa.Connection, source: str, states: Sequence[str]) -> list[dict[str, Any]]:
    """Proposals of an agent (its ``source``) in these states, oldest first."""
    where = (proposals.c.source == source) & proposals.c.state.in_(list(states))
    query = sa.select(proposals).where(where).order_by(proposals.c.created, proposals.c.id).limit(MOST)
    return [dict(row) for row in conn.execute(query).mappings()]
