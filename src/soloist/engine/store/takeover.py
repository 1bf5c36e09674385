"""Take-over: questions to the messages of a mailbox that was read back; everything is answered in flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import conversations, messages

_JOINED = messages.join(conversations, messages.c.conversation == conversations.c.id)
BATCH = 500


def senders(conn: sa.Connection, channel: str) -> list[dict[str, Any]]:
    """Who wrote to a mailbox, machines left out: {sender, name, count, first, last}."""
    query = (
        sa.select(
            messages.c.sender,
            sa.func.max(messages.c.sender_name).label("name"),
            sa.func.count().label("count"),
            sa.func.min(messages.c.at).label("first"),
            sa.func.max(messages.c.at).label("last"),
        )
        .select_from(_JOINED)
        .where((conversations.c.channel == channel) & (messages.c.direction == "in"))
        .where((messages.c.automatic.is_(None)) & (messages.c.sender != ""))
        .group_by(messages.c.sender)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def sent_to(conn: sa.Connection, channel: str) -> dict[str, int]:
    """How many mails the operator sent to each address, in lower case."""
    query = sa.select(messages.c.recipients).select_from(_JOINED)
    query = query.where((conversations.c.channel == channel) & (messages.c.direction == "out"))
    found: dict[str, int] = {}
    for row in conn.execution_options(yield_per=BATCH).execute(query):
        for address in {str(one).casefold() for one in row.recipients or []}:
            found[address] = found.get(address, 0) + 1
    return found


def unanswered(conn: sa.Connection, channel: str, since: str, limit: int) -> list[dict[str, Any]]:
    """The last messages of threads on which a person has the last word, newest first, without their texts' tails."""
    query = (
        sa.select(messages.c.id, messages.c.sender, messages.c.sender_name, messages.c.subject, messages.c.at)
        .select_from(messages.join(conversations, conversations.c.head == messages.c.id))
        .where((conversations.c.channel == channel) & (messages.c.direction == "in") & (messages.c.at > since))
        .where(messages.c.automatic.is_(None) & (conversations.c.last_in > conversations.c.last_out))
        .order_by(messages.c.at.desc(), messages.c.id)
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def last_words(conn: sa.Connection, channel: str, since: str) -> Iterator[list[dict[str, Any]]]:
    """The operator's own last message of every thread since an instant, in batches: {id, text, at, subject, ...}."""
    after = ""
    while True:
        query = (
            sa.select(messages.c.id, messages.c.text, messages.c.at, messages.c.subject, messages.c.recipients)
            .select_from(_JOINED)
            .where((conversations.c.channel == channel) & (messages.c.direction == "out") & (messages.c.at > since))
            .where((messages.c.at == conversations.c.last_out) & (messages.c.id > after))
            .order_by(messages.c.id)
            .limit(BATCH)
        )
        rows = [dict(row) for row in conn.execute(query).mappings()]
        if not rows:
            return
        yield rows
        after = rows[-1]["id"]


def conversations_with(conn: sa.Connection, channel: str, sender: str) -> list[str]:
    """Conversations of a mailbox in which this address wrote and that belong to nobody yet."""
    query = sa.select(conversations.c.id).distinct().select_from(_JOINED)
    where = (conversations.c.channel == channel) & (messages.c.sender == sender) & (conversations.c.record == "")
    return list(conn.execute(query.where(where)).scalars())
