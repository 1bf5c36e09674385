"""Keeping: snapshots are made and retention is carried out here; what may leave is decided in the memory stage."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import asof, snapshots
from soloist.engine.store.store import Store
from soloist.kernel.errors import BadInput


async def snapshot(store: Store, label: str, *, who: str, as_of: str = "") -> dict[str, Any]:
    """Name an instant, now when none is given (BadInput for one before the first event)."""
    label = " ".join(label.split())
    if not label:
        raise BadInput("label: give the snapshot a name by which you will know it again.", field="label")

    def work(tx: Any) -> dict[str, Any]:
        seq = asof.sequence(tx.conn, as_of) if as_of else 0
        return snapshots.make(tx, label, seq=seq, actor=who)

    return await store.write(work)
