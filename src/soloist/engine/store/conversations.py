"""Conversations and their messages: threads found by the ids mail carries, then by sender and subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import conversations, messages, thread_ids
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound
from soloist.kernel.origin import Origin


def by_message_ids(conn: sa.Connection, ids: Sequence[str]) -> str | None:
    """The conversation of the newest known message among these Message-IDs, else one that points at them, or None."""
    if not ids:
        return None
    query = sa.select(messages.c.conversation).where(messages.c.message_id.in_(list(ids)))
    found = conn.execute(query.order_by(messages.c.at.desc()).limit(1)).scalar()
    if found is None:
        pointed = sa.select(thread_ids.c.conversation).where(thread_ids.c.ref.in_(list(ids)))
        found = conn.execute(pointed.order_by(thread_ids.c.conversation.desc()).limit(1)).scalar()
    return found


def point(tx: Tx, conversation: str, refs: Sequence[str]) -> None:
    """Remember the Message-IDs a thread points at, so that a mail that is read later still finds it."""
    if not refs:
        return
    known = set(tx.conn.execute(sa.select(thread_ids.c.ref).where(thread_ids.c.ref.in_(list(refs)))).scalars())
    fresh = [{"ref": ref, "conversation": conversation} for ref in refs if ref not in known]
    if fresh:
        tx.run(thread_ids.insert(), fresh)


def by_sender_and_subject(conn: sa.Connection, sender: str, subject: str, since: str) -> str | None:
    """A conversation with this sender about this (normalised) subject that was alive since an instant, or None."""
    joined = messages.join(conversations, messages.c.conversation == conversations.c.id)
    query = (
        sa.select(conversations.c.id)
        .select_from(joined)
        .where((conversations.c.subject == subject) & (messages.c.sender == sender) & (messages.c.at > since))
    )
    return conn.execute(query.order_by(messages.c.at.desc()).limit(1)).scalar()


def sent_before(conn: sa.Connection, message_id: str) -> str | None:
    """A message of ours that already has this Message-ID, or None."""
    mine = (messages.c.message_id == message_id) & (messages.c.direction == "out")
    return conn.execute(sa.select(messages.c.id).where(mine)).scalar() if message_id else None


def answered(conn: sa.Connection, address: str, before: str) -> bool:
    """Whether we answered somebody with this address on a thread before an instant."""
    joined = messages.join(conversations, messages.c.conversation == conversations.c.id)
    theirs = (messages.c.sender == address) & (conversations.c.last_out > "") & (conversations.c.last_out < before)
    return conn.execute(sa.select(messages.c.id).select_from(joined).where(theirs).limit(1)).first() is not None


def duplicate(conn: sa.Connection, message_id: str, text_hash: str) -> str | None:
    """An inbound message that is the same one delivered again, or None."""
    same = (messages.c.message_id == message_id) & (messages.c.text_hash == text_hash) & (messages.c.direction == "in")
    return conn.execute(sa.select(messages.c.id).where(same)).scalar() if message_id else None


def open_new(tx: Tx, channel: str, subject: str) -> str:
    """A new conversation; returns its id."""
    ident = tx.new_id()
    tx.run(
        conversations.insert(),
        {"id": ident, "channel": channel, "subject": subject, "state": "open", "created": tx.now},
    )
    return ident


def written_by(row: Mapping[str, Any], ident: str, *, known: bool = False) -> dict[str, Any]:
    """Where the words of a message come from, as it is kept: the operator, somebody ``known``, somebody else.

    What went out without a person's word may repeat what came in, so it counts as outside as well.
    """
    labels = {"operator"} if row.get("kind") != "automatic" else {"own", "outside"}
    if row["direction"] == "in":
        labels = {"contact" if known else "outside"}
    return Origin(frozenset(labels), frozenset({f"message:{ident}"})).told()


def add(tx: Tx, row: Mapping[str, Any]) -> str:
    """Add a message and make it the head of its conversation; returns its id."""
    ident = str(row.get("id") or tx.new_id())
    known = row["direction"] == "in" and answered(tx.conn, row.get("sender", ""), row["at"])
    tx.run(messages.insert(), {**row, "id": ident, "origin": written_by(row, ident, known=known)})
    side = {"last_in": row["at"]} if row["direction"] == "in" else {"last_out": row["at"]}
    key = conversations.c.id == row["conversation"]
    tx.run(conversations.update().where(key).values(head=ident, **side))
    return ident


def add_past(tx: Tx, row: Mapping[str, Any]) -> str:
    """Add a message that may be older than what its conversation has; the newest stays the head. Returns its id."""
    ident = tx.new_id()
    tx.run(messages.insert(), {**row, "id": ident, "origin": written_by(row, ident)})
    before = get(tx.conn, row["conversation"])
    side = "last_in" if row["direction"] == "in" else "last_out"
    values: dict[str, str] = {}
    if row["at"] > max(before["last_in"], before["last_out"]):
        values["head"] = ident
    if row["at"] > before[side]:
        values[side] = row["at"]
    if values:
        tx.run(conversations.update().where(conversations.c.id == row["conversation"]).values(**values))
    return ident


def update_message(tx: Tx, ident: str, **values: Any) -> None:
    """Set columns of a message that understanding fills in."""
    tx.run(messages.update().where(messages.c.id == ident).values(**values))


def assign(tx: Tx, conversation: str, record: str) -> None:
    """Say whose conversation it is."""
    tx.run(conversations.update().where(conversations.c.id == conversation).values(record=record))


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One conversation (NotFound)."""
    row = conn.execute(sa.select(conversations).where(conversations.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no conversation {ident}.")
    return dict(row)


def message(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One message (NotFound)."""
    row = conn.execute(sa.select(messages).where(messages.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no message {ident}.")
    return dict(row)


def of_event(conn: sa.Connection, event: str) -> dict[str, Any] | None:
    """The message that an event became, or None."""
    row = conn.execute(sa.select(messages).where(messages.c.event == event)).mappings().first()
    return dict(row) if row else None


def of(conn: sa.Connection, conversation: str, limit: int = 50) -> list[dict[str, Any]]:
    """The newest messages of a conversation, oldest first."""
    query = sa.select(messages).where(messages.c.conversation == conversation)
    rows = conn.execute(query.order_by(messages.c.at.desc(), messages.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows][::-1]


def newest_inbound(conn: sa.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest messages that came in, newest first."""
    query = sa.select(messages).where(messages.c.direction == "in").order_by(messages.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def of_record(conn: sa.Connection, record: str, limit: int = 50) -> list[dict[str, Any]]:
    """The newest conversations of a record."""
    query = sa.select(conversations).where(conversations.c.record == record)
    return [dict(row) for row in conn.execute(query.order_by(conversations.c.created.desc()).limit(limit)).mappings()]


def earlier(conn: sa.Connection, record: str, before: str) -> bool:
    """Whether there is a message of this record's conversations before an instant that we answered."""
    query = sa.select(conversations.c.id).where((conversations.c.record == record) & (conversations.c.last_out > ""))
    return conn.execute(query.where(conversations.c.last_out < before).limit(1)).first() is not None


def automatic_since(conn: sa.Connection, conversation: str, since: str) -> int:
    """How many messages went out on a conversation without a person's word since an instant."""
    mine = (messages.c.conversation == conversation) & (messages.c.direction == "out") & (messages.c.at > since)
    query = sa.select(sa.func.count()).where(mine & (messages.c.kind == "automatic"))
    return int(conn.execute(query).scalar() or 0)


def ours(conn: sa.Connection, message_id: str) -> list[str]:
    """Ids of messages of ours that carry this Message-ID."""
    query = sa.select(messages.c.id).where((messages.c.message_id == message_id) & (messages.c.direction == "out"))
    return list(conn.execute(query).scalars())
