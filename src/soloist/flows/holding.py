"""Interceding: a run is paused so that nothing of it leaves, taken over or let go on; nothing is lost."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import holds, runs
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk


async def hold(desk: Desk, run: str, *, who: str, why: str = "") -> dict[str, Any]:
    """Pause a run: reading, drafting and deciding go on, nothing of it leaves. {run, since, by, why} (NotFound)."""

    def work(tx: Tx) -> dict[str, Any]:
        runs.get(tx.conn, run)
        return holds.put(tx, run, who=who, why=why[:500])

    return await desk.store.write(work)


async def release(desk: Desk, run: str, *, who: str) -> bool:
    """Let a run go on; what waited to leave is looked at at once. False when it was not held (NotFound)."""

    def work(tx: Tx) -> bool:
        runs.get(tx.conn, run)
        lifted = holds.lift(tx, run, who=who)
        for effect in holds.below(tx.conn, run) if lifted else []:
            tx.send(effect["run"], "effect", {"state": "woken"})
        return lifted

    return await desk.store.write(work)
