"""Indexing: the search index follows the journal, a little behind, in small writes that hold nobody up."""

from __future__ import annotations

from soloist.engine.store import searching
from soloist.engine.store.clock import iso
from soloist.engine.store.store import Store
from soloist.flows import following
from soloist.flows.following import Pauses

PAUSES = Pauses(at_the_start=3.0, breath=0.02, look_every=1.0, after_a_fault=30.0)
"""A server has its first page before a long journal is looked through; mail that comes in is written first."""


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
        await following.catch_up(self.turn, within)

    async def follow(self) -> None:
        """For as long as the server runs; a fault is written to the log and the next try waits."""
        await following.follow(
            self.turn, PAUSES, log="soloist.search", trouble="the search index could not be brought up to date"
        )
