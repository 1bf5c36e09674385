"""Tasks and cards: a card is a task that waits for the operator; opened once for a subject, closed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import notes, tasks
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound
from soloist.kernel.lives import TASK

LATER = {"name": "defer", "label": "Later", "consequence": "The card comes back tomorrow morning."}
"""The second answer of a card that can only be read: every card offers at least two."""


def open_card(tx: Tx, ident: str, type_: str, title: str, **values: Any) -> str:
    """Open a card, unless one of this id exists; returns its id. ``values`` are columns of the tasks table."""
    if tx.conn.execute(sa.select(tasks.c.id).where(tasks.c.id == ident)).first() is None:
        row = {"id": ident, "type": type_, "title": title, "state": "open", "waits_for": "operator", **values}
        tx.run(tasks.insert(), {**row, "created": tx.now, "updated": tx.now})
        payload = {"type": type_, "title": title, "subject": values.get("subject", "")}
        tx.append("card.opened", subject=ident, payload=payload, run=str(values.get("run", "")))
    return ident


def answered(conn: sa.Connection, ident: str) -> bool:
    """Whether there was a card of this id that is closed now."""
    state = conn.execute(sa.select(tasks.c.state).where(tasks.c.id == ident)).scalar()
    return state is not None and state != "open"


def close(tx: Tx, ident: str, state: str, decision: Mapping[str, Any], *, actor: str) -> None:
    """Close an open card with what was decided (Conflict when it is closed)."""
    card = get(tx.conn, ident)
    TASK.check(card["state"], state)
    values = {"state": state, "closed": tx.now, "updated": tx.now, "decision": dict(decision)}
    key = (tasks.c.id == ident) & (tasks.c.state == card["state"])
    if tx.run(tasks.update().where(key).values(**values)).rowcount != 1:
        raise Conflict("Someone else closed this card at the same moment; nothing was changed.")
    tx.append(f"card.{state}", subject=ident, payload={"about": card["subject"], **decision}, actor=actor)


def reopen(tx: Tx, ident: str, **values: Any) -> None:
    """Change columns of an open card (Conflict when it is closed)."""
    done = tx.run(
        tasks.update().where((tasks.c.id == ident) & (tasks.c.state == "open")).values(updated=tx.now, **values)
    )
    if done.rowcount != 1:
        raise Conflict("This card is closed already.")


def snooze(tx: Tx, ident: str, until: str, *, actor: str) -> None:
    """Put an open card off to an instant, "" to wake it (Conflict when it is closed); its deadline stays."""
    reopen(tx, ident, snoozed_until=until)
    tx.append("card.deferred" if until else "card.woken", subject=ident, payload={"until": until}, actor=actor)


def next_awake(conn: sa.Connection, now: str) -> str:
    """When the next card that sleeps comes back, "" when none does."""
    asleep = (tasks.c.state == "open") & (tasks.c.snoozed_until > now)
    return str(conn.execute(sa.select(sa.func.min(tasks.c.snoozed_until)).where(asleep)).scalar() or "")


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One task (NotFound)."""
    row = conn.execute(sa.select(tasks).where(tasks.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no card {ident}.")
    return dict(row)


def open_for(conn: sa.Connection, subject: str) -> dict[str, Any] | None:
    """The open card about an object, or None."""
    query = sa.select(tasks).where((tasks.c.subject == subject) & (tasks.c.state == "open"))
    row = conn.execute(query.order_by(tasks.c.created.desc()).limit(1)).mappings().first()
    return dict(row) if row else None


def open_on(conn: sa.Connection, conversation: str, type_: str) -> list[dict[str, Any]]:
    """The open cards of a type that are about a conversation."""
    where = (tasks.c.conversation == conversation) & (tasks.c.type == type_) & (tasks.c.state == "open")
    return [dict(row) for row in conn.execute(sa.select(tasks).where(where)).mappings()]


def cards(
    conn: sa.Connection, state: str, *, after: tuple[str, str] = ("", ""), limit: int = 100
) -> list[dict[str, Any]]:
    """Cards in a state, those on the board of failures too, oldest first, after the (created, id) of the last seen."""
    query = sa.select(tasks).where((tasks.c.state == state) & tasks.c.waits_for.in_(["operator", "board"]))
    query = query.where(sa.tuple_(tasks.c.created, tasks.c.id) > sa.tuple_(*map(sa.literal, after)))
    rows = conn.execute(query.order_by(tasks.c.created, tasks.c.id).limit(limit)).mappings()
    return [dict(row) for row in rows]


def annotate(tx: Tx, object_: str, kind: str, body: str, *, actor: str = "soloist") -> None:
    """Add a note to any object."""
    row = {"id": tx.new_id(), "object": object_, "kind": kind, "body": body, "actor": actor, "at": tx.now}
    tx.run(notes.insert(), row)


def annotations_of(conn: sa.Connection, object_: str) -> list[dict[str, Any]]:
    """The notes on an object, oldest first."""
    query = sa.select(notes).where(notes.c.object == object_).order_by(notes.c.at)
    return [dict(row) for row in conn.execute(query).mappings()]


def beginning(conn: sa.Connection, start: str) -> list[str]:
    """At most three ids: the open card about an object of exactly this id, and cards whose id begins like this."""
    about = (tasks.c.subject == start) & (tasks.c.state == "open")
    pattern = start.replace("%", "").replace("_", "") + "%"
    return list(conn.execute(sa.select(tasks.c.id).where(about | tasks.c.id.like(pattern)).limit(3)).scalars())
