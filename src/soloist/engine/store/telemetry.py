"""Telemetry: how long runs took, how they ended and what they used, over a bounded number of the newest; reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import proposals, runs
from soloist.engine.store.tables_agents import releases, skill_calls

NEWEST = 5000
"""Newest runs that are looked at, so that the page costs the same in a home of ten years."""


def newest(conn: sa.Connection, limit: int = NEWEST) -> Sequence[Any]:
    """(flow, agent, state, started, ended, cost_micro, tokens) of the newest runs, the newest first; one query."""
    at = runs.c
    shape = (at.flow, at.agent, at.state, at.started, at.ended, at.cost_micro, at.tokens)
    return conn.execute(sa.select(*shape).order_by(at.started.desc(), at.id.desc()).limit(limit)).all()


def skills_used(conn: sa.Connection) -> dict[str, str]:
    """When each published skill was called last in a run, "" never; one look into the index for each."""
    last = sa.select(sa.func.max(skill_calls.c.at)).where(skill_calls.c.skill == releases.c.name).scalar_subquery()
    query = sa.select(releases.c.name, last).where(releases.c.kind == "skill")
    return {str(name): str(at or "") for name, at in conn.execute(query)}


def edited(conn: sa.Connection, connector: str, operation: str, limit: int = 1000) -> tuple[int, int]:
    """Of the newest approved proposals of an operation: how many, and how many of these a person edited first."""
    at = proposals.c
    which = (at.connector == connector) & (at.operation == operation)
    rows = sa.select(at.state, at.version).where(which).order_by(at.created.desc()).limit(limit).subquery()
    query = sa.select(sa.func.count(), sa.func.sum(sa.case((rows.c.version > 1, 1), else_=0)))
    decided, changed = conn.execute(query.where(rows.c.state == "approved")).one()
    return int(decided), int(changed or 0)
