"""Wordings: lines the operator wants in place of others, said yes or no to, and ended again; it changes no draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables_agents import wordings
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound

IN_USE, DECLINED, ENDED = "in_use", "declined", "ended"


def add(tx: Tx, given: Mapping[str, Any], *, state: str, who: str) -> str:
    """Keep the operator's yes ("in_use") or no ("declined") to a change; returns its id. An event tells it.

    The one in force for the same line in the same language ends.
    """
    at = wordings.c
    same = (at.old == given["old"]) & (at.language == given["language"]) & (at.skill == given["skill"])
    for row in tx.rows(sa.select(at.id).where(same, at.sort == given["sort"], at.state == IN_USE)):
        end(tx, row.id, who=who)
    ident = tx.new_id()
    told = {"state": state, "skill": given["skill"], "language": given["language"], "cases": given["cases"]}
    event = tx.append("wording.said", subject=ident, payload=told, actor=who)
    names = ("skill", "sort", "language", "old", "new", "cases")
    row_of = {name: given[name] for name in names}
    tx.run(wordings.insert(), {**row_of, "id": ident, "state": state, "who": who, "at": tx.now, "event": event.id})
    return ident


def end(tx: Tx, ident: str, *, who: str) -> None:
    """A wording is used no more (NotFound; Conflict when it is not in use)."""
    row = tx.first(sa.select(wordings.c.state).where(wordings.c.id == ident))
    if row is None:
        raise NotFound(f"There is no wording {ident[:80]}.")
    if row["state"] != IN_USE:
        raise Conflict("This wording is not in use; nothing was changed.")
    tx.append("wording.ended", subject=ident, actor=who)
    tx.run(wordings.update().where(wordings.c.id == ident).values(state=ENDED, ended=tx.now))


def in_use(conn: sa.Connection, skill: str = "", language: str = "", sort: str = "") -> list[dict[str, Any]]:
    """Wordings for a draft of a skill in a language about a kind of message, the oldest first; all for ""."""
    at = wordings.c
    query = sa.select(wordings).where(at.state == IN_USE)
    if skill:
        query = query.where(at.skill == skill, at.language == language, at.sort.in_(["", sort]))
    return [dict(row) for row in conn.execute(query.order_by(at.id)).mappings()]


def known(conn: sa.Connection) -> set[tuple[str, str, str]]:
    """What was said yes or no to and did not end: (language, old, new)."""
    at = wordings.c
    query = sa.select(at.language, at.old, at.new).where(at.state.in_([IN_USE, DECLINED]))
    return {(row[0], row[1], row[2]) for row in conn.execute(query)}
