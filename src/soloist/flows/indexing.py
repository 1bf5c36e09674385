"""Indexing: the search index follows the journal, a little behind, in small writes that hold nobody up."""

from __future__ import annotations

import asyncio
import logging
import time

from soloist.engine.store import searching
from soloist.engine.store.clock import iso
from soloist.engine.store.store import Store

LOOK_EVERY = 1.0
"""Seconds between two looks at the journal."""
BREATH = 0.02
"""Seconds between two turns of the server, so that mail that comes in is written first."""
AT_THE_START = 3.0
"""Seconds that a server has for its first page before a long journal is looked through."""
AFTER_A_FAULT = 30.0


class Indexing:
    """Brings the index up to date; several processes may, since a turn that another one made is not written."""

    def __init__(self, store: Store) -> None:
        """The store is given."""
        self._store = store

    async def turn(self) -> bool:
        """Index the next piece of the journal; False when there was nothing to do."""
        now = iso(self._store.clock())
        turn = await self._store.read(lambda conn: searching.gather(conn, now))
        if turn is None:
            return False
        await self._store.write(lambda tx: searching.keep(tx, turn), full=False)
        return True

    async def catch_up(self, within: float) -> None:
        """Index until there is nothing left, or until so many seconds are over."""
        end = time.monotonic() + within
        while time.monotonic() < end and await self.turn():
            pass

    async def follow(self) -> None:
        """For as long as the server runs; a fault is written to the log and the next try waits."""
        log = logging.getLogger("soloist.search")
        await asyncio.sleep(AT_THE_START)
        while True:
            try:
                more = await self.turn()
                await asyncio.sleep(BREATH if more else LOOK_EVERY)
            except Exception:  # an edge: search may fall behind, nothing else may stop for it
                log.exception("the search index could not be brought up to date")
                await asyncio.sleep(AFTER_A_FAULT)
