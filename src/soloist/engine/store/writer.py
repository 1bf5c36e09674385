"""The one writer: units of work on one thread, a savepoint each, many units one commit (group commit)."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError

from soloist.engine import failpoint
from soloist.engine.store import journal
from soloist.engine.store.base import is_sqlite, make_room
from soloist.engine.store.clock import Clock
from soloist.engine.store.tx import Batch, Send, Tx
from soloist.kernel.errors import StoreTrouble

T = TypeVar("T")
MOST = 256
"""Units in one commit at the most, so that no unit waits long for its answer."""
RACES = 5
"""Times that Postgres may end the same unit because two processes waited for each other, before its caller hears it."""
ROOM_EVERY = 16
"""Commits between two looks at the length of the log."""


@dataclass(slots=True)
class Unit(Generic[T]):
    """Work that waits for the writer: ``work(tx)`` may run more than once, so it does nothing but the transaction."""

    work: Callable[[Tx], T]
    full: bool
    answer: Future[T]


class Writer:
    """A thread that owns the writing connections. ``submit`` from any thread or event loop."""

    def __init__(
        self, full: sa.Engine, normal: sa.Engine, *, clock: Clock, send: Send, sign: journal.Sign | None = None
    ) -> None:
        """``full`` waits for the disk at each commit, ``normal`` leaves that to a later full commit."""
        self._engines = {True: full, False: normal}
        self._held: dict[bool, sa.Connection] = {}
        self._commits = 0
        self._clock = clock
        self.send = send
        self.sign = sign
        self.on_starts: Callable[[list[str]], None] = lambda _runs: None
        self.on_sent: Callable[[], None] = lambda: None
        """Called on the writer's thread after a commit that holds a message for a parked run."""
        self.on_commit: list[Callable[[int], None]] = []
        """Told on the writer's thread, after a commit that grew the journal, its newest place; they only pass it on."""
        self._newest = self._told = 0
        self._queue: queue.SimpleQueue[Unit[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="soloist-writer", daemon=True)
        self._closed = False
        self._door = threading.Lock()
        self._thread.start()

    def submit(self, work: Callable[[Tx], T], *, full: bool = True) -> Future[T]:
        """Queue a unit; the future is answered after the commit that holds it."""
        answer: Future[T] = Future()
        with self._door:
            if self._closed:
                answer.set_exception(StoreTrouble("The store is closing; nothing was written."))
            else:
                self._queue.put(Unit(work, full, answer))
        return answer

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._door:
            self._closed = True
            self._queue.put(None)
        self._thread.join(timeout=30)

    def _loop(self) -> None:
        """Take one unit, add what is already waiting, commit, answer."""
        running = True
        while running:
            first = self._queue.get()
            batch = [first] if first is not None else []
            running = first is not None
            while running and len(batch) < MOST and not self._queue.empty():
                unit = self._queue.get_nowait()
                if unit is None:
                    running = False
                else:
                    batch.append(unit)
            if batch:
                self._commit(batch)
                self._room()
        for conn in self._held.values():
            conn.close()

    def _room(self) -> None:
        """Now and then, after the answers: see that the file's log need not grow at each commit."""
        self._commits += 1
        if self._commits % ROOM_EVERY == 0:
            for conn in self._held.values():
                make_room(conn)

    def _commit(self, units: list[Unit[Any]]) -> None:
        """Commit the units together; when the commit itself fails, each gets one try of its own."""
        units = [unit for unit in units if unit.answer.set_running_or_notify_cancel()]
        if not units:
            return
        started: list[str] = []
        try:
            results = self._together(units, started)
        except Exception as error:  # noqa: BLE001  # the writer must outlive any fault of a unit or of the disk
            alone = len(units) == 1 and not _raced(error)
            results = [(units[0], None, error)] if alone else [self._alone(unit, started) for unit in units]
        # Another process may have written the row between a unit's look and its insert: look once more.
        for tried in range(RACES):
            raced = [_raced(error) and (tried == 0 or not isinstance(error, IntegrityError)) for _, _, error in results]
            if not any(raced):
                break
            results = [
                self._alone(old[0], started) if again else old for old, again in zip(results, raced, strict=True)
            ]
        self._answer(results)
        if started:
            self._announce(started)
        if self._newest > self._told:
            self._told = self._newest
            for hear in list(self.on_commit):
                hear(self._newest)

    def _announce(self, started: list[str]) -> None:
        """Tell the starter, after the commit; a starter that is gone finds the rows when it looks by itself."""
        with contextlib.suppress(RuntimeError):  # its event loop is closed
            self.on_starts(started)

    def _alone(self, unit: Unit[Any], started: list[str]) -> tuple[Unit[Any], Any, BaseException | None]:
        """Commit one unit by itself."""
        try:
            return self._together([unit], started)[0]
        except Exception as error:  # noqa: BLE001  # each unit learns of its own fault
            return unit, None, error

    def _together(
        self, units: list[Unit[Any]], started: list[str]
    ) -> list[tuple[Unit[Any], Any, BaseException | None]]:
        """Run the units in one transaction, flush the journal last, commit; ``started`` gets the runs to begin."""
        with self._transaction(any(unit.full for unit in units)) as conn:
            batch = Batch(conn, self._clock(), self.send)
            results = [self._one(unit, Tx(batch)) for unit in units]
            batch.ask_for_runs()
            journal.flush(conn, list(batch.pending.values()), self.sign)
            failpoint.hit("before commit")
        failpoint.hit("committed")
        self._newest = max([self._newest, *(event.seq for event in batch.pending.values())])
        started.extend(batch.runs)
        if batch.sent:
            self.on_sent()
        return results

    @contextlib.contextmanager
    def _transaction(self, full: bool) -> Iterator[sa.Connection]:
        """An open transaction that commits at the end; a file's connection is kept, a server's is looked at first."""
        engine = self._engines[full]
        if not is_sqlite(engine.dialect.name):
            with engine.begin() as conn:
                yield conn
            return
        conn = self._held.get(full) or self._held.setdefault(full, engine.connect())
        try:
            with conn.begin():
                yield conn
        except (DBAPIError, PendingRollbackError):
            self._held.pop(full).close()
            raise

    def _one(self, unit: Unit[Any], tx: Tx) -> tuple[Unit[Any], Any, BaseException | None]:
        """Run one unit inside its own savepoint; its fault undoes only itself."""
        tx.batch.driver.plain("SAVEPOINT unit")
        try:
            value = unit.work(tx)
        except Exception as error:  # noqa: BLE001  # handed to the caller through the future
            try:
                tx.conn.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
            except (DBAPIError, PendingRollbackError):
                raise error from None  # a full disk or a lost line ends the whole transaction, savepoints included
            tx.undo_buffers()
            tx.conn.exec_driver_sql("RELEASE SAVEPOINT unit")
            return unit, None, error
        tx.batch.driver.plain("RELEASE SAVEPOINT unit")
        return unit, value, None

    def _answer(self, results: list[tuple[Unit[Any], Any, BaseException | None]]) -> None:
        """Answer every caller, after the commit."""
        for unit, value, error in results:
            if error is not None:
                unit.answer.set_exception(_translate(error))
            else:
                unit.answer.set_result(value)


def _raced(error: BaseException | None) -> bool:
    """Whether another process came in between: it wrote the same row, or each waited for the other (Postgres)."""
    if isinstance(error, IntegrityError):
        return True
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") in ("40001", "40P01")


def _translate(error: BaseException) -> BaseException:
    """Database faults as one sentence for the operator; our own errors as they are."""
    if isinstance(error, PendingRollbackError):
        return StoreTrouble("The line to the database was cut. Nothing was written.")
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return error
    text = str(error.orig)
    if "locked" in text or "busy" in text:
        return StoreTrouble(f"Another program holds the database for too long ({text}). Nothing was written.")
    if "full" in text or "disk I/O" in text:
        return StoreTrouble(f"The disk is full or cannot be written ({text}). Nothing was written; free some space.")
    return StoreTrouble(f"The database refused a write: {text}. Nothing was written.")
