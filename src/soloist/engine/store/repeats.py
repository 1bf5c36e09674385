"""Repeats: what came again and again in a span of time, counted; it says nothing about what follows from it."""

from __future__ import annotations

import sqlalchemy as sa

from soloist.engine.store.tables import messages, proposals, runs


def kinds_of_messages(conn: sa.Connection, since: str, until: str) -> dict[str, int]:
    """How many messages of each kind came in from ``since`` to before ``until`` (ISO 8601, UTC)."""
    at = messages.c
    span = (at.direction == "in") & (at.at >= since) & (at.at < until)
    query = sa.select(at.kind, sa.func.count()).where(span).group_by(at.kind)
    return {str(kind): int(number) for kind, number in conn.execute(query)}


def stopped(conn: sa.Connection, since: str, until: str) -> dict[str, int]:
    """How many runs of each flow failed in the span."""
    at = runs.c
    query = sa.select(at.flow, sa.func.count()).where((at.state == "failed") & (at.ended >= since) & (at.ended < until))
    return {str(flow): int(number) for flow, number in conn.execute(query.group_by(at.flow))}


def decided(conn: sa.Connection, since: str, until: str) -> list[tuple[str, str, str]]:
    """Agent, operation and state of each proposal that was decided in the span, at most 2,000."""
    at = proposals.c
    ended = at.state.in_(["approved", "rejected"])
    query = sa.select(at.agent, at.operation, at.state).where(ended & (at.updated >= since) & (at.updated < until))
    return [(str(row.agent), str(row.operation), str(row.state)) for row in conn.execute(query.limit(2000))]
