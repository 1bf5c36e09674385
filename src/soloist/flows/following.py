"""Following: turns made one after another for as long as the server runs; what a turn does it does not know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pauses:
    """Seconds of rest: before the first turn, after one that found work, after one that found none, after a fault."""

    at_the_start: float
    breath: float
    look_every: float
    after_a_fault: float


async def follow(turn: Callable[[], Awaitable[object]], pauses: Pauses, *, log: str, trouble: str) -> None:
    """Make turn after turn until cancelled; a fault is written to ``log`` as ``trouble`` and the next try waits.

    A turn answers something true when there may be more to do.
    """
    await asyncio.sleep(pauses.at_the_start)
    while True:
        try:
            more = await turn()
            await asyncio.sleep(pauses.breath if more else pauses.look_every)
        except Exception:  # an edge: this work may come later, nothing else may stop for it
            logging.getLogger(log).exception(trouble)
            await asyncio.sleep(pauses.after_a_fault)


async def catch_up(turn: Callable[[], Awaitable[object]], within: float) -> None:
    """Make turns until one finds nothing to do, or until so many seconds are over."""
    end = time.monotonic() + within
    while time.monotonic() < end and await turn():
        pass
