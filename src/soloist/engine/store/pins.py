"""Pins: an item of memory that the operator wants kept whatever its tier's time; nothing else about it changes."""

from __future__ import annotations

from soloist.engine.store import memories
from soloist.engine.store.tables_memory import memories as table
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict

PINNED, UNPINNED = "memory.pinned", "memory.unpinned"


def pin(tx: Tx, ident: str, on: bool, *, actor: str) -> None:
    """Pin an item or let it go again, with one event (NotFound; Conflict when it has ended). Twice changes nothing."""
    row = memories.get(tx.conn, ident)
    if row["ended"]:
        raise Conflict("This memory is over; there is nothing to pin.")
    if bool(row["pinned"]) == on:
        return
    tx.append(PINNED if on else UNPINNED, subject=ident, payload={}, actor=actor)
    tx.run(table.update().where(table.c.id == ident).values(pinned=int(on)))
