"""Store: the database of one home, opened once; reads from a small pool, writes through the one writer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa

from soloist.engine.store import base
from soloist.engine.store.clock import Clock, utc_now
from soloist.engine.store.journal import Sign
from soloist.engine.store.tx import Tx
from soloist.engine.store.writer import Writer

T = TypeVar("T")


def _no_engine(_conn: sa.Connection, run: str, topic: str, _message: Any) -> None:
    """Used until the durable engine is connected: a run that has not been started has nobody to wake."""


class Store:
    """Opened with the address of an already migrated database (see ``migrate.prepare``)."""

    def __init__(self, url: str, *, clock: Clock = utc_now, sign: Sign | None = None) -> None:
        """Open the engines; nothing is read or written yet."""
        self.url = url
        self.clock = clock
        self._read_engine = base.reader(url)
        self._full = base.writer(url, full=True)
        self._normal = base.writer(url, full=False)
        self.writer = Writer(self._full, self._normal, clock=clock, send=_no_engine, sign=sign)
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="soloist-read")

    def read_now(self, query: Callable[[sa.Connection], T]) -> T:
        """Run ``query(connection)`` in this thread on one consistent snapshot."""
        with self._read_engine.connect() as conn:
            return query(conn)

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Run ``query(connection)`` on a reading thread, never on the event loop."""
        return await asyncio.wrap_future(self._threads.submit(self.read_now, query))

    async def write(self, work: Callable[[Tx], T], *, full: bool = True) -> T:
        """Commit ``work(tx)``; ``full`` when the outside was answered or is about to be touched."""
        return await asyncio.wrap_future(self.writer.submit(work, full=full))

    def write_now(self, work: Callable[[Tx], T], *, full: bool = True) -> T:
        """The same from a thread without an event loop."""
        return self.writer.submit(work, full=full).result()

    def close(self) -> None:
        """Finish queued writes and close every connection."""
        self.writer.close()
        self._threads.shutdown(wait=True)
        for engine in (self._read_engine, self._full, self._normal):
            engine.dispose()
