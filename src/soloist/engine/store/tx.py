"""Tx: what one unit of work may do inside a write transaction: rows, journal events, the next piece of work."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.clock import iso
from soloist.engine.store.quick import Driver, Statement
from soloist.engine.store.tables import runs
from soloist.kernel.event import Event
from soloist.kernel.ids import uuid7

_KNOWN = Statement(sa.select(runs.c.id).where(runs.c.id == sa.bindparam("run")))
_START = Statement(
    sa.text(
        "INSERT INTO runs (id, flow, input, subject, parent, state, started)"
        " VALUES (:id, :flow, :input, :subject, :parent, 'pending', :started)"
    )
)

Send = Callable[[sa.Connection, str, str, Any], None]
"""Puts a message for a parked run into the caller's transaction: (connection, run, topic, JSON message)."""


@dataclass
class Batch:
    """What all units of one commit share: events that wait for their place in the chain, runs to ask for."""

    conn: sa.Connection
    moment: datetime
    send: Send
    pending: dict[tuple[str, str], Event] = field(default_factory=dict)
    runs: dict[str, dict[str, str]] = field(default_factory=dict)
    sent: bool = False

    def __post_init__(self) -> None:
        """The text of the instant that all of them record, and the short way for the busiest statements."""
        self.at = iso(self.moment)
        self.milliseconds = int(self.moment.timestamp() * 1000)
        self.driver = Driver(self.conn)

    def ask_for_runs(self) -> None:
        """Write the rows of the runs; one of the last statements of a transaction."""
        if self.runs:
            self.driver.many(_START, list(self.runs.values()))


@dataclass(slots=True)
class Tx:
    """One unit of work. Everything it does commits with its journal events, or not at all."""

    batch: Batch
    events: list[Event] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    @property
    def conn(self) -> sa.Connection:
        """The open connection, inside the transaction."""
        return self.batch.conn

    @property
    def now(self) -> str:
        """The recorded instant of this commit."""
        return self.batch.at

    def new_id(self) -> str:
        """A fresh id."""
        return uuid7(self.batch.milliseconds, os.urandom(10))

    def run(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """Execute one statement."""
        return self.conn.execute(statement, parameters)

    def rows(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """All rows of a query."""
        return self.conn.execute(statement).all()

    def first(self, statement: sa.Select[Any]) -> dict[str, Any] | None:
        """The first row as a dict, or None."""
        row = self.conn.execute(statement.limit(1)).mappings().first()
        return dict(row) if row is not None else None

    def append(
        self,
        kind: str,
        *,
        subject: str = "",
        payload: Mapping[str, Any] | None = None,
        actor: str = "soloist",
        run: str = "",
        source: str = "soloist",
        external_id: str = "",
    ) -> Event:
        """Add an event to the journal; it gets ``seq`` and ``hash`` when the commit is made."""
        ident = self.new_id()
        event = Event(
            id=ident,
            source=source,
            external_id=external_id or ident,
            kind=kind,
            payload=dict(payload or {}),
            actor=actor,
            at=self.now,
            subject=subject,
            run=run,
        )
        self.events.append(event)
        self.batch.pending[(event.source, event.external_id)] = event
        return event

    def start(
        self, run: str, flow: str, value: str, *, subject: str = "", parent: str = "", fresh: bool = False
    ) -> bool:
        """Ask for a run of ``flow`` with the id ``run``: a row that the starter picks up after the commit.

        The same id starts once; returns whether it was new. The row is written at the end of the transaction.
        ``fresh`` says that the id was made from one that this unit has just drawn, so there is nothing to look up.
        """
        batch = self.batch
        if not fresh and (run in batch.runs or batch.driver.run(_KNOWN, {"run": run}).fetchone() is not None):
            return False
        row = {"id": run, "flow": flow, "input": value, "subject": subject, "parent": parent, "started": batch.at}
        batch.runs[run] = row
        self.runs.append(run)
        return True

    def send(self, run: str, topic: str, message: Any) -> None:
        """Wake a parked run with a message that is seen only if this transaction commits."""
        self.batch.send(self.conn, run, topic, message)
        self.batch.sent = True

    def undo_buffers(self) -> None:
        """Forget what this unit wanted to append and start, after its savepoint was rolled back."""
        for event in self.events:
            self.batch.pending.pop((event.source, event.external_id), None)
        for run in self.runs:
            self.batch.runs.pop(run, None)
        self.events.clear()
        self.runs.clear()
