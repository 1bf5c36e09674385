"""The journal: one sequence, a salted hash chain, signed checkpoints, and the check that nothing was changed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.base import is_sqlite
from soloist.engine.store.clock import from_iso
from soloist.engine.store.quick import Driver, Statement
from soloist.engine.store.tables import checkpoints, events, journal_head
from soloist.kernel.event import Event
from soloist.kernel.hashing import body_hash, chain_hash

CHECKPOINT_ROWS = 1000
CHECKPOINT_SECONDS = 3600.0
ERASED = "memory.erased"
"""Kind of the event that names the ids whose salt and body were destroyed."""

Sign = Callable[[bytes], bytes]
_insert = Statement(events.insert())
_head = sa.select(journal_head.c.seq, journal_head.c.hash)
_find_head = Statement(_head)
_hold_head = Statement(_head.with_for_update())
_move_head = Statement(journal_head.update().values(seq=sa.bindparam("s"), hash=sa.bindparam("h")))
_mark = Statement(checkpoints.insert())
_newest_mark = Statement(sa.text("SELECT at FROM checkpoints ORDER BY seq DESC LIMIT 1"))


def flush(conn: sa.Connection, pending: Sequence[Event], sign: Sign | None) -> None:
    """Give the events their place in the chain and insert them; the last statements of a transaction."""
    if not pending:
        return
    driver = Driver(conn)
    seq, previous = driver.run(_find_head if is_sqlite(conn.dialect.name) else _hold_head, {}).fetchone()
    first = seq
    rows = []
    for event in pending:
        seq += 1
        row = _row(event, seq, previous)
        previous = row["hash"]
        rows.append(row)
    driver.many(_insert, rows)
    driver.run(_move_head, {"s": seq, "h": previous})
    if sign is not None:
        _checkpoint(driver, (first, seq), previous, pending[-1].at, sign)


def _row(event: Event, seq: int, previous: str) -> dict[str, Any]:
    """The stored row of an event; also fills its ``seq`` and ``hash``."""
    salt, body = os.urandom(16), event.body()
    event.seq = seq
    hashed = body_hash(salt, body)
    event.hash = chain_hash(previous, _fields(event, seq), hashed)
    return {
        "seq": seq,
        "id": event.id,
        "source": event.source,
        "external_id": event.external_id,
        "kind": event.kind,
        "subject": event.subject,
        "run": event.run,
        "actor": event.actor,
        "at": event.at,
        "body": body.decode(),
        "salt": salt,
        "body_hash": hashed,
        "hash": event.hash,
    }


def _fields(event: Any, seq: int) -> tuple[str, ...]:
    """The fixed fields of a link, in the order they are hashed; works on an Event and on a row."""
    return (
        str(seq),
        event.id,
        event.source,
        event.external_id,
        event.kind,
        event.subject,
        event.run,
        event.actor,
        event.at,
    )


def _checkpoint(driver: Driver, span: tuple[int, int], head: str, at: str, sign: Sign) -> None:
    """Sign the head every 1,000 rows or every hour, whichever comes first."""
    first, last = span
    due = first // CHECKPOINT_ROWS != last // CHECKPOINT_ROWS
    if not due:
        newest = driver.run(_newest_mark, {}).fetchone()
        due = newest is None or (from_iso(at) - from_iso(newest[0])).total_seconds() >= CHECKPOINT_SECONDS
    if due:
        signature = sign(signed_bytes(last, head)).hex()
        driver.run(_mark, {"seq": last, "hash": head, "at": at, "signature": signature})


def head(conn: sa.Connection) -> int:
    """The newest sequence number, 0 for an empty journal."""
    return int(conn.execute(sa.select(journal_head.c.seq)).scalar() or 0)


def signed_bytes(seq: int, head: str) -> bytes:
    """What a checkpoint signature covers."""
    return f"soloist journal {seq} {head}".encode()


MARK = "soloist-checkpoint"
"""First word of a line that carries a signed checkpoint out of the house."""


@dataclass(frozen=True)
class Mark:
    """A signed checkpoint: the journal had this hash at this event."""

    seq: int
    hash: str
    at: str
    signature: str

    def line(self) -> str:
        """As one line of text, for a file or a mail."""
        return f"{MARK} {self.seq} {self.hash} {self.at} {self.signature}"


def marks_after(conn: sa.Connection, seq: int) -> list[Mark]:
    """Every checkpoint after an event, oldest first."""
    query = sa.select(checkpoints).where(checkpoints.c.seq > seq).order_by(checkpoints.c.seq)
    return [Mark(row.seq, row.hash, row.at, row.signature) for row in conn.execute(query)]


def newest_mark(conn: sa.Connection) -> Mark | None:
    """The newest checkpoint, None in a journal that is empty."""
    row = conn.execute(sa.select(checkpoints).order_by(checkpoints.c.seq.desc()).limit(1)).first()
    return Mark(row.seq, row.hash, row.at, row.signature) if row else None


def read_marks(text: str) -> list[Mark]:
    """The checkpoints in a text, wherever they stand in a line; what is none is left out."""
    found = []
    for line in text.splitlines():
        words = line.partition(MARK)[2].split()
        if len(words) >= 4 and words[0].isdigit():
            found.append(Mark(int(words[0]), *words[1:4]))
    return found


@dataclass
class Report:
    """What a check of the journal found: ``faults`` are sentences, empty when the chain is whole."""

    events: int = 0
    checkpoints: int = 0
    erased: int = 0
    exported: int = 0
    head: str = ""
    faults: list[str] = field(default_factory=list)


def verify(conn: sa.Connection, check: Callable[[bytes, bytes], bool], exported: Sequence[Mark] = ()) -> Report:
    """Recompute every link and signature. ``check(data, signature)`` says whether a signature is ours.

    ``exported`` are checkpoints that had left the house: what they say counts more than what the database says.
    """
    report = Report()
    outside = _believed(exported, check, report)
    marks = {row.seq: row for row in conn.execute(sa.select(checkpoints))}
    erased = _erased_ids(conn)
    previous, expected = "", 1
    kept: set[int] = set()
    for row in _all(conn):
        if row.seq != expected:
            report.faults.append(f"Event {expected} is missing: the journal goes from {expected - 1} to {row.seq}.")
            expected = row.seq
        _check_row(row, previous, erased, report)
        if mark := marks.pop(row.seq, None):
            _check_mark(mark, row.hash, check, report)
            kept.add(row.seq)
        if (left := outside.pop(row.seq, None)) and left.hash != row.hash:
            report.faults.append(
                f"Event {row.seq} is another one than when its checkpoint left the house at {left.at}."
            )
        elif left and row.seq not in kept:
            report.faults.append(f"The checkpoint over event {row.seq} left the house at {left.at} and is gone here.")
        previous, expected = row.hash, expected + 1
        report.events += 1
    _check_head(conn, previous, expected - 1, report)
    report.faults += [f"Checkpoint {seq} is signed, but that event is gone." for seq in sorted(marks)]
    report.faults += [
        f"Event {seq} had been written when its checkpoint left the house at {outside[seq].at}, and is gone."
        for seq in sorted(outside)
    ]
    report.head = previous
    return report


def _believed(exported: Sequence[Mark], check: Callable[[bytes, bytes], bool], report: Report) -> dict[int, Mark]:
    """Exported checkpoints by event; one whose signature is not ours is a fault by itself."""
    found: dict[int, Mark] = {}
    for mark in exported:
        report.exported += 1
        if not _ours(mark, mark.hash, check):
            report.faults.append(f"An exported checkpoint over event {mark.seq} is not signed by this home.")
        elif found.setdefault(mark.seq, mark).hash != mark.hash:
            report.faults.append(f"Two checkpoints over event {mark.seq} left the house, and they differ.")
    return found


def _ours(mark: Any, head: str, check: Callable[[bytes, bytes], bool]) -> bool:
    """Whether the signature of a checkpoint is ours and fits a hash."""
    try:
        return check(signed_bytes(mark.seq, head), bytes.fromhex(mark.signature))
    except ValueError:  # not hexadecimal
        return False


def _all(conn: sa.Connection) -> Iterator[Any]:
    """Every event in order, a thousand rows in memory at a time."""
    after = 0
    while rows := conn.execute(sa.select(events).where(events.c.seq > after).order_by(events.c.seq).limit(1000)).all():
        yield from rows
        after = rows[-1].seq


def _erased_ids(conn: sa.Connection) -> dict[str, str]:
    """Ids whose body was destroyed by an erasure event that is itself in the chain; with the hash by which the fixed
    fields are checked from then on where those were changed too, else ""."""
    found: dict[str, str] = {}
    query = sa.select(events.c.body).where(events.c.kind == ERASED).order_by(events.c.seq)
    for (body,) in conn.execute(query):
        with contextlib.suppress(ValueError, AttributeError):  # a spoiled one names nothing, and is a fault by itself
            told = json.loads(body or "{}")
            found |= {**dict.fromkeys(set(told.get("ids", [])) - set(found), ""), **told.get("fields", {})}
    return found


def restated(row: Any) -> str:
    """The hash of the fixed fields of an event from which an erasure struck a person out; ``row`` as it is then."""
    return chain_hash("", _fields(row, row.seq), row.body_hash)


def _check_row(row: Any, previous: str, erased: Mapping[str, str], report: Report) -> None:
    """One link: the body against its salted hash, the fields against the chain."""
    if row.body is None:
        report.erased += 1
        if row.id not in erased:
            report.faults.append(f"Event {row.seq} has lost its content and no erasure names it.")
    elif body_hash(row.salt or b"", row.body.encode()) != row.body_hash:
        report.faults.append(f"Event {row.seq} ({row.kind}) has another content than when it was written.")
    if fields := erased.get(row.id):
        if restated(row) != fields:
            report.faults.append(f"Event {row.seq} ({row.kind}) is another one than after its erasure.")
    elif chain_hash(previous, _fields(row, row.seq), row.body_hash) != row.hash:
        report.faults.append(f"Event {row.seq} ({row.kind}) does not follow from the one before it.")


def _check_mark(mark: Any, head: str, check: Callable[[bytes, bytes], bool], report: Report) -> None:
    """One signed checkpoint against the chain."""
    report.checkpoints += 1
    if mark.hash != head or not _ours(mark, head, check):
        report.faults.append(f"The signature over event {mark.seq} does not fit the journal.")


def _check_head(conn: sa.Connection, last: str, seq: int, report: Report) -> None:
    """The remembered head against the last row: a cut tail shows here."""
    head = conn.execute(sa.select(journal_head.c.seq, journal_head.c.hash)).first()
    if head is None:
        report.faults.append("The place where the journal remembers its end is gone.")
    elif (head.seq, head.hash) != (seq, last):
        report.faults.append(f"The journal ends at event {seq}, but event {head.seq} had been written.")
