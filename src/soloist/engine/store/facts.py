"""Facts: statements about records on two clocks, written beside each other and ended, never changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.asof import there
from soloist.engine.store.tables import journal_head, records
from soloist.engine.store.tables_memory import facts
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, NotFound
from soloist.kernel.event import Event
from soloist.kernel.fact import Cut, NewFact, check, true_at, weigh

_AGENT = re.compile(r"[\w-]+@\d+")
STATED, ENDED = "fact.stated", "fact.ended"
MOST = 500
"""Facts of one record that are read at once."""


@dataclass(frozen=True)
class Stated:
    """What became of a statement: its row, whether it is new, the rows it contradicts, the rows it replaced."""

    id: str
    state: str
    new: bool
    against: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


def state(tx: Tx, new: NewFact) -> Stated:
    """Weigh a statement against what stands and write it, with one event (BadInput; nothing is half-stored).

    One that is known already writes nothing.
    """
    check(new)
    if tx.conn.execute(sa.select(records.c.id).where(records.c.id == new.record)).first() is None:
        raise BadInput(f"record: there is no record {new.record[:60]!r}; nothing was stored.", field="record")
    rows = known(tx.conn, family(tx.conn, new.record), attribute=new.attribute)
    weighed = weigh(new, rows)
    if weighed.same:
        return Stated(weighed.same, next(row["state"] for row in rows if row["id"] == weighed.same), False)
    ident = tx.new_id()
    about = {
        "fact": ident,
        "attribute": new.attribute,
        "state": weighed.state,
        "trust": new.trust,
        "ends": [cut.id for cut in weighed.cuts],
        "against": list(weighed.against),
        "why": f"{new.attribute}, disputed" if weighed.against else new.attribute,
    }
    event = tx.append(STATED, subject=new.record, payload=about, actor=by(new.actor), run=new.run)
    by_id = {row["id"]: row for row in rows}
    for cut in weighed.cuts:
        _cut(tx, by_id[cut.id], cut, event, ident)
    dated = replace(new, valid_from=weighed.valid_from, valid_to=weighed.valid_to)
    tx.run(facts.insert(), {**_row(tx, dated, event), "id": ident, "state": weighed.state})
    return Stated(ident, weighed.state, True, weighed.against, tuple(cut.id for cut in weighed.cuts))


def by(actor: str) -> str:
    """Who the journal says it was: an address never stands there, since what is chained cannot be erased."""
    ours = actor in ("operator", "soloist", "policy") or actor.startswith("token:") or _AGENT.fullmatch(actor)
    return actor if ours else "outside" if actor else "soloist"


def _row(tx: Tx, new: NewFact, event: Event) -> dict[str, Any]:
    """The stored row of a statement."""
    return {
        "record": new.record,
        "attribute": new.attribute,
        "value": new.value,
        "valid_from": new.valid_from,
        "valid_to": new.valid_to,
        "source": new.source,
        "ref": new.ref,
        "quote": new.quote[:1000],
        "origin": list(new.origin),
        "trust": new.trust,
        "confidence": new.confidence,
        "expires": new.expires,
        "actor": new.actor,
        "run": new.run,
        "created": tx.now,
        "event": event.id,
    }


def _cut(tx: Tx, row: Mapping[str, Any], cut: Cut, event: Event, by: str) -> None:
    """End a row; the pieces of its time that still hold are written as rows of their own."""
    values = {"ended": event.id, "ended_why": cut.why, "superseded_by": by}
    tx.run(facts.update().where(facts.c.id == cut.id).values(**values))
    kept = {name: value for name, value in row.items() if name not in ("ended", "ended_why", "superseded_by")}
    for begin, end in cut.pieces:
        piece = {"id": tx.new_id(), "valid_from": begin, "valid_to": end, "created": tx.now, "event": event.id}
        tx.run(facts.insert(), {**kept, **piece})


def end(tx: Tx, ident: str, *, why: str, actor: str) -> dict[str, Any]:
    """End a fact on somebody's word; what it had replaced stays ended. A second time changes nothing; the row."""
    row = get(tx.conn, ident)
    if row["ended"]:
        return row
    payload = {"fact": ident, "attribute": row["attribute"], "why": why}
    event = tx.append(ENDED, subject=row["record"], payload=payload, actor=actor)
    tx.run(facts.update().where(facts.c.id == ident).values(ended=event.id, ended_why=why))
    return get(tx.conn, ident)


def confirm(tx: Tx, ident: str, *, actor: str) -> Stated:
    """Somebody who may say so says that a fact is right: it is trusted from now on, and what contradicts it ends."""
    row = get(tx.conn, ident)
    if row["ended"]:
        raise BadInput("fact: this statement was ended; state it anew instead.", field="id")
    begin = row["valid_from"]
    if row["state"] == "disputed":  # it takes the place of what it was held against, however old that is
        others = live(tx.conn, row["record"], row["attribute"])
        begin = max([begin, *(other["valid_from"] for other in others if other["state"] == "held")])
    names = ("record", "attribute", "value", "valid_to", "source", "ref", "quote", "origin", "expires")
    kept = {name: row[name] for name in names}
    return state(tx, NewFact(**kept, valid_from=begin, trust="confirmed", confidence="stated", actor=actor))


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One fact, ended or not (NotFound)."""
    row = conn.execute(sa.select(facts).where(facts.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no fact {ident}.")
    return dict(row)


def live(conn: sa.Connection, record: str, attribute: str = "") -> list[dict[str, Any]]:
    """Facts of a record that were not ended, held and disputed, oldest first."""
    query = sa.select(facts).where((facts.c.record == record) & (facts.c.ended == ""))
    if attribute:
        query = query.where(facts.c.attribute == attribute)
    return [dict(row) for row in conn.execute(query.order_by(facts.c.attribute, facts.c.id).limit(MOST)).mappings()]


def known(
    conn: sa.Connection, idents: Sequence[str], *, seq: int = 0, at: str = "", attribute: str = ""
) -> list[dict[str, Any]]:
    """Facts of some records as they were known at a sequence number (0: now) and are true at an instant ("" : any)."""
    query = sa.select(facts).where(facts.c.record.in_(list(idents)))
    query = query.where(there(facts, seq) if seq else facts.c.ended == "")
    if attribute:
        query = query.where(facts.c.attribute == attribute)
    query = query.order_by(facts.c.record, facts.c.attribute, facts.c.valid_from, facts.c.id).limit(MOST)
    rows = [dict(row) for row in conn.execute(query).mappings()]
    return [row for row in rows if not at or true_at(row, at)]


def history(conn: sa.Connection, idents: Sequence[str], limit: int = MOST) -> list[dict[str, Any]]:
    """Every fact there ever was about some records, newest first."""
    query = sa.select(facts).where(facts.c.record.in_(list(idents)))
    return [dict(row) for row in conn.execute(query.order_by(facts.c.id.desc()).limit(limit)).mappings()]


def of_event(conn: sa.Connection, event: str) -> list[dict[str, Any]]:
    """The facts an event began."""
    return [dict(row) for row in conn.execute(sa.select(facts).where(facts.c.event == event)).mappings()]


def listed(
    conn: sa.Connection,
    *,
    record: str = "",
    attribute: str = "",
    state: str = "",
    seq: int = 0,
    at: str = "",
    after: str = "",
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Facts by id, as known at a sequence number (0: now), true at an instant, after the id of the last one seen."""
    query = sa.select(facts).where(there(facts, seq) if seq else facts.c.ended == "")
    for column, value in ((facts.c.record, record), (facts.c.attribute, attribute), (facts.c.state, state)):
        query = query.where(column == value) if value else query
    if at:
        query = query.where((facts.c.valid_from <= at) & ((facts.c.valid_to == "") | (facts.c.valid_to > at)))
    query = query.where(facts.c.id > after).order_by(facts.c.id).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def family(conn: sa.Connection, record: str) -> list[str]:
    """A record and those that were merged into it."""
    found, fresh = [record], [record]
    while fresh and len(found) < 100:
        query = sa.select(records.c.id).where(records.c.merged_into.in_(fresh))
        fresh = [ident for ident in conn.execute(query).scalars() if ident not in found]
        found += fresh
    return found


def head(conn: sa.Connection) -> int:
    """The newest place in the journal."""
    return int(conn.execute(sa.select(journal_head.c.seq)).scalar() or 0)
