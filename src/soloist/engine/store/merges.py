"""Merges: pairs of records that are one, proposed, done, kept apart or taken back; and who belongs together now.

A merge is a row and a pointer: neither record, nor its history, is rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import conversations, records, tasks
from soloist.engine.store.tables_memory import merges
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound
from soloist.kernel.merging import MERGE, combined

DEEPEST = 50
"""Steps from a record to the one that stands for it; more would be a circle, which merging refuses to make."""


def root(conn: sa.Connection, record: str) -> str:
    """The record that stands for this one now: itself, or the one it was merged into."""
    seen = record
    for _ in range(DEEPEST):
        into = conn.execute(sa.select(records.c.merged_into).where(records.c.id == seen)).scalar()
        if not into:
            return seen
        seen = str(into)
    return seen


def family(conn: sa.Connection, record: str) -> list[str]:
    """Every record that is one with this one while merged, the kept one first; of a single record itself alone."""
    found = [root(conn, record)]
    last = list(found)
    for _ in range(DEEPEST):
        query = sa.select(records.c.id).where(records.c.merged_into.in_(last)).order_by(records.c.id)
        last = [ident for ident in conn.execute(query).scalars() if ident not in found]
        if not last:
            break
        found += last
    return found


def moved(conn: sa.Connection, record: Mapping[str, Any]) -> Conflict:
    """The refusal of a write to a record that was merged into another: it says where to write instead."""
    into = conn.execute(sa.select(records).where(records.c.id == root(conn, str(record["id"])))).mappings().one()
    return Conflict(
        f"The {record['kind']} {record['title']!r} was merged into {into['title']!r}. Nothing was changed; write to "
        f"/records/{into['kind']}/{into['id']}, or take the merge back first.",
        field="record",
        kept=into["id"],
    )


def view(conn: sa.Connection, record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a kept record together with those of everything merged into it, by the declared choices."""
    body = dict(record["body"])
    for row in of(conn, str(record["id"])):
        if row["state"] == "merged" and row["kept"] == record["id"]:
            other = conn.execute(sa.select(records).where(records.c.id == row["other"])).mappings().one()
            body = combined(body, view(conn, dict(other)), row["choices"] or {})
    return body


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One merge (NotFound)."""
    row = conn.execute(sa.select(merges).where(merges.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no merge {ident}.")
    return dict(row)


def of(conn: sa.Connection, record: str) -> list[dict[str, Any]]:
    """Every merge row a record has a part in, oldest first."""
    part = (merges.c.kept == record) | (merges.c.other == record)
    query = sa.select(merges).where(part).order_by(merges.c.created, merges.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def pair(conn: sa.Connection, one: str, other: str) -> dict[str, Any] | None:
    """The newest row about these two, whichever of them is kept; or None."""
    both = sa.or_(
        (merges.c.kept == one) & (merges.c.other == other), (merges.c.kept == other) & (merges.c.other == one)
    )
    query = sa.select(merges).where(both).order_by(merges.c.created.desc(), merges.c.id.desc()).limit(1)
    row = conn.execute(query).mappings().first()
    return dict(row) if row else None


def listed(
    conn: sa.Connection, state: str, *, after: tuple[str, str] = ("", ""), limit: int = 100
) -> list[dict[str, Any]]:
    """Merges in a state ("" for all), oldest first, after the (created, id) of the last one seen."""
    query = sa.select(merges).where(sa.tuple_(merges.c.created, merges.c.id) > sa.tuple_(*map(sa.literal, after)))
    query = query.where(merges.c.state == state) if state else query
    query = query.order_by(merges.c.created, merges.c.id).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def newest(conn: sa.Connection, states: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """Merges in these states, what was decided last first."""
    last = sa.case((merges.c.closed != "", merges.c.closed), else_=merges.c.created)
    query = sa.select(merges).where(merges.c.state.in_(list(states))).order_by(last.desc(), merges.c.id.desc())
    return [dict(row) for row in conn.execute(query.limit(limit)).mappings()]


def waiting(conn: sa.Connection, limit: int) -> list[dict[str, Any]]:
    """Proposed ones that have no card yet, the most certain first."""
    where = (merges.c.state == "proposed") & (merges.c.card == "")
    query = sa.select(merges).where(where).order_by(merges.c.score.desc(), merges.c.created, merges.c.id).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def cards_since(conn: sa.Connection, start: str) -> int:
    """How many cards about pairs were opened since an instant."""
    query = sa.select(sa.func.count()).where((tasks.c.type == "merge") & (tasks.c.created >= start))
    return int(conn.execute(query).scalar() or 0)


def asked(conn: sa.Connection) -> set[str]:
    """The kept records of pairs that an open card asks about."""
    joined = merges.join(tasks, merges.c.card == tasks.c.id)
    query = sa.select(merges.c.kept).select_from(joined)
    return set(conn.execute(query.where((merges.c.state == "proposed") & (tasks.c.state == "open"))).scalars())


def card(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """A card of this id, or None."""
    row = conn.execute(sa.select(tasks).where(tasks.c.id == ident)).mappings().first()
    return dict(row) if row else None


def counts(conn: sa.Connection) -> dict[str, int]:
    """How many there are in each state."""
    query = sa.select(merges.c.state, sa.func.count()).group_by(merges.c.state)
    return {str(state): int(number) for state, number in conn.execute(query)}


def insert(tx: Tx, row: Mapping[str, Any]) -> str:
    """Store a new pair; answers its id."""
    ident = tx.new_id()
    tx.run(merges.insert(), {"id": ident, "created": tx.now, **row})
    return ident


def change(tx: Tx, row: Mapping[str, Any], state: str, **values: Any) -> None:
    """Move a pair to another state (Conflict when somebody was quicker); ``values`` are columns."""
    MERGE.check(row["state"], state)
    key = (merges.c.id == row["id"]) & (merges.c.state == row["state"])
    if tx.run(merges.update().where(key).values(state=state, **values)).rowcount != 1:
        raise Conflict("Somebody else decided about these two at the same moment; nothing was changed.")


def note(tx: Tx, ident: str, **values: Any) -> None:
    """Change columns of a pair without moving it."""
    tx.run(merges.update().where(merges.c.id == ident).values(**values))


def point(tx: Tx, other: str, kept: str) -> None:
    """Let a record lead to another ("" to itself again); its fields, version and dates stay as they are."""
    tx.run(records.update().where(records.c.id == other).values(merged_into=kept))


def talked(conn: sa.Connection, idents: Sequence[str]) -> int:
    """How many conversations there are with these records."""
    query = sa.select(sa.func.count()).select_from(conversations).where(conversations.c.record.in_(list(idents)))
    return int(conn.execute(query).scalar() or 0)
