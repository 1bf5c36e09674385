"""Records, their versions and identities: every write names the version it read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import kinds as schemas
from soloist.engine.store import matching, merges, relations
from soloist.engine.store.tables import events, identities, record_versions, records
from soloist.engine.store.tabling import MOST_TEXT, escaped
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, NotFound, StaleVersion
from soloist.kernel.kind import EMPTY, Kind, faults, forward, move_fault
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
    by: str = "",
) -> str:
    """Write version 1 of a new record and its event; returns its id.

    ``by`` ("operator", "system" or "outside") owns its fields; without it the actor says. BadInput names the field
    that does not fit the schema of the kind; an empty ``title`` is made by the kind's rule.
    """
    ident = ident or tx.new_id()
    schema = schemas.current(tx.conn, kind, new=True)
    _check(tx.conn, schema, body, None, state=("", state))
    title = title or (schema.titled(body) if schema else "")
    row = {"id": ident, "kind": kind, "version": 1, "title": title, "state": state, "body": dict(body)}
    by = by or by_of(actor)
    row |= {"schema": schema.number if schema else 0, "owners": {name: by for name in body if body[name] not in EMPTY}}
    tx.run(records.insert(), {**row, "created": tx.now, "updated": tx.now})
    _version(tx, row, schema, why=why, run=run, actor=actor, changed=sorted(body))
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
    by: str = "",
    owners: Mapping[str, str] | None = None,
    restored: bool = False,
) -> dict[str, Any]:
    """Merge (or, with ``replace``, set) fields if the record still has version ``expected``.

    Returns the new record. StaleVersion carries both versions; NotFound when there is no such record; BadInput names
    the field that does not fit. Fields that changed belong to ``by`` afterwards; ``owners`` sets them all instead.
    A field that the schema no longer knows stays, also with ``replace``. What is ``restored`` was there before: it may
    go back to any state and clear what is set once.
    """
    old = get(tx.conn, ident)
    if old["merged_into"] and not (restored and actor == "soloist"):  # a schema that moves on takes both along
        raise merges.moved(tx.conn, old)
    if old["version"] != expected:
        raise _stale(old, expected, fields)
    schema = schemas.current(tx.conn, old["kind"])
    body = dict(fields) if replace else {**old["body"], **fields}
    if schema is not None:
        body |= {name: value for name, value in old["body"].items() if name not in schema.fields and name not in body}
    if not restored:
        _check(tx.conn, schema, body, old["body"], state=(old["state"], old["state"] if state is None else state))
    changed = sorted(key for key in {**old["body"], **body} if old["body"].get(key) != body.get(key))
    held = {**inferred(tx.conn, old), **{name: by or by_of(actor) for name in changed}} if owners is None else owners
    values = {"version": expected + 1, "body": body, "updated": tx.now, "schema": schema.number if schema else 0}
    values |= {"owners": {name: held[name] for name in sorted(held) if body.get(name) not in EMPTY}}
    values |= {"title": old["title"] if title is None else title, "state": old["state"] if state is None else state}
    done = tx.run(records.update().where((records.c.id == ident) & (records.c.version == expected)).values(**values))
    if done.rowcount != 1:
        raise _stale(get(tx.conn, ident), expected, fields)  # another process was quicker, between our look and write
    _version(tx, {**old, **values}, schema, why=why, run=run, actor=actor, changed=changed)
    return get(tx.conn, ident)


def by_of(actor: str) -> str:
    """Whose word an actor's is: the operator's own and that of her tokens, else the system's."""
    return "operator" if actor == "operator" or actor.startswith(("token:", "person:")) else "system"


def inferred(conn: sa.Connection, row: Mapping[str, Any]) -> dict[str, str]:
    """Who owns each field of a record; for one from before owners were kept, read from its versions."""
    if row.get("owners") is not None:
        return dict(row["owners"])
    outside = row["body"].get("origin") == "outside"
    found: dict[str, str] = {}
    before: Mapping[str, Any] = {}
    for old in reversed(history(conn, row["id"])):
        by = "operator" if by_of(old["actor"]) == "operator" else "outside" if outside else "system"
        found |= {name: by for name, value in old["body"].items() if before.get(name) != value}
        before = old["body"]
    return {name: by for name, by in found.items() if row["body"].get(name) not in EMPTY}


def _check(
    conn: sa.Connection,
    schema: Kind | None,
    body: Mapping[str, Any],
    old: Mapping[str, Any] | None,
    *,
    state: tuple[str, str],
) -> None:
    """BadInput for what does not fit the schema: a field, a state, a reference to nothing."""
    if schema is None:
        return
    if found := faults(schema, body, old):
        listed = [{"field": fault.field, "message": fault.sentence} for fault in found]
        raise BadInput(found[0].sentence, field=found[0].field, errors=listed)
    if wrong := move_fault(schema, *state):
        raise BadInput(wrong, field="state")
    known = schema.references(old) if old else set()
    for name, other in sorted(schema.references(body) - known):
        kind = conn.execute(sa.select(records.c.kind).where(records.c.id == other)).scalar()
        to = schema.fields[name].to
        if kind is None or (to and kind not in to):
            right = " or ".join(to) or "record"
            told = f"is a {kind}" if kind else "is not there"
            raise BadInput(f"{name}: needs the id of a {right}; {other[:60]!r} {told}.", field=name)


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
    tx: Tx, row: Mapping[str, Any], schema: Kind | None, *, why: str, run: str, actor: str, changed: list[str]
) -> None:
    """The history row, the relations and the event of one write; values stay in the history, the event names fields."""
    event = tx.append(
        "record.created" if row["version"] == 1 else "record.changed",
        subject=row["id"],
        payload={"kind": row["kind"], "version": row["version"], "fields": changed, "why": why},
        actor=actor,
        run=run,
    )
    kept = {name: row[name] for name in ("version", "body", "title", "state", "schema", "owners")}
    kept |= {"record": row["id"], "actor": actor, "reason": why, "event": event.id, "run": run, "at": tx.now}
    tx.run(record_versions.insert(), kept)
    if schema is not None and (row["version"] > 1 or schema.references(row["body"])):
        relations.mirror(tx, row["id"], schema.references(row["body"]), event.id)
    matching.keep(tx, row["id"], row["kind"], row["body"])


def get(conn: sa.Connection, ident: str, kind: str = "") -> dict[str, Any]:
    """One record as the schema of today has it (NotFound, also when it is of another kind)."""
    row = conn.execute(sa.select(records).where(records.c.id == ident)).mappings().first()
    if row is None or (kind and row["kind"] != kind):
        raise NotFound(f"There is no {kind or 'record'} {ident}.")
    return forwarded(conn, dict(row))


def raw(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One record exactly as its row has it (NotFound)."""
    row = conn.execute(sa.select(records).where(records.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no record {ident}.")
    return dict(row)


def stamp(tx: Tx, row: Mapping[str, Any]) -> None:
    """Note that a body fits the newest schema as it is, and who owns its fields; no version, nothing else changes."""
    schema = schemas.find(tx.conn, row["kind"])
    values = {"schema": schema.number if schema else 0, "owners": inferred(tx.conn, row)}
    key = (records.c.id == row["id"]) & (records.c.version == row["version"])
    tx.run(records.update().where(key).values(**values))


def forwarded(conn: sa.Connection, row: dict[str, Any]) -> dict[str, Any]:
    """A row with its body brought to the schema that holds now; old versions stay as they were written."""
    now = schemas.find(conn, row["kind"])
    if now is None or not now.migrations or row["schema"] == now.number:
        return row
    then = schemas.used(conn, row["kind"], row["schema"])
    return {**row, "body": forward(now, then.revision if then else 1, row["body"])}


def behind(conn: sa.Connection, limit: int) -> list[dict[str, Any]]:
    """Records whose body is of an older schema than their kind's, or from before owners were kept."""
    newest = {kind.name: kind.number for kind in schemas.everything(conn, retired=True)}
    old = [(records.c.kind == name) & (records.c.schema != number) for name, number in newest.items()]
    query = sa.select(records).where(sa.or_(records.c.owners.is_(None), sa.false(), *old))
    return [dict(row) for row in conn.execute(query.order_by(records.c.id).limit(limit)).mappings()]


def as_of(conn: sa.Connection, ident: str, seq: int, kind: str = "") -> dict[str, Any]:
    """A record as it was after an event of the journal (NotFound when it was not there yet), with its ``event``."""
    now = get(conn, ident, kind)
    joined = record_versions.join(events, events.c.id == record_versions.c.event)
    then = (record_versions.c.record == ident) & (events.c.seq <= seq)
    query = sa.select(record_versions).select_from(joined).where(then)
    row = conn.execute(query.order_by(record_versions.c.version.desc()).limit(1)).mappings().first()
    if row is None:
        raise NotFound(f"The {now['kind']} {now['title']!r} was not there yet at event {seq}.")
    return as_record(now, dict(row))


def as_record(now: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """An old version in the form of a record; a version from before titles were kept is named by its body."""
    named = row["title"] or str((row["body"] or {}).get("name") or "") or now["title"]
    told = {name: row[name] for name in ("version", "body", "state", "schema", "owners", "event")}
    return {**now, **told, "title": named, "updated": row["at"]}


def listed(
    conn: sa.Connection,
    kind: str,
    *,
    before: tuple[str, str] | None,
    limit: int,
    text: str = "",
    state: str = "",
) -> list[dict[str, Any]]:
    """Records of a kind, newest change first, after the (updated, id) of the last one seen.

    ``text`` is in the title or a field, whatever its case; ``state`` is exact.
    """
    query = sa.select(records).where(records.c.kind == kind)
    if text:
        like = f"%{escaped(text[:MOST_TEXT])}%"
        body = sa.func.lower(sa.type_coerce(records.c.body, sa.Text))
        query = query.where(
            sa.func.lower(records.c.title).like(like.lower(), escape="\\") | body.like(like.lower(), escape="\\")
        )
    if state:
        query = query.where(records.c.state == state)
    if before is not None:
        query = query.where(sa.tuple_(records.c.updated, records.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(records.c.updated.desc(), records.c.id.desc()).limit(limit)
    return [forwarded(conn, dict(row)) for row in conn.execute(query).mappings()]


def listed_as_of(
    conn: sa.Connection,
    kind: str,
    seq: int,
    *,
    after: tuple[str, str] | None,
    limit: int,
    text: str = "",
    state: str = "",
) -> list[dict[str, Any]]:
    """Records of a kind as they were after an event, in the order they were made, after a (created, id)."""
    begun = record_versions.join(events, events.c.id == record_versions.c.event)
    newest = sa.select(record_versions.c.record, sa.func.max(record_versions.c.version).label("number"))
    then = newest.select_from(begun).where(events.c.seq <= seq).group_by(record_versions.c.record).subquery()
    joined = records.join(then, then.c.record == records.c.id).join(
        record_versions, (record_versions.c.record == then.c.record) & (record_versions.c.version == then.c.number)
    )
    query = sa.select(records.c.id, records.c.created, record_versions).select_from(joined)
    query = query.where(records.c.kind == kind)
    if text:
        like = f"%{escaped(text[:MOST_TEXT]).lower()}%"
        cells = (record_versions.c.title, sa.type_coerce(record_versions.c.body, sa.Text))
        query = query.where(sa.or_(*(sa.func.lower(cell).like(like, escape="\\") for cell in cells)))
    if state:
        query = query.where(record_versions.c.state == state)
    if after is not None:
        query = query.where(sa.tuple_(records.c.created, records.c.id) > sa.tuple_(*map(sa.literal, after)))
    rows = conn.execute(query.order_by(records.c.created, records.c.id).limit(limit)).mappings().all()
    some = sa.select(records).where(records.c.id.in_([row["id"] for row in rows]))
    now = {row["id"]: dict(row) for row in conn.execute(some).mappings()}
    return [as_record(now[row["id"]], dict(row)) for row in rows]


def newest_changes(conn: sa.Connection, wanted: Sequence[str]) -> dict[str, str]:
    """When a record of each kind changed last; kinds without records are left out."""
    query = sa.select(records.c.kind, sa.func.max(records.c.updated)).where(records.c.kind.in_(wanted))
    return {str(kind): str(at) for kind, at in conn.execute(query.group_by(records.c.kind))}


def kinds(conn: sa.Connection) -> list[str]:
    """The kinds of records there are."""
    return list(conn.execute(sa.select(records.c.kind).distinct().order_by(records.c.kind)).scalars())


def standing(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """The record that stands for this one now, the kept one where it was merged; None when there is none of this id."""
    row = conn.execute(sa.select(records).where(records.c.id == merges.root(conn, ident))).mappings().first()
    return forwarded(conn, dict(row)) if row else None


def history(conn: sa.Connection, ident: str, *, before: int = 0, limit: int = 0) -> list[dict[str, Any]]:
    """Versions of a record, newest first; those below ``before``, and at most ``limit`` (0: every one)."""
    query = sa.select(record_versions).where(record_versions.c.record == ident)
    query = query.where(record_versions.c.version < before) if before else query
    query = query.limit(limit) if limit else query
    return [dict(row) for row in conn.execute(query.order_by(record_versions.c.version.desc())).mappings()]


def version(conn: sa.Connection, ident: str, number: int) -> dict[str, Any] | None:
    """One old version, or None."""
    key = (record_versions.c.record == ident) & (record_versions.c.version == number)
    row = conn.execute(sa.select(record_versions).where(key)).mappings().first()
    return dict(row) if row else None


def identified(conn: sa.Connection, scheme: str, value: str) -> str | None:
    """The record that an external identifier stands for, the kept one where that was merged; or None."""
    live = (identities.c.scheme == scheme) & (identities.c.value == value) & (identities.c.ended == "")
    found = conn.execute(sa.select(identities.c.record).where(live)).scalar()
    return merges.root(conn, str(found)) if found else None


def link(tx: Tx, scheme: str, value: str, record: str, *, rule: str, evidence: Any, run: str = "") -> None:
    """Link an identifier to a record, with the rule and evidence; an existing link is left as it is."""
    if identified(tx.conn, scheme, value) is not None:
        return
    event = tx.append("identity.linked", subject=record, payload={"scheme": scheme, "rule": rule}, run=run)
    row = {"id": tx.new_id(), "scheme": scheme, "value": value, "record": record, "rule": rule, "evidence": evidence}
    tx.run(identities.insert(), {**row, "event": event.id, "at": tx.now, "ended": ""})


def relink(tx: Tx, scheme: str, value: str, record: str, *, rule: str, evidence: Any, actor: str) -> None:
    """Let an identifier stand for another record from now on; the old link is ended, not removed."""
    event = tx.append("identity.moved", subject=record, payload={"scheme": scheme, "rule": rule}, actor=actor)
    live = (identities.c.scheme == scheme) & (identities.c.value == value) & (identities.c.ended == "")
    tx.run(identities.update().where(live).values(ended=tx.now, ended_event=event.id))
    link(tx, scheme, value, record, rule=rule, evidence=evidence)


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
    if not history(conn, payload["record"], limit=1):
        raise BadInput(f"payload.record: there is no record {payload['record'][:60]!r}.", field="payload.record")
    now = get(conn, payload["record"])
    schema = schemas.current(conn, now["kind"])
    for fault in faults(schema, {**now["body"], **payload["fields"]}, now["body"]) if schema else ():
        raise BadInput(f"payload.fields.{fault.sentence}", field=f"payload.fields.{fault.field}")
