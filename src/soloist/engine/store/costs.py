"""Costs beside models: for each of the newest runs who it was for, how long it took and what it keeps; reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import assets, conversations, messages, records, run_steps, runs
from soloist.engine.store.tables_spend import model_calls

NEWEST = 1000
"""Newest runs that are looked at, so that it costs the same in a home of ten years."""


def of_runs(conn: sa.Connection, limit: int = NEWEST) -> Sequence[Any]:
    """(flow, agent, client, started, ended, kept) of the newest runs; ``client`` is the record whose message it read.

    ``kept`` are bytes: what its steps and its questions to models hold, and the message it was about.
    """
    at = runs.c
    newest = sa.select(at.id, at.flow, at.agent, at.subject, at.started, at.ended).order_by(
        at.started.desc(), at.id.desc()
    )
    run = newest.limit(limit).subquery()
    mail = sa.and_(messages.c.event == run.c.subject, run.c.subject != "")
    kept = _bytes(run_steps, ("input", "output", "detail"), run) + _bytes(model_calls, ("request", "response"), run)
    query = (
        sa.select(
            run.c.flow,
            run.c.agent,
            sa.func.coalesce(conversations.c.record, "").label("client"),
            run.c.started,
            run.c.ended,
            (kept + sa.func.coalesce(assets.c.size, 0)).label("kept"),
        )
        .select_from(run)
        .outerjoin(messages, mail)
        .outerjoin(conversations, conversations.c.id == messages.c.conversation)
        .outerjoin(assets, assets.c.hash == messages.c.asset)
    )
    return conn.execute(query).all()


def titles(conn: sa.Connection, idents: Sequence[str]) -> dict[str, str]:
    """Titles of the records that there are of these."""
    query = sa.select(records.c.id, records.c.title).where(records.c.id.in_([*idents]))
    return {str(ident): str(title) for ident, title in conn.execute(query)}


def _bytes(table: sa.Table, columns: Sequence[str], run: sa.Subquery) -> sa.ColumnElement[int]:
    """Bytes that rows of a run hold in these columns, by their characters."""
    each = (sa.func.coalesce(sa.func.length(sa.type_coerce(table.c[name], sa.Text)), 0) for name in columns)
    whole = sum(each, sa.literal(0))
    found = sa.select(sa.func.sum(whole)).where(table.c.run == run.c.id).correlate(run)
    return sa.func.coalesce(found.scalar_subquery(), 0)
