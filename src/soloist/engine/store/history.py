"""History: what was approved before for an operation, as figures for policy; reads, and never judges."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.clock import later
from soloist.engine.store.tables import proposals, record_versions, records

HOUR, DAY = 3600.0, 86400.0
LONGEST_WAIT = 30 * DAY
"""A proposal that was made longer ago than this is not looked for among those approved now."""


def _approved(connector: str, operation: str, since: str, but: str) -> Any:
    """What was approved for an operation since an instant; ``updated`` is the instant of the approval."""
    key = (proposals.c.connector == connector) & (proposals.c.operation == operation)
    key &= (proposals.c.created >= later(since, -LONGEST_WAIT)) & (proposals.c.updated >= since)
    return key & (proposals.c.state == "approved") & (proposals.c.id != but)


def sent(conn: sa.Connection, connector: str, operation: str, *, now: str, but: str) -> tuple[int, int]:
    """How many were approved for an operation in the last hour and in the last 24 hours, one left out."""
    recent = sa.case((proposals.c.updated >= later(now, -HOUR), 1), else_=0)
    key = _approved(connector, operation, later(now, -DAY), but) & (proposals.c.updated <= now)
    row = conn.execute(sa.select(sa.func.coalesce(sa.func.sum(recent), 0), sa.func.count()).where(key)).one()
    return int(row[0]), int(row[1])


def to_one(conn: sa.Connection, connector: str, operation: str, addresses: Sequence[str], *, now: str, but: str) -> int:
    """The most that any one of these addresses was meant to receive by an operation in the last 24 hours."""
    wanted = {address.casefold() for address in addresses}
    counts = dict.fromkeys(wanted, 0)
    key = _approved(connector, operation, later(now, -DAY), but) & (proposals.c.updated <= now)
    for row in conn.execute(sa.select(proposals.c.recipients).where(key)):
        for address in {str(one).casefold() for one in row[0] or ()} & wanted:
            counts[address] += 1
    return max(counts.values(), default=0)


def in_bundle(conn: sa.Connection, bundle: str, but: str) -> int:
    """How many proposals of a bundle there are, one left out."""
    if not bundle:
        return 0
    key = (proposals.c.bundle == bundle) & (proposals.c.id != but)
    key &= proposals.c.state.in_(["waiting", "approved"])
    return int(conn.execute(sa.select(sa.func.count()).where(key)).scalar() or 0)


def past(
    conn: sa.Connection, connector: str, operation: str, *, now: str, but: str, limit: int = 200
) -> list[dict[str, Any]]:
    """The newest approved proposals of an operation: {approved, amount_minor, currency, recipients}."""
    columns = (proposals.c.updated.label("approved"), proposals.c.amount_minor, proposals.c.currency)
    query = sa.select(*columns, proposals.c.recipients).where(_kept(connector, operation, now, but))
    return [dict(row) for row in conn.execute(query.order_by(proposals.c.created.desc()).limit(limit)).mappings()]


def payloads(conn: sa.Connection, connector: str, operation: str, *, now: str, but: str, limit: int) -> list[Any]:
    """The payloads of the newest approved proposals of an operation."""
    query = sa.select(proposals.c.payload).where(_kept(connector, operation, now, but))
    return list(conn.execute(query.order_by(proposals.c.created.desc()).limit(limit)).scalars())


def _kept(connector: str, operation: str, now: str, but: str) -> Any:
    """Everything that was approved for an operation before an instant."""
    key = (proposals.c.connector == connector) & (proposals.c.operation == operation) & (proposals.c.created <= now)
    return key & (proposals.c.state == "approved") & (proposals.c.id != but)


def record_kind(conn: sa.Connection, record: str) -> str:
    """The kind of a record, "" when there is none."""
    return str(conn.execute(sa.select(records.c.kind).where(records.c.id == record)).scalar() or "")


def record_kinds(conn: sa.Connection, idents: Collection[str]) -> dict[str, str]:
    """The kinds of records by their ids; those that are gone are missing."""
    found: dict[str, str] = {}
    names = sorted({*idents} - {""})
    for start in range(0, len(names), 500):
        query = sa.select(records.c.id, records.c.kind).where(records.c.id.in_(names[start : start + 500]))
        found |= {str(ident): str(kind) for ident, kind in conn.execute(query)}
    return found


def set_by_hand(conn: sa.Connection, record: str, fields: Sequence[str]) -> list[str]:
    """Which of these fields have a value that the operator gave: set in a version of theirs, unchanged since."""
    query = sa.select(record_versions.c.body, record_versions.c.actor).where(record_versions.c.record == record)
    versions = list(conn.execute(query.order_by(record_versions.c.version)))
    owner: dict[str, str] = {}
    before: dict[str, Any] = {}
    for body, actor in versions:
        owner |= {name: actor for name in fields if body.get(name) != before.get(name)}
        before = body
    return sorted(name for name in fields if owner.get(name) == "operator" and before.get(name) not in (None, "", []))


def recent(conn: sa.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest proposals of any operation, newest first, for judging them again."""
    query = sa.select(proposals).order_by(proposals.c.created.desc(), proposals.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]
