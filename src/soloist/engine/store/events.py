"""Events from outside: accepted once, found again by id; the same name with another payload is a conflict."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.quick import Statement
from soloist.engine.store.tables import events
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound, SameIdOtherBody
from soloist.kernel.event import Event, body_text, same_body_hashes

_KNOWN = sa.select(events.c.id, events.c.seq, events.c.body, events.c.kind, events.c.at).where(
    (events.c.source == sa.bindparam("s")) & (events.c.external_id == sa.bindparam("x"))
)


_known = Statement(_KNOWN)


def accept(
    tx: Tx, source: str, external_id: str, kind: str, payload: Mapping[str, Any], *, actor: str
) -> tuple[Event, bool]:
    """The event of this name: a new one, or the one that came before (SameIdOtherBody when the payload differs)."""
    waiting = tx.batch.pending.get((source, external_id))
    if waiting is not None:
        _same(body_text(waiting.payload), waiting.kind, payload, kind)
        return waiting, False
    row = tx.batch.driver.run(_known, {"s": source, "x": external_id}).fetchone()
    if row is None:
        return tx.append(kind, payload=payload, actor=actor, source=source, external_id=external_id), True
    ident, seq, body, stored_kind, at = row
    if body is not None:
        _same(body, stored_kind, payload, kind)
    return Event(ident, source, external_id, stored_kind, {}, actor, at, seq=seq), False


def _same(stored: str, stored_kind: str, payload: Mapping[str, Any], kind: str) -> None:
    """Refuse a second delivery that says something else."""
    offered = body_text(dict(payload))
    if offered != stored or stored_kind != kind:
        was, now = same_body_hashes(stored, offered)
        raise SameIdOtherBody(
            f"This source and external_id were received before as {stored_kind} with payload sha256 {was}; "
            f"now they come as {kind} with payload sha256 {now}. Nothing was stored.",
            field="external_id",
            stored=was,
            offered=now,
        )


def named(conn: sa.Connection, source: str, external_id: str) -> Event | None:
    """The event that came under this name (without its payload), or None."""
    row = conn.execute(_KNOWN, {"s": source, "x": external_id}).first()
    return Event(row.id, source, external_id, row.kind, {}, "", row.at, seq=row.seq) if row else None


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One event with its payload (NotFound)."""
    row = conn.execute(sa.select(events).where(events.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no event {ident}.")
    return shown(row)


def after(conn: sa.Connection, seq: int, limit: int, *, subject: str = "", kind: str = "") -> list[dict[str, Any]]:
    """Events after a sequence number, oldest first."""
    query = sa.select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
    if subject:
        query = query.where(events.c.subject == subject)
    if kind:
        query = query.where(events.c.kind == kind)
    return [shown(row) for row in conn.execute(query).mappings()]


def counted(conn: sa.Connection, kinds: Sequence[str], since: str) -> dict[str, int]:
    """How many events of each kind there were since an instant, in the order of ``kinds``."""
    query = sa.select(events.c.kind, sa.func.count()).where(events.c.kind.in_(list(kinds)) & (events.c.at > since))
    found: dict[str, int] = dict(conn.execute(query.group_by(events.c.kind)).tuples().all())
    return {kind: int(found.get(kind, 0)) for kind in kinds}


def newest_of(conn: sa.Connection, kind: str, subject: str) -> dict[str, Any] | None:
    """The newest event of a kind about a subject, or None."""
    query = sa.select(events).where((events.c.kind == kind) & (events.c.subject == subject))
    row = conn.execute(query.order_by(events.c.seq.desc()).limit(1)).mappings().first()
    return shown(row) if row is not None else None


def newest(conn: sa.Connection) -> str:
    """The recorded instant of the newest event, "" for an empty journal."""
    return str(conn.execute(sa.select(events.c.at).order_by(events.c.seq.desc()).limit(1)).scalar() or "")


def shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The public form of an event row; an erased one has payload None."""
    names = ("id", "seq", "source", "external_id", "kind", "subject", "run", "actor", "at", "hash")
    payload = None if row["body"] is None else json.loads(row["body"])
    return {**{name: row[name] for name in names}, "payload": payload}
