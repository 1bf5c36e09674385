"""Talks: conversations in which the operator gives work; rows of conversations and messages like those of mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import conversations, messages
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound

CHANNEL, OWN = "operator", "own"
"""Channel of such a conversation, and the direction of what is said in it: it came from nobody and goes to nobody."""


def say(tx: Tx, row: Mapping[str, Any], *, who: str, conversation: str = "", record: str = "") -> str:
    """Keep a sentence of the operator, in a new conversation without ``conversation``; answers the message's id.

    ``row`` holds text, language, origin and understanding. ``record`` says whom the conversation is about.
    """
    text = " ".join(str(row["text"]).split())
    if not conversation:
        conversation = tx.new_id()
        new = {"id": conversation, "channel": CHANNEL, "subject": text[:160], "state": "open", "created": tx.now}
        tx.run(conversations.insert(), new)
    ident = str(row.get("id") or tx.new_id())
    told = {"conversation": conversation, "direction": OWN, "sender": who, "subject": text[:160], "at": tx.now}
    tx.run(messages.insert(), {**row, **told, "id": ident})
    values = {"head": ident, **({"record": record} if record else {})}
    tx.run(conversations.update().where(conversations.c.id == conversation).values(**values))
    tx.append("work.asked", subject=ident, payload={"conversation": conversation}, actor=who)
    return ident


def get(conn: sa.Connection, conversation: str) -> dict[str, Any]:
    """One such conversation (NotFound)."""
    mine = (conversations.c.id == conversation) & (conversations.c.channel == CHANNEL)
    row = conn.execute(sa.select(conversations).where(mine)).mappings().first()
    if row is None:
        raise NotFound(f"There is no conversation {conversation[:80]!r} in which work is given.")
    return dict(row)


def message(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One sentence of such a conversation (NotFound)."""
    mine = (messages.c.id == ident) & (messages.c.direction == OWN)
    row = conn.execute(sa.select(messages).where(mine)).mappings().first()
    if row is None:
        raise NotFound(f"Nothing was said under {ident[:80]!r}.")
    return dict(row)


def turns(conn: sa.Connection, conversation: str, limit: int = 100) -> list[dict[str, Any]]:
    """What was said in a conversation, the newest ``limit`` of it, oldest first."""
    query = sa.select(messages).where((messages.c.conversation == conversation) & (messages.c.direction == OWN))
    rows = conn.execute(query.order_by(messages.c.at.desc(), messages.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows][::-1]


def listed(conn: sa.Connection, limit: int = 50) -> list[dict[str, Any]]:
    """The newest conversations, newest first."""
    query = sa.select(conversations).where(conversations.c.channel == CHANNEL)
    newest = query.order_by(conversations.c.created.desc(), conversations.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(newest).mappings()]


def became(tx: Tx, ident: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Keep what a sentence became (its understanding was ``was``; Conflict when somebody was faster)."""
    if message(tx.conn, ident)["understanding"] != was:
        raise Conflict("This was given or said otherwise a moment ago; nothing was begun.")
    tx.run(messages.update().where(messages.c.id == ident).values(understanding=dict(now)))
