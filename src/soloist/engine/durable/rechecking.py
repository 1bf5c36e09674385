"""Rechecking: has every parked run compare its deadline with the wall clock now, because timers stand still in sleep.

A parked run waits on a timer of the process and only then looks at the time. After a sleep that timer is late by what
was slept. It uses private names of the pinned library: ``_get_dbos_instance``, ``_sys_db.notifications_map`` with its
``snapshot``, and of the events in it ``_waiters``, ``_waiters_lock`` and ``_resolve`` (waking without a message).
"""

from __future__ import annotations

import asyncio

from dbos._dbos import _get_dbos_instance

PACE = 0.05
"""Seconds between two runs: what became due while the machine slept does not go out all at once."""


async def recheck(_slept: float = 0.0) -> None:
    """Wake each waiter once; one whose time is not over parks again, and no message is lost by it."""
    for _, _, key in _get_dbos_instance()._sys_db.notifications_map.snapshot():
        with key._lock:
            events = list(key._waiters)
        for event in events:
            with event._waiters_lock:
                waiting = list(event._waiters)
            for loop, future in waiting:
                loop.call_soon_threadsafe(event._resolve, future)
        await asyncio.sleep(PACE)
