"""Working sessions: what one is about, what is expected of it, and how it ended; and threads that went quiet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import conversations, events
from soloist.engine.store.tables_memory import memories, work_sessions
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound

OPEN, CLOSED, CARRIED = "open", "closed", "carried"


def begin(tx: Tx, given: Mapping[str, Any], *, who: str) -> str:
    """Write a new open session {title, scope, objectives, expectations}; returns its id."""
    ident = tx.new_id()
    row = {name: given.get(name, default) for name, default in (("title", ""), ("scope", ""))}
    row |= {name: list(given.get(name) or []) for name in ("objectives", "expectations")}
    times = {"created": tx.now, "updated": tx.now}
    tx.run(work_sessions.insert(), {**row, **times, "id": ident, "state": OPEN, "who": who})
    tx.append("work_session.begun", subject=ident, payload={"why": row["title"]}, actor=who)
    return ident


def change(tx: Tx, ident: str, *, who: str, **values: Any) -> dict[str, Any]:
    """Change what an open session is about (NotFound; Conflict when it has ended)."""
    _still_open(tx, ident, {**values, "updated": tx.now})
    tx.append("work_session.changed", subject=ident, payload={"fields": sorted(values)}, actor=who)
    return get(tx.conn, ident)


def end(tx: Tx, ident: str, state: str, *, who: str, summary: str = "", carried_to: str = "") -> dict[str, Any]:
    """End an open session as closed or carried over (NotFound; Conflict when it has ended)."""
    values = {"state": state, "summary": summary, "carried_to": carried_to, "closed": tx.now, "updated": tx.now}
    _still_open(tx, ident, values)
    payload = {"carried_to": carried_to} if carried_to else {}
    tx.append(f"work_session.{state}", subject=ident, payload=payload, actor=who)
    return get(tx.conn, ident)


def _still_open(tx: Tx, ident: str, values: Mapping[str, Any]) -> None:
    """Write columns of an open session."""
    key = (work_sessions.c.id == ident) & (work_sessions.c.state == OPEN)
    if tx.run(work_sessions.update().where(key).values(**values)).rowcount != 1:
        row = get(tx.conn, ident)
        raise Conflict(f"The session {row['title']!r} is {row['state']} already; nothing was changed.")


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One session (NotFound)."""
    row = conn.execute(sa.select(work_sessions).where(work_sessions.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no working session {ident}.")
    return dict(row)


def writers(conn: sa.Connection, ident: str) -> list[str]:
    """Whose words a session is made of: who began it and who changed it, the first first."""
    kinds = ("work_session.begun", "work_session.changed")
    query = sa.select(events.c.actor).where((events.c.subject == ident) & events.c.kind.in_(kinds))
    return [*dict.fromkeys(conn.execute(query.order_by(events.c.seq)).scalars())]


def listed(
    conn: sa.Connection, state: str = "", *, before: tuple[str, str] | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Sessions in a state ("" for all), newest first, after the (created, id) of the last one seen."""
    query = sa.select(work_sessions)
    query = query.where(work_sessions.c.state == state) if state else query
    if before is not None:
        place = sa.tuple_(work_sessions.c.created, work_sessions.c.id)
        query = query.where(place < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(work_sessions.c.created.desc(), work_sessions.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def of_scope(conn: sa.Connection, scopes: Sequence[str], limit: int = 20) -> list[dict[str, Any]]:
    """Sessions about some records, newest first."""
    query = sa.select(work_sessions).where(work_sessions.c.scope.in_(list(scopes)))
    return [dict(row) for row in conn.execute(query.order_by(work_sessions.c.created.desc()).limit(limit)).mappings()]


def idle(conn: sa.Connection, since: str, limit: int = 20) -> list[dict[str, Any]]:
    """Open sessions that nobody changed since an instant, oldest first."""
    query = sa.select(work_sessions).where((work_sessions.c.state == OPEN) & (work_sessions.c.updated < since))
    return [dict(row) for row in conn.execute(query.order_by(work_sessions.c.updated).limit(limit)).mappings()]


def quiet(conn: sa.Connection, since: str, after: tuple[str, str], limit: int = 20) -> list[dict[str, Any]]:
    """Conversations whose newest message is remembered, older than an instant, and not in any summary yet.

    In the order they went quiet, after the (instant, id) of the last one looked at.
    """
    both = (conversations.c.last_in, conversations.c.last_out)
    last = sa.case((both[0] > both[1], both[0]), else_=both[1]).label("last")
    about = (memories.c.kind == "summary") & (memories.c.ended == "")
    told = sa.select(memories.c.id).where(about & (memories.c.thread == conversations.c.id) & (memories.c.at >= last))
    query = sa.select(conversations, last).where((last < since) & (last > ""))
    query = query.where(sa.tuple_(last, conversations.c.id) > sa.tuple_(*map(sa.literal, after)))
    query = query.where(~told.exists()).order_by(last, conversations.c.id).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]
