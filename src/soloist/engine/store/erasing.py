"""Erasing: who is meant, which rows are theirs, and the transaction that takes them out; files are done elsewhere.

What is linked to a person goes. What only names them in somebody else's row stays, with the name struck out. Events
lose body and salt, and one event of kind ``memory.erased`` names them, so that the chain still verifies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import erasing_rows, journal, proposals, tasks
from soloist.engine.store.erasing_rows import Done, Owned, pieces
from soloist.engine.store.tables import conversations, effects, events, identities, messages, records, runs
from soloist.engine.store.tables import proposals as proposal_rows
from soloist.engine.store.tables import tasks as task_rows
from soloist.engine.store.tables_memory import erasures, memories
from soloist.engine.store.traces import Trace, Traces, usable
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, Conflict, NotFound

PEOPLE = ("person", "lead", "company")
THEIRS = ("lead",)
"""Kinds of records that are about a person whose record they name, and go with it."""
LAWFUL = {
    "invoice": "Invoices must be kept (in Germany ten years: sections 147 AO, 14b UStG). They stay, without "
    "the person.",
    "payment": "Payments belong to the books (in Germany ten years: section 147 AO). They stay, without the person.",
    "offer": "Offers that led to an order are business letters (in Germany six years: section 147 AO). They stay, "
    "without the person.",
}
UNSETTLED = ("intended", "claimed", "attempting", "unknown", "reconciling", "refused", "compensating")
_CONTACT = re.compile(r"mail|phone|mobile|tel|fax|address|street|iban|tax|handle|linkedin", re.I)
_IDENT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


@dataclass
class Subject:
    """Who is meant: their records, and what they are found by; ``doubtful`` texts could be anybody's."""

    title: str
    records: list[str] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


# ----- who is meant


def subject(conn: sa.Connection, asked: str, also: Sequence[str] = ()) -> Subject:
    """The person that an id, an address, a number or a full name stands for.

    NotFound when nothing is known, BadInput for a name that several bear.
    """
    asked = asked.strip()
    if not asked:
        raise BadInput("who: name the person by id, address or full name.", field="who")
    idents = _records(conn, asked)
    found = Subject(asked)
    if idents:
        found = subject_of_records(conn, idents)
    elif "@" in asked:
        found.traces.append(Trace("address", asked))
    else:
        raise NotFound(
            f"Nobody is known as {asked[:80]!r}. Give the id of the record, the exact name, or a mail address.",
            field="who",
        )
    found.traces += [Trace("text", text) for text in also if text.strip()]
    return _sorted_out(found)


def subject_of_records(conn: sa.Connection, idents: Sequence[str]) -> Subject:
    """The person of these records: what is merged with them, and what they are found by."""
    found = Subject("", _with_merged(conn, idents))
    _of_records(conn, found)
    return _sorted_out(found)


def _sorted_out(found: Subject) -> Subject:
    """What points at one person, apart from what could be anybody's."""
    short = [trace.text for trace in found.traces if trace.text and trace not in usable([trace])]
    found.doubtful = sorted({*found.doubtful, *short})
    found.traces = usable(found.traces)
    return found


def _records(conn: sa.Connection, asked: str) -> list[str]:
    row, low = records.c, asked.casefold()
    if _IDENT.fullmatch(asked.lower()):
        kind = conn.execute(sa.select(row.kind).where(row.id == asked.lower())).scalar()
        if kind is None:
            raise NotFound(f"There is no record {asked}.", field="who")
        if kind not in PEOPLE:
            raise BadInput(f"who: {asked} is of the kind {kind}; people are erased, with {', '.join(PEOPLE)}.")
        return [asked.lower()]
    same = sa.func.lower(identities.c.value) == low
    by_identity = conn.execute(sa.select(identities.c.record).where(same).distinct()).scalars().all()
    if by_identity:
        return sorted(set(by_identity))
    if "@" in asked:
        only, body = Traces([Trace("address", asked)]), sa.type_coerce(row.body, sa.Text)
        bearing = sa.select(row.id, body.label("body")).where(row.kind == "person")
        rows = conn.execute(bearing.where(body.ilike(only.likes()[0], escape="\\")))
        return sorted(str(one.id) for one in rows if only.inside(one.body))
    named = sa.select(row.id).where(sa.func.lower(row.title) == low, row.kind.in_(PEOPLE))
    found = sorted(conn.execute(named.order_by(row.id)).scalars())
    if len(found) > 1 and len(_with_merged(conn, found[:1])) < len(found):
        listed = ", ".join(found[:5])
        raise BadInput(f"who: {len(found)} records are called {asked!r}. Name one of them by its id: {listed}.")
    return found


def _with_merged(conn: sa.Connection, idents: Sequence[str]) -> list[str]:
    """The records, those merged into them, and the one they were merged into."""
    found, fresh = set(idents), set(idents)
    row = records.c
    while fresh:
        into = conn.execute(sa.select(row.merged_into).where(row.id.in_(fresh), row.merged_into != "")).scalars()
        fresh_now = {*into, *conn.execute(sa.select(row.id).where(row.merged_into.in_(fresh))).scalars()} - found
        found |= fresh_now
        fresh = fresh_now
    return sorted(found)


def _of_records(conn: sa.Connection, found: Subject) -> None:
    """Names, addresses and numbers of the records, of today and of before."""
    title = {}
    for row in conn.execute(sa.select(records).where(records.c.id.in_(found.records))).mappings():
        title[row["id"]] = row["title"]
        _from_record(found, row["kind"], row["title"], row["body"])
    found.title = next(iter(title.values()), found.title)
    versions = erasing_rows.versions
    for row in conn.execute(sa.select(versions).where(versions.c.record.in_(found.records))).mappings():
        _from_record(found, "person", row["title"], row["body"])
    for row in conn.execute(sa.select(identities).where(identities.c.record.in_(found.records))).mappings():
        kind = {"email": "address", "mail": "address", "phone": "phone"}.get(row["scheme"])
        if kind or row["scheme"] != "domain":
            found.traces.append(Trace(kind or "text", row["value"]))  # type: ignore[arg-type]  # one of the kinds
    _leave_shared(conn, found)


def _from_record(found: Subject, kind: str, title: str, body: Any) -> None:
    if title and kind in ("person", "company"):
        found.traces.append(Trace("address" if "@" in title else "name", title))
    for name, text in _contacts(body):
        kinds: Any = "address" if "@" in text else "phone" if re.search(r"phone|mobile|tel|fax", name, re.I) else "text"
        found.traces.append(Trace(kinds, text))


def _contacts(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    """(field, text) of everything in a record's fields by which a person can be reached."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _contacts(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _contacts(inner, name)
    elif isinstance(value, str) and _CONTACT.search(name) and value.strip() and not _IDENT.fullmatch(value):
        yield name, value.strip()


def _leave_shared(conn: sa.Connection, found: Subject) -> None:
    """What another record bears as well (a name, a family's number, an office) proves nothing and is only shown."""
    row, body = records.c, sa.type_coerce(records.c.body, sa.Text)
    others = sa.select(row.title, body.label("body")).where(row.kind.in_(PEOPLE), row.id.notin_(found.records))
    for trace in usable(found.traces):
        if trace.kind == "address":
            continue
        only = Traces([trace])
        where = row.title if trace.kind == "name" else body
        rows = conn.execute(others.where(where.ilike(only.likes()[0], escape="\\"))).all()
        whole = (one.title.casefold() == trace.text.casefold() for one in rows)
        if any(whole) if trace.kind == "name" else any(only.inside(one.body) for one in rows):
            found.doubtful.append(trace.text)
            found.traces = [one for one in found.traces if (one.kind, one.plain) != (trace.kind, trace.plain)]


# ----- what is theirs


def owned(conn: sa.Connection, who: Subject) -> Owned:
    """Everything that is theirs by its links."""
    found = Owned(records=set(who.records))
    addresses = {trace.text.lower() for trace in who.traces if trace.kind == "address"}
    found.records |= {row.id for row in naming_records(conn, who.records) if row.kind in THEIRS}
    found.conversations = _some(conn, conversations.c.id, {conversations.c.record: found.records})
    found.messages = _messages(conn, found.conversations, addresses)
    found.events = _some(conn, messages.c.event, {messages.c.id: found.messages}) - {""}
    row = proposal_rows.c
    found.proposals = _some(conn, row.id, {row.record: found.records, row.conversation: found.conversations})
    found.effects = _some(conn, effects.c.id, {effects.c.proposal: found.proposals})
    task = task_rows.c
    about = {task.record: found.records, task.conversation: found.conversations, task.subject: found.objects()}
    found.cards = _some(conn, task.id, about)
    found.runs = _runs(conn, found)
    item = memories.c
    things = {item.record: found.records, item.thread: found.conversations, item.ref: found.objects()}
    found.memories = {int(n) for n in _some(conn, item.n, things)}
    letters = _some(conn, messages.c.asset, {messages.c.id: found.messages}) - {""}
    found.memories |= {int(n) for n in _some(conn, item.n, {item.asset: letters})}
    found.assets = _assets(conn, found)
    return found


def naming_records(conn: sa.Connection, idents: Sequence[str]) -> list[Any]:
    """(id, kind) of records whose fields name one of these."""
    body = sa.type_coerce(records.c.body, sa.Text)
    found: list[Any] = []
    for ident in idents:
        query = sa.select(records.c.id, records.c.kind).where(body.like(f"%{ident}%"), records.c.id != ident)
        found += conn.execute(query).all()
    return found


def _some(conn: sa.Connection, column: Any, by: Mapping[Any, Iterable[Any]]) -> set[Any]:
    """Values of a column where one of the other columns has one of the values."""
    found: set[Any] = set()
    for key, values in by.items():
        for part in pieces(values):
            found |= set(conn.execute(sa.select(column).where(key.in_(part))).scalars())
    return found


def _messages(conn: sa.Connection, threads: set[str], addresses: set[str]) -> set[str]:
    """Messages of their threads but for those that somebody else wrote into them, and whatever they wrote elsewhere."""
    row = messages.c
    sender = sa.func.lower(row.sender)
    found = set(conn.execute(sa.select(row.id).where(sender.in_(addresses))).scalars()) if addresses else set()
    for part in pieces(threads):
        mine = sa.select(row.id).where(row.conversation.in_(part))
        others = (row.direction == "in") & sender.notin_(addresses or {""})
        found |= set(conn.execute(mine.where(~others)).scalars())
        if not addresses:
            found |= set(conn.execute(mine).scalars())
    return found


def _runs(conn: sa.Connection, found: Owned) -> set[str]:
    """Runs about these things, and the runs those started."""
    things = found.objects()
    idents = _some(conn, runs.c.id, {runs.c.subject: things, runs.c.input: things})
    idents |= {str(run) for run in _some(conn, proposal_rows.c.run, {proposal_rows.c.id: found.proposals})}
    return idents | _some(conn, runs.c.id, {runs.c.parent: idents})


def _assets(conn: sa.Connection, found: Owned) -> set[str]:
    """Raw mails and attachments of their messages, and what their memories point at."""
    digests = _some(conn, messages.c.asset, {messages.c.id: found.messages})
    digests |= _some(conn, memories.c.asset, {memories.c.n: found.memories})
    for part in pieces(found.messages):
        for given in conn.execute(sa.select(messages.c.attachments).where(messages.c.id.in_(part))).scalars():
            digests |= {str(one.get("asset", "")) for one in given or [] if isinstance(one, dict)}
    return digests - {""}


def hindered(conn: sa.Connection, found: Owned) -> None:
    """Conflict while something about them is on its way out."""
    for part in pieces(found.effects):
        query = sa.select(effects.c.id, effects.c.state).where(effects.c.id.in_(part))
        for row in conn.execute(query.where(effects.c.state.in_(UNSETTLED))):
            raise Conflict(
                f"An action about this person is {row.state.replace('_', ' ')} ({row.id}). Nothing was erased. "
                "Let it end, take it back, or say what became of it first."
            )


# ----- taking it out


def take_out(tx: Tx, who: Subject, *, erasure: str, keyed: str, actor: str, folder: Path) -> Done:
    """Delete, empty and strike out everything in the database, and write the one event that says so."""
    if tx.conn.dialect.name == "sqlite":
        tx.conn.exec_driver_sql("PRAGMA secure_delete=ON")
    found, traces, done = owned(tx.conn, who), Traces(who.traces), Done()
    hindered(tx.conn, found)
    _withdraw(tx, found, actor)
    refs = {ref for part in pieces(found.memories) for ref in _some(tx.conn, memories.c.id, {memories.c.n: part})}
    erasing_rows.delete(tx, found, done)
    erasing_rows.empty(tx, found, done)
    erasing_rows.strike(tx, traces, done)
    erasing_rows.drop_assets(tx, folder, found.assets, traces, done)
    erasing_rows.forget_words(tx, found.objects() | refs | done.changed)
    fields = _destroy(tx, found, traces, done)
    payload = {
        "erasure": erasure,
        "subject": keyed,
        "ids": done.events,
        "fields": fields,
        "counts": done.counts,
        "rows": sorted(found.memories)[:10_000],
    }
    event = tx.append(journal.ERASED, subject=erasure, payload=payload, actor=actor)
    key = erasures.c.id == erasure
    tx.run(erasures.update().where(key).values(event=event.id))
    return done


def _withdraw(tx: Tx, found: Owned, actor: str) -> None:
    """What waits for a decision about them is over."""
    why = "The person it is about is being erased."
    for part in pieces(found.proposals):
        row = proposal_rows.c
        for ident in tx.conn.execute(sa.select(row.id).where(row.id.in_(part), row.state == "waiting")).scalars().all():
            proposals.move(tx, ident, "withdrawn", actor=actor, why=why)
            tx.send(f"proposal:{ident}", "decision", {"state": "withdrawn"})
    for part in pieces(found.cards):
        card = task_rows.c
        for ident in tx.conn.execute(sa.select(card.id).where(card.id.in_(part), card.state == "open")).scalars().all():
            tasks.close(tx, ident, "withdrawn", {"reason": "erased"}, actor=actor)


def _destroy(tx: Tx, found: Owned, traces: Traces, done: Done) -> dict[str, str]:
    """Bodies and salts of events about them or naming them; answers the hash of the fields of those whose fields
    named them as well."""
    row = events.c
    mine = _some(tx.conn, row.id, {row.id: found.events, row.subject: found.objects(), row.run: found.runs})
    named, fields = set(), {}
    fixed = (row.external_id, row.source, row.subject, row.actor, row.run)
    wide = sa.or_(*(column.ilike(like, escape="\\") for column in (row.body, *fixed) for like in traces.likes()))
    for event in tx.conn.execute(sa.select(events).where(wide)).mappings() if traces else ():
        if found_here := traces.inside(f"{event['body'] or ''}\n" + "\n".join(event[c.name] for c in fixed)):
            named.add(event["id"])
            done.writings.update(found_here)
            if any(traces.inside(event[c.name]) for c in fixed):
                fields[event["id"]] = _strike_fields(tx, dict(event), traces, [c.name for c in fixed])
    for part in pieces(mine | named):
        there = row.id.in_(part) & row.body.is_not(None) & (row.kind != journal.ERASED)
        done.events += tx.conn.execute(sa.select(row.id).where(there)).scalars().all()
        done.add("events", tx.run(events.update().where(there).values(body=None, salt=None)).rowcount)
    return fields


def _strike_fields(tx: Tx, event: Mapping[str, Any], traces: Traces, names: Sequence[str]) -> str:
    """The fixed fields of an event without the person; the answer lets them be checked from now on."""
    values = {name: traces.struck(event[name]) for name in names}
    if values["external_id"] != event["external_id"]:
        values["external_id"] = f"{values['external_id']} {event['id']}"  # stays one of a kind
    tx.run(events.update().where(events.c.id == event["id"]).values(**values))
    return journal.restated(SimpleNamespace(**{**event, **values}))
