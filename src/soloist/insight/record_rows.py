"""Records as programs read them: kinds, rows of now and of then, versions; nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import asof, kinds, records, relations
from soloist.engine.store.reading import Connection
from soloist.kernel.errors import BadInput, NotFound
from soloist.kernel.kind import Field, Kind

Row = dict[str, Any]


def known(conn: Connection, kind: str) -> Kind | None:
    """The schema of a kind, also of one that was retired (NotFound names the kinds there are)."""
    try:
        return kinds.current(conn, kind)
    except BadInput as error:
        raise NotFound(error.detail.removesuffix(" Nothing was written."), field="kind") from error


def every(conn: Connection) -> list[Row]:
    """Every kind of record with its fields, states and how many there are."""
    there = kinds.counts(conn)
    return [kind_row(kind, there.get(kind.name, 0)) for kind in kinds.everything(conn)]


def kind_row(kind: Kind, count: int) -> Row:
    """One kind as JSON."""
    told = ("label", "plural", "title", "states", "owner", "mutability", "retention", "affordances", "help", "custom")
    row: Row = {name: getattr(kind, name) for name in told}
    row |= {"kind": kind.name, "version": kind.number, "revision": kind.revision, "records": count}
    return row | {
        "moves": {state: list(after) for state, after in kind.moves.items()},
        "fields": [_field(one) for one in kind.fields.values()],
    }


def _field(one: Field) -> Row:
    row: Row = {name: getattr(one, name) for name in ("name", "type", "of", "required", "internal", "custom", "help")}
    row |= {"label": one.said, "choices": list(one.choices), "to": list(one.to), "owner": one.owner}
    return row | {"mutability": one.mutability or "free"}


def rows(
    conn: Connection,
    kind: str,
    after: tuple[str, str] | None,
    limit: int,
    *,
    text: str = "",
    state: str = "",
    as_of: str = "",
) -> list[Row]:
    """Records of a kind, newest change first; with ``as_of`` as they were then, in the order they were made."""
    known(conn, kind)
    if as_of:
        seq = asof.sequence(conn, as_of)
        found = records.listed_as_of(conn, kind, seq, after=after, limit=limit, text=text, state=state)
        return _then(conn, found, seq)
    return [_row(conn, row) for row in records.listed(conn, kind, before=after, limit=limit, text=text, state=state)]


def row(conn: Connection, kind: str, ident: str, as_of: str = "") -> Row:
    """One record as it is, or as it was then (NotFound, BadInput)."""
    if not as_of:
        return _row(conn, records.get(conn, ident, kind))
    seq = asof.sequence(conn, as_of)
    return _then(conn, [records.as_of(conn, ident, seq, kind)], seq)[0]


def _then(conn: Connection, found: Sequence[Row], seq: int) -> list[Row]:
    """Rows of an earlier time: whom a record leads to is said as of then as well."""
    led = asof.merged(conn, [one["id"] for one in found], seq)
    return [{**_row(conn, one), "merged_into": led.get(one["id"], "")} for one in found]


def read_at(conn: Connection, kind: str, ident: str, version: int) -> Row:
    """A record as somebody read it: its kind and the body of that version, the newest where there is none such."""
    now = records.get(conn, ident, kind)
    old = records.version(conn, ident, version)
    return records.forwarded(conn, records.as_record(now, old)) if old else now


def _row(conn: Connection, found: Mapping[str, Any]) -> Row:
    """A row with the names the API has for its columns."""
    then = found["owners"] is None and "event" in found
    owners = found["owners"] if found["owners"] is not None else {} if then else records.inferred(conn, found)
    return {**found, "schema_version": found["schema"], "owners": owners or {}}


def versions(conn: Connection, kind: str, ident: str, *, before: int = 0, limit: int = 0) -> list[Row]:
    """Versions of a record as they were written, newest first, as ``records.history`` gives them (NotFound)."""
    now = records.get(conn, ident, kind)
    found = records.history(conn, ident, before=before, limit=limit)
    told = ("version", "body", "state", "actor", "reason", "run", "event", "at")
    return [
        {
            **{name: one[name] for name in told},
            "title": records.as_record(now, one)["title"],
            "schema_version": one["schema"],
            "owners": one["owners"] or {},
        }
        for one in found
    ]


def pointing(conn: Connection, kind: str, ident: str, as_of: str = "") -> list[Row]:
    """Records that point at this one, newest change first, each with the ``role`` (the field) it does it by."""
    records.get(conn, ident, kind)
    found = relations.about(conn, ident, as_of=as_of)
    if as_of:
        then = asof.records_named(conn, [one["id"] for one in found], asof.sequence(conn, as_of))
        found = [{**one, **then[one["id"]]} for one in found if one["id"] in then]
    return [{name: one[name] for name in ("id", "kind", "title", "state", "version", "role")} for one in found]
