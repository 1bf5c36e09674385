"""Recordings: what a model answered to exactly this question, by the question's content; whoever asks again gets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables_spend import recordings
from soloist.engine.store.tx import Tx

_R = recordings.c


def get(conn: sa.Connection, key: str) -> dict[str, Any] | None:
    """The recording of a question, or None."""
    row = conn.execute(sa.select(recordings).where(_R.key == key)).mappings().first()
    return dict(row) if row is not None else None


def put(tx: Tx, row: Mapping[str, Any]) -> None:
    """Keep an answer; the newest answer to a question is the one that is kept."""
    tx.run(recordings.delete().where(_R.key == row["key"]))
    tx.run(recordings.insert(), {"uses": 0, "used": "", **row, "created": tx.now})


def use(tx: Tx, key: str) -> None:
    """Count that a recording answered."""
    tx.run(recordings.update().where(_R.key == key).values(uses=_R.uses + 1, used=tx.now))


def figures(conn: sa.Connection) -> dict[str, int]:
    """{recordings, uses}."""
    row = conn.execute(sa.select(sa.func.count(), sa.func.sum(_R.uses))).one()
    return {"recordings": int(row[0] or 0), "uses": int(row[1] or 0)}
