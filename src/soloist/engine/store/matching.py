"""Keys by which records that may be one are found: kept with every write of a record, looked up when somebody comes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.quick import Driver, Statement
from soloist.engine.store.tables import records
from soloist.engine.store.tables_memory import match_keys
from soloist.engine.store.tx import Tx
from soloist.kernel import likeness

CROWD = 300
"""Records under one key from which on the key says nothing and is not followed."""
_CHUNK = 400
_HOLDERS = Statement(sa.text(f"SELECT record FROM match_keys WHERE key = :key LIMIT {CROWD + 1}"))  # noqa: S608  # a constant
_PRESENT = Statement(sa.select(match_keys.c.key).where(match_keys.c.record == sa.bindparam("record")))
_CANDIDATE = Statement(sa.text("SELECT kind, state, merged_into, body FROM records WHERE id = :id"))
_INSERT = Statement(sa.text("INSERT INTO match_keys (key, record) VALUES (:key, :record)"))
_DELETE = Statement(sa.text("DELETE FROM match_keys WHERE key = :key AND record = :record"))


def keep(tx: Tx, record: str, kind: str, body: Mapping[str, Any]) -> None:
    """Bring the keys of a record up to date; records that stand for nobody have none."""
    if kind not in likeness.ALIKE:
        return
    driver = tx.batch.driver
    wanted = set(likeness.keys(likeness.read(kind, body)))
    present = {row[0] for row in driver.run(_PRESENT, {"record": record}).fetchall()}
    if gone := present - wanted:
        driver.many(_DELETE, [{"key": key, "record": record} for key in sorted(gone)])
    if new := wanted - present:
        driver.many(_INSERT, [{"key": key, "record": record} for key in sorted(new)])


def forget(tx: Tx, record: str) -> None:
    """Remove every key of a record."""
    tx.run(match_keys.delete().where(match_keys.c.record == record))


def holders(conn: sa.Connection, keys: Iterable[str]) -> dict[str, list[str]]:
    """The records under each key, at most CROWD + 1 of them; keys that nobody has are left out."""
    driver, found = Driver(conn), {}
    for key in keys:
        if rows := driver.run(_HOLDERS, {"key": key}).fetchall():
            found[key] = [str(row[0]) for row in rows]
    return found


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that shares a key, as it is compared."""

    id: str
    kind: str
    state: str
    merged_into: str
    subject: likeness.Subject


def candidates(conn: sa.Connection, idents: Collection[str]) -> list[Candidate]:
    """These records in the shape in which they are compared."""
    driver, found = Driver(conn), []
    for ident in idents:
        if row := driver.run(_CANDIDATE, {"id": ident}).fetchone():
            kind, state, merged_into, text = row
            found.append(Candidate(ident, kind, state, merged_into, _subject(kind, text)))
    return found


@lru_cache(2048)
def _subject(kind: str, text: str) -> likeness.Subject:
    """The shape of a body as its text is stored; the same text is read once."""
    return likeness.read(kind, json.loads(text or "{}"))


def rows(conn: sa.Connection, idents: Collection[str]) -> list[dict[str, Any]]:
    """Id, kind, title, state, body, merged_into, created of these records."""
    columns = (records.c[name] for name in ("id", "kind", "title", "state", "body", "merged_into", "created"))
    query = sa.select(*columns).where(records.c.id.in_(list(idents)))
    return [dict(row) for row in conn.execute(query).mappings()] if idents else []


def changed(conn: sa.Connection, after: tuple[str, str], limit: int) -> list[dict[str, Any]]:
    """People and companies by (updated, id) after a place, oldest change first."""
    columns = (records.c[name] for name in ("id", "kind", "body", "updated", "merged_into", "state"))
    place = sa.tuple_(records.c.updated, records.c.id) > sa.tuple_(*map(sa.literal, after))
    query = sa.select(*columns).where(records.c.kind.in_(sorted(likeness.ALIKE)) & place)
    return [dict(row) for row in conn.execute(query.order_by(records.c.updated, records.c.id).limit(limit)).mappings()]


def fill(tx: Tx, after: str, limit: int = 500) -> str:
    """Make the keys of the next records anew, by id; answers the last id, "" when that was all."""
    query = sa.select(records.c.id, records.c.kind, records.c.body).where(records.c.id > after)
    query = query.where(records.c.kind.in_(sorted(likeness.ALIKE))).order_by(records.c.id).limit(limit)
    found = tx.rows(query)
    for row in found:
        body = row.body if isinstance(row.body, dict) else json.loads(row.body or "{}")
        keep(tx, row.id, row.kind, body)
    return str(found[-1].id) if len(found) == limit else ""
