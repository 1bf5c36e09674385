"""Intents: what messages want, by the operator's own examples, and where each leads; rows, nothing is told here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import labels, messages
from soloist.engine.store.tables_agents import intents
from soloist.engine.store.tx import Tx

CHANGED = "intent.changed"


def get(conn: sa.Connection, name: str) -> dict[str, Any] | None:
    """An intent that is in use, None when there is none of this name."""
    row = conn.execute(sa.select(intents).where((intents.c.name == name) & (intents.c.ended == ""))).mappings().first()
    return dict(row) if row else None


def listed(conn: sa.Connection) -> list[dict[str, Any]]:
    """Every intent in use by its name."""
    query = sa.select(intents).where(intents.c.ended == "").order_by(intents.c.name)
    return [dict(row) for row in conn.execute(query).mappings()]


def any_there(conn: sa.Connection) -> bool:
    """Whether there is one at all."""
    return conn.execute(sa.select(intents.c.name).where(intents.c.ended == "").limit(1)).first() is not None


def put(tx: Tx, row: Mapping[str, Any], *, who: str) -> None:
    """Keep an intent in place of the one of its name; an event tells what it is now."""
    shown = {name: row[name] for name in ("title", "lead", "target", "source")}
    event = tx.append(CHANGED, subject=row["name"], payload={**shown, "examples": len(row["examples"])}, actor=who)
    values = {**row, "who": who, "at": tx.now, "event": event.id, "ended": ""}
    if tx.run(intents.update().where(intents.c.name == row["name"]).values(**values)).rowcount == 0:
        tx.run(intents.insert(), values)


def end(tx: Tx, name: str, *, who: str) -> None:
    """Take an intent out of use; its examples are emptied."""
    tx.append(CHANGED, subject=name, payload={"ended": True}, actor=who)
    tx.run(intents.update().where(intents.c.name == name).values(ended=tx.now, examples=[]))


def told(conn: sa.Connection, names: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """The operator's newest word on each message, as examples of these intents: {label, text, language}."""
    newest = sa.select(sa.func.max(labels.c.id)).where(labels.c.skill == "intent").group_by(labels.c.message)
    query = (
        sa.select(labels.c.label, messages.c.subject, messages.c.text, messages.c.language, messages.c.understanding)
        .select_from(labels.join(messages, labels.c.message == messages.c.id))
        .where(labels.c.id.in_(newest) & labels.c.label.in_(list(names)))
        .order_by(labels.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(query).mappings()]
