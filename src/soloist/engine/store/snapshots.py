"""Snapshots: a name for a place in the journal with a Merkle root over what was known there; it copies nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import asof, journal
from soloist.engine.store.tables import events, record_versions
from soloist.engine.store.tables_memory import collections, erasures, facts, memories, snapshots
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, NotFound

MADE = "snapshot.made"
MOST_LABEL = 200
_HALF = 32


def make(tx: Tx, label: str, *, seq: int = 0, actor: str) -> dict[str, Any]:
    """Name a place in the journal, now when ``seq`` is 0 (BadInput for a place that is not there yet)."""
    head = journal.head(tx.conn)
    if not 0 <= seq <= head or not head:
        raise BadInput(f"seq: the journal goes from event 1 to event {head}; there is no {seq}.", field="seq")
    seq = seq or head
    root, counts = root_at(tx.conn, seq)
    ident = tx.new_id()
    told = {"label": label[:MOST_LABEL], "seq": seq, "root": root, "counts": counts}
    event = tx.append(MADE, subject=ident, payload=told, actor=actor)
    row = {"id": ident, **told, "who": actor, "event": event.id, "at": tx.now}
    tx.run(snapshots.insert(), row)
    return row


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One snapshot (NotFound)."""
    row = conn.execute(sa.select(snapshots).where(snapshots.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no snapshot {ident}.")
    return dict(row)


def listed(conn: sa.Connection, *, before: tuple[str, str] | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Snapshots, the newest first, after the (at, id) of the last one seen."""
    query = sa.select(snapshots)
    if before:
        query = query.where(sa.tuple_(snapshots.c.at, snapshots.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(snapshots.c.at.desc(), snapshots.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def verify(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """Build the root again: {id, seq, same, root, found, counts, now, gone}.

    ``gone`` says what explains a difference: collections and erasures since, each of which is an event of its own.
    """
    row = get(conn, ident)
    found, now = root_at(conn, row["seq"])
    sealed = _sealed(conn, row)
    same = found == row["root"] and sealed
    return {
        "id": ident,
        "seq": row["seq"],
        "same": same,
        "root": row["root"],
        "found": found,
        "counts": row["counts"],
        "now": now,
        "gone": {} if same else _since(conn, row),
    }


def _sealed(conn: sa.Connection, row: dict[str, Any]) -> bool:
    """Whether the journal's event about this snapshot, which is in the chain, names the same root."""
    body = conn.execute(sa.select(events.c.body).where(events.c.id == row["event"])).scalar()
    return body is not None and row["root"] in body


def _since(conn: sa.Connection, row: dict[str, Any]) -> dict[str, int]:
    """How often things were taken away since."""
    collected = sa.select(sa.func.count()).where((collections.c.at >= row["at"]) & (collections.c.dry == 0))
    erased = sa.select(sa.func.count()).where(erasures.c.created >= row["at"])
    return {
        "collections": int(conn.execute(collected).scalar() or 0),
        "erasures": int(conn.execute(erased).scalar() or 0),
    }


# ----- the root


def root_at(conn: sa.Connection, seq: int) -> tuple[str, dict[str, int]]:
    """(root, counts) over the records' versions, facts and memories that were there at a sequence number."""
    parts = {"records": _records(conn, seq), "facts": _facts(conn, seq), "memories": _memories(conn, seq)}
    leaves, counts = [], {}
    for name, rows in parts.items():
        found = _leaves(name, rows)
        counts[name] = len(found)
        leaves += found
    return merkle(leaves), counts


_LENGTHS = tuple(length.to_bytes(8, "big") for length in range(256))


def _leaves(name: str, rows: Iterable[Iterable[Any]]) -> list[bytes]:
    """A hash of each row: length before content, so that no two rows can be written as one."""
    sha, head = hashlib.sha256, b"\x00" + name.encode()
    found = []
    for row in rows:
        said = [head]
        for part in row:
            data = str(part).encode()
            size = len(data)
            said += (_LENGTHS[size] if size < 256 else size.to_bytes(8, "big"), data)
        found.append(sha(b"".join(said)).digest())
    return found


def merkle(leaves: list[bytes]) -> str:
    """The root of a binary tree over hashes in this order; an odd one goes up as it is. Hexadecimal, "" for none."""
    level = b"".join(leaves)
    sha = hashlib.sha256
    while len(level) > _HALF:
        pairs = [level[at : at + 2 * _HALF] for at in range(0, len(level), 2 * _HALF)]
        level = b"".join(sha(b"\x01" + pair).digest() if len(pair) > _HALF else pair for pair in pairs)
    return level.hex()


def _records(conn: sa.Connection, seq: int) -> Iterator[Any]:
    """(record, version, body as stored, title, state) by id."""
    row, newest = record_versions.c, asof.newest(seq)
    on = (row.record == newest.c.record) & (row.version == newest.c.version)
    body = sa.type_coerce(row.body, sa.Text)
    query = sa.select(row.record, row.version, body, row.title, row.state).join(newest, on).order_by(row.record)
    yield from conn.execute(query)


def _facts(conn: sa.Connection, seq: int) -> Iterator[Any]:
    row = facts.c
    value = sa.type_coerce(row.value, sa.Text)
    said = (row.id, row.record, row.attribute, value, row.valid_from, row.source)
    yield from conn.execute(sa.select(*said).where(asof.there(facts, seq)).order_by(row.id))


def _memories(conn: sa.Connection, seq: int) -> Iterable[Any]:
    """(row number, id, hash of the text): the text may leave the disk later, its hash stays for as long as the row."""
    row = memories.c
    found = conn.execute(sa.select(row.n, row.id, row.hash).where(asof.there(memories, seq)).order_by(row.n))
    # the driver's own tuples: there may be a hundred thousand of them, and only their values are wanted
    return found.cursor.fetchall() if found.cursor is not None else ()
