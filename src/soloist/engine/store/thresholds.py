"""Thresholds: from which confidence on a skill may go alone, by language and group; rows, no figures are made here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables_agents import thresholds
from soloist.engine.store.tx import Tx
from soloist.kernel.confidence import Threshold

MOVED = "threshold.moved"


def get(conn: sa.Connection, skill: str, language: str, group: str) -> Threshold:
    """What is proved of a skill for a language and group; "uncalibrated" before the first figure."""
    row = conn.execute(sa.select(thresholds).where(_key(skill, language, group))).mappings().first()
    return _threshold(dict(row)) if row else Threshold()


def details(conn: sa.Connection, skill: str) -> dict[tuple[str, str], tuple[Threshold, dict[str, Any]]]:
    """Every threshold of a skill by (language, group), with what was kept about how it came to be."""
    rows = conn.execute(sa.select(thresholds).where(thresholds.c.skill == skill)).mappings()
    return {(str(row["language"]), str(row["grouping"])): (_threshold(dict(row)), row["detail"] or {}) for row in rows}


def listed(conn: sa.Connection) -> list[dict[str, Any]]:
    """Every row with its ``found`` threshold, by skill, language and group."""
    order = (thresholds.c.skill, thresholds.c.language, thresholds.c.grouping)
    rows = conn.execute(sa.select(thresholds).order_by(*order)).mappings()
    return [{**row, "found": _threshold(dict(row))} for row in rows]


def put(
    tx: Tx, skill: str, language: str, group: str, found: Threshold, *, why: str, detail: Mapping[str, Any]
) -> None:
    """Keep what was found; a change of what may go alone is an event with the reason in words."""
    old = get(tx.conn, skill, language, group)
    values: dict[str, Any] = {
        "value": found.value,
        "labels": found.labels,
        "right": found.right,
        "bound": found.bound,
        "state": found.state,
        "detail": {"more": found.more, "of": found.of, "why": why, **detail},
    }
    if (old.state, old.value) != (found.state, found.value):
        payload = {"language": language, "group": group, "from": old.state, "to": found.state, "value": found.value}
        values["event"] = tx.append(MOVED, subject=skill, payload={**payload, "why": why}).id
    values["at"] = tx.now
    if tx.run(thresholds.update().where(_key(skill, language, group)).values(**values)).rowcount == 0:
        tx.run(thresholds.insert(), {"skill": skill, "language": language, "grouping": group, **values})


def _key(skill: str, language: str, group: str) -> sa.ColumnElement[bool]:
    row = thresholds.c
    return (row.skill == skill) & (row.language == language) & (row.grouping == group)


def _threshold(row: Mapping[str, Any]) -> Threshold:
    more = row["detail"] or {}
    figures = (int(row["value"]), int(row["labels"]), int(row["right"]), int(row["bound"]))
    return Threshold(row["state"], *figures, int(more.get("more", 0)), int(more.get("of", row["labels"])))
