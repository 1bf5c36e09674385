"""Origins: where stored words come from, what a run has read, and the trusted values that its work may name.

Labels and ids only: addresses and words stay in the rows they are in. Nothing here decides what may leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import assets, conversations
from soloist.engine.store.tables import contexts, events, messages, records, runs
from soloist.engine.store.tables_memory import facts, memories
from soloist.engine.store.tx import Tx
from soloist.kernel.origin import MODEL, OUTSIDE, OWN, Origin, of, of_words, union

DEEP = 8
"""Parents of a run that are looked at; what a run started has read what its parent had read."""


def of_message(row: Mapping[str, Any]) -> Origin:
    """The origin that is kept with a message; one from before it was kept is read from its direction."""
    return of(row["origin"] or conversations.written_by(row, row["id"]))


def of_thread(conn: sa.Connection, conversation: str) -> Origin:
    """Of every message on a thread."""
    return union(of_message(row) for row in conversations.of(conn, conversation)) if conversation else Origin()


def read(tx: Tx, run: str, origin: Origin) -> None:
    """A run has read something: its own origin takes it in, and never loses it again."""
    if not run:
        return
    kept = tx.conn.execute(sa.select(runs.c.origin).where(runs.c.id == run)).first()
    if kept is None:
        return
    before = of(kept.origin) if kept.origin else Origin()
    if (after := before | origin) != before:
        tx.run(runs.update().where(runs.c.id == run).values(origin=after.told()))


def of_run(conn: sa.Connection, run: str) -> Origin:
    """What a run has read, with what the runs it was started by had read."""
    found, seen = Origin(), 0
    while run and seen < DEEP:
        row = conn.execute(sa.select(runs.c.origin, runs.c.parent).where(runs.c.id == run)).first()
        if row is None:
            break
        found |= of(row.origin) if row.origin else Origin()
        run, seen = row.parent, seen + 1
    return found


def of_context(conn: sa.Connection, ident: str) -> Origin:
    """The origin that is kept with a context; outside for one from before it was kept."""
    row = conn.execute(sa.select(contexts.c.origin).where(contexts.c.id == ident)).first() if ident else None
    return of(row.origin) if row is not None else Origin()


def of_slices(conn: sa.Connection, row: Mapping[str, Any], slices: Sequence[Mapping[str, Any]]) -> Origin:
    """Of everything a context was put together from: its messages, its slices of memory, the house book."""
    idents = [str(one["id"]) for one in row.get("messages") or ()]
    found = [assets.origin_of(conn, row["house_book"])] if row.get("house_book") else []
    found += [of_message(part) for part in _by_id(conn, messages, idents)]
    named = [str(piece["memory"]) for piece in slices if piece.get("memory")]
    kept = {one["id"]: one for table in (memories, facts) for one in _by_id(conn, table, named)}
    found += [of_words(kept[one]["origin"] or (), f"memory:{one}") if one in kept else OUTSIDE for one in named]
    files = [one["asset"] for one in kept.values() if one.get("source") == "document" and one["asset"]]
    found += [assets.origin_of(conn, str(digest)) for digest in files]
    return union([*found, OWN] if row.get("records") else found)


def asked(tx: Tx, run: str, origin: Origin) -> Origin:
    """A run asks a model: the answer takes the taint of everything it was asked with and all the run had read."""
    whole = origin | of_run(tx.conn, run) | MODEL
    read(tx, run, whole)
    return whole


def _by_id(conn: sa.Connection, table: Any, idents: Sequence[str]) -> list[dict[str, Any]]:
    if not idents:
        return []
    return [dict(row) for row in conn.execute(sa.select(table).where(table.c.id.in_(list(idents)))).mappings()]


# ----- what may be named


def words_of(conn: sa.Connection, ref: str) -> str:
    """The operator's own words behind an id ("message:ID", "event:ID"), "" unless they are the operator's.

    A letter that went out counts when a person wrote or approved it; an event when the operator made it.
    """
    kind, _, ident = ref.partition(":")
    if kind == "message":
        row = conn.execute(sa.select(messages).where(messages.c.id == ident)).mappings().first()
        theirs = row is not None and of_message(dict(row)).labels == {"operator"}
        return f"{row['subject']}\n{row['text']}" if theirs and row is not None else ""
    if kind == "event":
        row = conn.execute(sa.select(events).where(events.c.id == ident)).mappings().first()
        return "\n".join(_texts(row["payload"])) if row is not None and row["actor"] == "operator" else ""
    return ""


def _texts(value: Any) -> Iterable[str]:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [value] if isinstance(value, str) else [text for one in inner for text in _texts(one)]


def own_fields(conn: sa.Connection, record: str) -> dict[str, Any]:
    """The fields of a record that the operator set themselves; {} for no record."""
    row = conn.execute(sa.select(records).where(records.c.id == record)).mappings().first() if record else None
    if row is None:
        return {}
    owners = row["owners"] or {}
    return {name: value for name, value in (row["body"] or {}).items() if owners.get(name) == "operator"}


def people_on(thread: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The addresses on a thread by the message that put them there, in lower case.

    On it are whom the operator wrote to, and who began it. Whoever somebody else copied in, asks answers to go to, or
    writes into a thread that has others on it, is not on it until the operator has written to them.
    """
    found: dict[str, str] = {}
    for row in thread:
        if row["direction"] == "out" and of_message(row).labels == {"operator"}:
            for address in row["recipients"] or ():
                found.setdefault(str(address).casefold(), f"message:{row['id']}")
    first = next((row for row in thread if row["direction"] == "in"), None)
    if first is not None and (thread[0] is first or not found):
        found.setdefault(str(first["sender"]).casefold(), f"message:{first['id']}")
    return found
