"""Overdue: an effect whose moment passed while the machine slept or was off waits until mail was read, then goes alone.

Right before an effect goes out its thread is read once more, which helps only when the mail of the meantime is in.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from soloist.engine.store import effects
from soloist.engine.store.clock import from_iso
from soloist.engine.store.store import Store
from soloist.engine.waking import shortest_sleep

SETTLE = 6.0
"""Seconds for the server to notice that it woke (two), and for mailboxes to answer."""
PACE = 0.2
"""Seconds between two overdue effects."""

Attempt = Callable[[str, str], Awaitable[dict[str, Any]]]


def overdue(store: Store, attempt: Attempt, *, settle: float = SETTLE, pace: float = PACE) -> Attempt:
    """``attempt`` with the wait before it for effects that should have gone long ago, one after the other."""
    guard, free = threading.Lock(), time.monotonic()

    def turn() -> float:
        """Seconds until it is this one's turn. Runs that the engine recovers have an event loop of their own, so that
        no lock of one loop would do."""
        nonlocal free
        with guard:
            now = time.monotonic()
            free = max(now, free) + pace
            return free - now

    async def when_settled(run: str, effect_id: str) -> dict[str, Any]:
        row = await store.read(lambda conn: effects.get(conn, effect_id))
        late = (store.clock() - from_iso(row["not_before"] or row["created"])).total_seconds()
        if not row["attempts"] and late >= shortest_sleep():
            await asyncio.sleep(settle)
            await asyncio.sleep(turn())
        return await attempt(run, effect_id)

    return when_settled
