"""Records of a kind as a table: filtered, sorted and paged by the database on either store; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from soloist.engine.store.tables import records

_OWN = {"updated": records.c.updated, "created": records.c.created, "state": records.c.state}
MONEY = frozenset({"amount"})
"""Fields that are sorted by their amount."""
ABOVE_ALL = 2 * 10**16
"""Added to minor units, every amount has seventeen digits, also one below zero."""
RETIRED = "retired"
MOST_TEXT = 200
"""Characters of a filter that are looked for."""


@dataclass(frozen=True)
class Asked:
    """One table: its kind, the text its cells hold, its state ("" = any), the column it is sorted by, which way.

    ``columns`` are the fields shown beside the title; ``sort`` is one of them, "title", "state", "updated", "created".
    """

    kind: str
    text: str = ""
    state: str = ""
    sort: str = "updated"
    down: bool = True
    columns: tuple[str, ...] = ()


def rows(conn: sa.Connection, asked: Asked, *, after: tuple[str, str] | None, limit: int) -> list[dict[str, Any]]:
    """Rows after the (sorted value, id) of the last one seen; each also carries its sorted value as ``key``."""
    key = _key(conn, asked.sort)
    query = sa.select(records, key.label("key")).where(_where(conn, asked))
    if after is not None:
        place, seen = sa.tuple_(key, records.c.id), sa.tuple_(*map(sa.literal, after))
        query = query.where(place < seen if asked.down else place > seen)
    order = (key.desc(), records.c.id.desc()) if asked.down else (key.asc(), records.c.id.asc())
    return [dict(row) for row in conn.execute(query.order_by(*order).limit(limit)).mappings()]


def states(conn: sa.Connection, asked: Asked) -> dict[str, int]:
    """How many rows of the table there are in each state, whatever state is asked for."""
    where = _where(conn, Asked(asked.kind, asked.text, columns=asked.columns))
    query = sa.select(records.c.state, sa.func.count()).where(where).group_by(records.c.state)
    return {str(state): int(count) for state, count in conn.execute(query.order_by(records.c.state))}


def sums(conn: sa.Connection, asked: Asked, name: str) -> dict[str, int]:
    """The sum of an amount over the whole table, in minor units, by currency."""
    if conn.dialect.name == "postgresql":
        body = sa.cast(records.c.body, postgresql.JSON)
        parts = [sa.func.json_extract_path_text(body, name, part) for part in ("minor", "currency")]
    else:
        parts = [sa.func.json_extract(records.c.body, f'$."{name}".{part}') for part in ("minor", "currency")]
    minor, currency = sa.cast(parts[0], sa.BigInteger), parts[1]
    query = sa.select(currency, sa.func.sum(minor)).where(_where(conn, asked) & parts[0].is_not(None))
    return {str(code): int(total) for code, total in conn.execute(query.group_by(currency).order_by(currency)).all()}


def _where(conn: sa.Connection, asked: Asked) -> Any:
    """What belongs to the table: records that stand for themselves; retired ones only when they are asked for."""
    found = (records.c.kind == asked.kind) & (records.c.merged_into == "")
    if asked.state != RETIRED:
        found &= records.c.state != RETIRED
    if asked.state:
        found &= records.c.state == asked.state
    if asked.text:
        like = f"%{escaped(asked.text[:MOST_TEXT])}%"
        cells = [records.c.title, *(_cell(conn, name) for name in asked.columns)]
        found &= sa.or_(*(cell.ilike(like, escape="\\") for cell in cells))
    return found


def escaped(text: str) -> str:
    """A text as LIKE takes it literally, with the backslash as its escape."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _key(conn: sa.Connection, sort: str) -> Any:
    """What rows are sorted by: instants as they are, words without regard to case."""
    if sort in ("updated", "created"):
        return _OWN[sort]
    if sort in MONEY:
        return _minor(conn, sort)
    return sa.func.lower(records.c.title if sort == "title" else _cell(conn, sort))


def _minor(conn: sa.Connection, name: str) -> Any:
    """An amount's minor units as text that sorts like the number, "" without one; currencies are not told apart."""
    found: sa.ColumnElement[Any]
    if conn.dialect.name == "postgresql":
        found = sa.func.json_extract_path_text(sa.cast(records.c.body, postgresql.JSON), name, "minor")
    else:
        found = sa.func.json_extract(records.c.body, f'$."{name}".minor')
    shifted = sa.cast(sa.cast(found, sa.BigInteger) + ABOVE_ALL, sa.Text)
    return sa.func.coalesce(shifted, "")


def _cell(conn: sa.Connection, name: str) -> Any:
    """A column of the row, or a field of its body as text; a list is its JSON."""
    return _OWN[name] if name in _OWN else field(conn, name)


def field(conn: sa.Connection, name: str) -> Any:
    """A field of a record's body as text, "" when it has none."""
    found: sa.ColumnElement[Any]
    if conn.dialect.name == "postgresql":
        found = sa.func.json_extract_path_text(sa.cast(records.c.body, postgresql.JSON), name)
    else:
        found = sa.cast(sa.func.json_extract(records.c.body, f'$."{name}"'), sa.Text)
    return sa.func.coalesce(found, "")
