"""Records, their versions and identities: every write names the version it read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import identities, record_versions, records
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, NotFound, StaleVersion
from soloist.kernel.proposal import CHANGE_OPERATION


def create(
    tx: Tx,
    kind: str,
    title: str,
    body: Mapping[str, Any],
    *,
    ident: str = "",
    state: str = "",
    why: str,
    run: str = "",
    actor: str = "soloist",
) -> str:
    """Write version 1 of a new record and its event; returns its id."""
    ident = ident or tx.new_id()
    row = {"id": ident, "kind": kind, "version": 1, "title": title, "state": state, "body": dict(body)}
    tx.run(records.insert(), {**row, "created": tx.now, "updated": tx.now})
    _version(tx, ident, 1, body, why=why, run=run, actor=actor, kind=kind, changed=sorted(body))
    return ident


def write(
    tx: Tx,
    ident: str,
    expected: int,
    fields: Mapping[str, Any],
    *,
    why: str,
    run: str = "",
    actor: str = "soloist",
    title: str | None = None,
    state: str | None = None,
    replace: bool = False,
) -> dict[str, Any]:
    """Merge (or, with ``replace``, set) fields if the record still has version ``expected``.

    Returns the new record. StaleVersion carries both versions; NotFound when there is no such record.
    """
    old = get(tx.conn, ident)
    if old["version"] != expected:
        raise _stale(old, expected, fields)
    body = dict(fields) if replace else {**old["body"], **fields}
    changed = sorted(key for key in {**old["body"], **body} if old["body"].get(key) != body.get(key))
    values = {"version": expected + 1, "body": body, "updated": tx.now}
    values |= {"title": title} if title is not None else {}
    values |= {"state": state} if state is not None else {}
    done = tx.run(records.update().where((records.c.id == ident) & (records.c.version == expected)).values(**values))
    if done.rowcount != 1:
        raise _stale(get(tx.conn, ident), expected, fields)  # another process was quicker, between our look and write
    _version(tx, ident, expected + 1, body, why=why, run=run, actor=actor, kind=old["kind"], changed=changed)
    return get(tx.conn, ident)


def _stale(now: Mapping[str, Any], expected: int, fields: Mapping[str, Any]) -> StaleVersion:
    """The refusal of a write over an old version, with both versions."""
    return StaleVersion(
        f"The record {now['title']!r} is at version {now['version']}, not {expected}. Nothing was changed; "
        "look at the new version and decide again.",
        field="version",
        current=dict(now),
        expected=expected,
        offered=dict(fields),
    )


def _version(
    tx: Tx,
    ident: str,
    version: int,
    body: Mapping[str, Any],
    *,
    why: str,
    run: str,
    actor: str,
    kind: str,
    changed: list[str],
) -> None:
    """The history row and the journal event of one write; values stay in the history, the event names the fields."""
    event = tx.append(
        "record.created" if version == 1 else "record.changed",
        subject=ident,
        payload={"kind": kind, "version": version, "fields": changed, "why": why},
        actor=actor,
        run=run,
    )
    row = {"record": ident, "version": version, "body": dict(body), "actor": actor, "reason": why}
    tx.run(record_versions.insert(), {**row, "event": event.id, "run": run, "at": tx.now})


def get(conn: sa.Connection, ident: str, kind: str = "") -> dict[str, Any]:
    """One record (NotFound, also when it is of another kind)."""
    row = conn.execute(sa.select(records).where(records.c.id == ident)).mappings().first()
    if row is None or (kind and row["kind"] != kind):
        raise NotFound(f"There is no {kind or 'record'} {ident}.")
    return dict(row)


def listed(conn: sa.Connection, kind: str, *, before: tuple[str, str] | None, limit: int) -> list[dict[str, Any]]:
    """Records of a kind, newest change first, after the (updated, id) of the last one seen."""
    query = sa.select(records).where(records.c.kind == kind)
    if before is not None:
        query = query.where(sa.tuple_(records.c.updated, records.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(records.c.updated.desc(), records.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def kinds(conn: sa.Connection) -> list[str]:
    """The kinds of records there are."""
    return list(conn.execute(sa.select(records.c.kind).distinct().order_by(records.c.kind)).scalars())


def history(conn: sa.Connection, ident: str) -> list[dict[str, Any]]:
    """Every version of a record, newest first."""
    query = sa.select(record_versions).where(record_versions.c.record == ident)
    return [dict(row) for row in conn.execute(query.order_by(record_versions.c.version.desc())).mappings()]


def version(conn: sa.Connection, ident: str, number: int) -> dict[str, Any] | None:
    """One old version, or None."""
    key = (record_versions.c.record == ident) & (record_versions.c.version == number)
    row = conn.execute(sa.select(record_versions).where(key)).mappings().first()
    return dict(row) if row else None


def identified(conn: sa.Connection, scheme: str, value: str) -> str | None:
    """The record that an external identifier stands for, or None."""
    live = (identities.c.scheme == scheme) & (identities.c.value == value) & (identities.c.ended == "")
    return conn.execute(sa.select(identities.c.record).where(live)).scalar()


def link(tx: Tx, scheme: str, value: str, record: str, *, rule: str, evidence: Any, run: str = "") -> None:
    """Link an identifier to a record, with the rule and evidence; an existing link is left as it is."""
    if identified(tx.conn, scheme, value) is not None:
        return
    event = tx.append("identity.linked", subject=record, payload={"scheme": scheme, "rule": rule}, run=run)
    row = {"id": tx.new_id(), "scheme": scheme, "value": value, "record": record, "rule": rule, "evidence": evidence}
    tx.run(identities.insert(), {**row, "event": event.id, "at": tx.now, "ended": ""})


def known_addresses(conn: sa.Connection, limit: int) -> list[str]:
    """Mail addresses of the people that are known, the newest first."""
    key = (identities.c.scheme == "email") & (identities.c.ended == "")
    query = sa.select(identities.c.value).where(key).order_by(identities.c.at.desc()).limit(limit)
    return list(conn.execute(query).scalars())


def identities_of(conn: sa.Connection, record: str) -> list[dict[str, Any]]:
    """The live identifiers of a record."""
    live = (identities.c.record == record) & (identities.c.ended == "")
    return [dict(row) for row in conn.execute(sa.select(identities).where(live)).mappings()]


def check_change(conn: sa.Connection, operation: str, payload: Mapping[str, Any]) -> None:
    """Whether a change could be carried out at all: {record, version, fields} of a record there is (BadInput)."""
    if operation != CHANGE_OPERATION:
        raise BadInput(f"operation: {CHANGE_OPERATION} is the only one of records.", field="operation")
    shape = {"record": str, "version": int, "fields": dict}
    for name, kind in shape.items():
        if not isinstance(payload.get(name), kind) or isinstance(payload.get(name), bool):
            raise BadInput(f"payload.{name}: a change names record, version and fields.", field=f"payload.{name}")
    if not history(conn, payload["record"]):
        raise BadInput(f"payload.record: there is no record {payload['record'][:60]!r}.", field="payload.record")
