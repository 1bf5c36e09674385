"""Items of memory: written once in one growing row number, ended by a later event, never changed in what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.base import is_sqlite
from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.quick import Statement, reading
from soloist.engine.store.tables import events
from soloist.engine.store.tables_memory import memories
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound
from soloist.kernel.hashing import json_hash, sha256
from soloist.kernel.memory import TIERS, NewMemory

WRITTEN, ENDED = "memory.written", "memory.ended"
_LOCK = 7_302_117
"""Advisory lock of Postgres under which row numbers are given."""
_FILLED = {"ended": "", "ended_why": "", "superseded_by": "", "used": "", "uses": 0}
_insert = Statement(memories.insert())
_last = Statement(sa.text("SELECT max(n) FROM memories"))
_SAID = ("id", "tier", "scope", "kind", "hash", "source", "ref", "at", "actor", "thread", "record", "trust", "event")


def add(tx: Tx, items: Sequence[NewMemory], *, actor: str, run: str = "") -> list[str]:
    """Write items with one journal event for all of them; answers their ids in order."""
    if not items:
        return []
    if not is_sqlite(tx.conn.dialect.name):
        tx.run(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    driver = tx.batch.driver
    last = int(driver.run(_last, {}).fetchone()[0] or 0)
    expires = {tier: _expiry(tx.now, TIERS[tier].lifetime) for tier in {item.tier for item in items}}
    rows = [_row(tx, item, last + place, run, expires=expires) for place, item in enumerate(items, 1)]
    payload = {
        "first": last + 1,
        "last": last + len(rows),
        "count": len(rows),
        "hash": json_hash([row["hash"] for row in rows]),
    }
    event = tx.append(WRITTEN, payload=payload, actor=actor, run=run)
    for row in rows:
        row["event"] = event.id
    driver.many(_insert, rows)
    return [row["id"] for row in rows]


def _expiry(now: str, lifetime: int) -> str:
    """When something written now expires, "" for never."""
    return iso(from_iso(now) + timedelta(seconds=lifetime)) if lifetime else ""


_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def _json(value: Any) -> str:
    """As a JSON column stores it."""
    return _encode(value)


def _list(values: Sequence[str]) -> str:
    """Texts as a JSON column stores them; most have none."""
    return _json([*values]) if values else "[]"


def _row(tx: Tx, item: NewMemory, n: int, run: str, *, expires: Mapping[str, str]) -> dict[str, Any]:
    """The stored row; an item without an expiry gets the one of its tier."""
    return _FILLED | {
        "n": n,
        "id": tx.new_id(),
        "tier": item.tier,
        "scope": item.scope,
        "kind": item.kind,
        "text": item.text,
        "hash": sha256(item.text.encode()),
        "source": item.source,
        "ref": item.ref,
        "at": item.at,
        "actor": item.actor,
        "thread": item.thread,
        "ordinal": item.ordinal,
        "record": item.record,
        "asset": item.asset,
        "span_from": item.span[0],
        "span_to": item.span[1],
        "origin": _list(item.origin),
        "trust": item.trust,
        "importance": item.importance,
        "pinned": int(item.pinned),
        "tags": _list(item.tags),
        "detail": _json({**item.detail}) if item.detail else "{}",
        "run": run,
        "created": tx.now,
        "expires": item.expires or expires[item.tier],
    }


def end(tx: Tx, idents: Sequence[str], *, why: str, actor: str, superseded_by: str = "") -> int:
    """End items that still last, with one event that names them; answers how many."""
    live = [
        row.id for row in tx.rows(sa.select(memories.c.id).where(memories.c.id.in_(idents), memories.c.ended == ""))
    ]
    if not live:
        return 0
    event = tx.append(ENDED, payload={"ids": live, "why": why}, actor=actor)
    values = {"ended": event.id, "ended_why": why, "superseded_by": superseded_by}
    tx.run(memories.update().where(memories.c.id.in_(live)).values(**values))
    return len(live)


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One item, ended or not (NotFound)."""
    row = conn.execute(sa.select(memories).where(memories.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no memory {ident}.")
    return dict(row)


def of_record(conn: sa.Connection, record: str, limit: int = 100) -> list[dict[str, Any]]:
    """What lasts about a record, newest first."""
    query = sa.select(memories).where(memories.c.record == record, memories.c.ended == "")
    return [dict(row) for row in conn.execute(query.order_by(memories.c.n.desc()).limit(limit)).mappings()]


def of_ref(conn: sa.Connection, ref: str) -> list[dict[str, Any]]:
    """Items that stand for a thing and last."""
    query = sa.select(memories).where(memories.c.ref == ref, memories.c.ended == "").order_by(memories.c.n)
    return [dict(row) for row in conn.execute(query).mappings()]


def text_of(conn: sa.Connection, ref: str) -> str:
    """The whole text of a file from its chunks, "" when they are not kept any more."""
    chunks = (memories.c.thread == ref) & (memories.c.kind == "chunk") & (memories.c.ended == "")
    query = sa.select(memories.c.text).where(chunks).order_by(memories.c.ordinal, memories.c.n)
    return "".join(conn.execute(query).scalars())


def version(row: Mapping[str, Any]) -> str:
    """Hash of what an item says and stands for: the same for as long as nobody redacts it."""
    said = [row[name] for name in _SAID] + [row["ordinal"], row["span_from"], row["span_to"]]
    return sha256(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode())


def by_number(conn: sa.Connection, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Items by their row number, ended ones too; those that left the disk are missing."""
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(numbers), 500):
        query = sa.select(memories).where(memories.c.n.in_([int(n) for n in numbers[start : start + 500]]))
        found |= {row["n"]: dict(row) for row in conn.execute(query).mappings()}
    return found


def recent(
    conn: sa.Connection,
    *,
    before: int = 0,
    limit: int = 50,
    tier: str = "",
    scope: str | None = None,
    live: bool = True,
) -> list[dict[str, Any]]:
    """Items, newest first, below the row number of the last one seen."""
    query = sa.select(memories).order_by(memories.c.n.desc()).limit(limit)
    query = query.where(memories.c.n < before) if before else query
    query = query.where(memories.c.tier == tier) if tier else query
    query = query.where(memories.c.scope == scope) if scope is not None else query
    query = query.where(memories.c.ended == "") if live else query
    return [dict(row) for row in conn.execute(query).mappings()]


_AT_ONCE = 64
_PLACES = tuple(f"n{place}" for place in range(_AT_ONCE))
_SHOWN = (*_SAID, "n", "text", "ordinal", "span_from", "span_to", "ended")


def _of_numbers(names: Sequence[str]) -> Statement:
    """A statement for columns of ``_AT_ONCE`` rows by their number."""
    numbers: list[sa.BindParameter[int]] = [sa.bindparam(place) for place in _PLACES]
    return Statement(sa.select(*(memories.c[name] for name in names)).where(memories.c.n.in_(numbers)))


_texts, _shown = _of_numbers(("n", "text")), _of_numbers(_SHOWN)


def _numbered(conn: sa.Connection, statement: Statement, numbers: Sequence[int]) -> list[Any]:
    """Rows by their number; the places that are left over ask for the last one again."""
    found, driver = [], reading(conn)
    for start in range(0, len(numbers), _AT_ONCE):
        some = [int(n) for n in numbers[start : start + _AT_ONCE]]
        values = zip(_PLACES, some + some[-1:] * (_AT_ONCE - len(some)), strict=True)
        found += driver.all(statement, dict(values))
    return found


def texts_of(conn: sa.Connection, numbers: Sequence[int]) -> dict[int, str]:
    """Only the texts of items by their row number."""
    return dict(_numbered(conn, _texts, numbers))


def shown(conn: sa.Connection, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What a hit shows and what its ``version`` is made from, by row number; those that left the disk are missing."""
    rows = [dict(zip(_SHOWN, values, strict=True)) for values in _numbered(conn, _shown, numbers)]
    return {row["n"]: row for row in rows}


# ----- what the index follows

_ended_by = events.alias()
_FOLLOWED = [
    *(memories.c[name] for name in ("n", "tier", "scope", "kind", "text", "hash", "at", "actor", "thread")),
    *(memories.c[name] for name in ("ordinal", "record", "created", "expires")),
    events.c.seq.label("begun"),
    sa.func.coalesce(_ended_by.c.seq, 0).label("ended"),
]
_JOINED = memories.join(events, events.c.id == memories.c.event).outerjoin(
    _ended_by, sa.and_(memories.c.ended != "", _ended_by.c.id == memories.c.ended)
)


def after(conn: sa.Connection, n: int, piece: int = 5_000) -> Iterator[Sequence[sa.Row[Any]]]:
    """Rows above a number in their order, in pieces, with the sequence that began and (0: none) ended each."""
    while True:
        query = sa.select(*_FOLLOWED).select_from(_JOINED).where(memories.c.n > n).order_by(memories.c.n).limit(piece)
        rows = conn.execute(query).all()
        if rows:
            yield rows
        if len(rows) < piece:
            return
        n = rows[-1].n


def ended_after(conn: sa.Connection, seq: int) -> list[tuple[int, int]]:
    """(row number, sequence) of what ended after a place in the journal."""
    query = sa.select(memories.c.n, events.c.seq).join(events, events.c.id == memories.c.ended)
    return [(int(n), int(at)) for n, at in conn.execute(query.where(events.c.seq > seq, memories.c.ended != ""))]


def hashes(conn: sa.Connection) -> list[tuple[int, str]]:
    """(row number, hash of the text) of every row, in their order."""
    query = sa.select(memories.c.n, memories.c.hash).order_by(memories.c.n)
    return [(int(n), str(digest)) for n, digest in conn.execute(query)]


def newest(conn: sa.Connection) -> int:
    """The highest row number, 0 when there are none."""
    return int(conn.execute(sa.select(sa.func.max(memories.c.n))).scalar() or 0)


def lives(conn: sa.Connection) -> int:
    """How many items there are that have not ended."""
    return int(conn.execute(sa.select(sa.func.count()).where(memories.c.ended == "")).scalar() or 0)


GONE_KINDS = ("memory.erased", "memory.collected", "memory.redacted")
"""Kinds of events after which rows may be missing on the disk or say something else."""
_head = Statement(sa.select(sa.func.max(events.c.seq)))


def journal_since(conn: sa.Connection, seq: int) -> tuple[int, bool]:
    """(newest place in the journal, whether rows may have gone since a place)."""
    newest_one = head(conn)
    if newest_one == seq:
        return newest_one, False
    gone = sa.select(events.c.seq).where(events.c.seq > seq, events.c.kind.in_(GONE_KINDS)).limit(1)
    return newest_one, conn.execute(gone).first() is not None


def head(conn: sa.Connection) -> int:
    """The newest place in the journal, 0 when it is empty."""
    return int(reading(conn).first(_head, {}) or 0)


def mark(conn: sa.Connection, seq: int) -> str:
    """Hash of the journal at a place, "" when it has no such place: tells one journal from another."""
    return str(conn.execute(sa.select(events.c.hash).where(events.c.seq == seq)).scalar() or "")
