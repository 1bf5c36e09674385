"""Labels: the operator's word on what something is; the newest word on a message counts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from soloist.engine.store import samples
from soloist.engine.store.tables import labels, messages
from soloist.engine.store.tx import Tx
from soloist.kernel.confidence import alike


def add(tx: Tx, message: str, skill: str, label: str, *, was: str, source: str, who: str) -> str:
    """Keep one word of the operator; returns its id. An event tells the journal."""
    ident = tx.new_id()
    row = {"id": ident, "message": message, "skill": skill, "label": label, "was": was, "source": source, "who": who}
    tx.run(labels.insert(), {**row, "at": tx.now})
    if told := samples.find(tx.conn, message, skill):
        samples.judge(tx, told["id"], label, alike(told["label"], label))
    tx.append("label.given", subject=message, payload={"skill": skill, "label": label, "was": was}, actor=who)
    return ident


def of_skill(conn: sa.Connection, skill: str, limit: int = 5000) -> list[dict[str, Any]]:
    """The newest label of each message with its words: {id, message, label, was, at, subject, text, language}."""
    newest = sa.select(sa.func.max(labels.c.id)).where(labels.c.skill == skill).group_by(labels.c.message)
    query = (
        sa.select(labels, messages.c.subject, messages.c.text, messages.c.language)
        .select_from(labels.join(messages, labels.c.message == messages.c.id))
        .where(labels.c.id.in_(newest))
        .order_by(labels.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def count(conn: sa.Connection, skill: str) -> int:
    """How many words there are on a skill."""
    return int(conn.execute(sa.select(sa.func.count()).where(labels.c.skill == skill)).scalar() or 0)
