"""Waking: notices that the machine slept or its clock was set, writes it down, and has what waits looked at again.

It compares three clocks between two ticks. The clock of the process stands still while the machine sleeps, the clock
since boot (where the system has one) does not, and only the wall clock can be set. A process that was itself stopped
sees all of them jump together. It changes nothing about effects: they are re-checked right before they go out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import SoloistError

WOKE = "machine.woke"
"""Kind of the event after a sleep: {slept_seconds}."""
JUMPED = "clock.jumped"
"""Kind of the event after the wall clock was set: {seconds}, below zero when it went back."""
EVERY = 2.0
"""Seconds between two ticks."""
SHORTEST_SLEEP = 30.0
"""Seconds that have to be missing before it counts as sleep; a busy machine loses some without sleeping."""
SMALLEST_JUMP = 30.0
"""Seconds by which the wall clock must differ; below that it is the time service at its work."""
PATIENCE = 30.0
"""Seconds each callback gets; the next one is called all the same."""

Callback = Callable[[float], Awaitable[None]]
"""Called with the seconds that were slept (0 after a jump of the clock)."""


@dataclass(frozen=True)
class Reading:
    """The clocks at one moment, in seconds; ``boot`` counts sleep and is None where the system has no such clock."""

    process: float
    wall: float
    boot: float | None


@dataclass(frozen=True)
class Gap:
    """What happened between two readings, in seconds; 0 for nothing."""

    slept: float = 0.0
    jumped: float = 0.0


def read_clocks() -> Reading:
    """The clocks of this machine now."""
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else None
    return Reading(time.monotonic(), time.time(), boot)


def compare(before: Reading, after: Reading, *, every: float, shortest: float = SHORTEST_SLEEP) -> Gap:
    """Sleep and jumps between two ticks that should be ``every`` seconds apart.

    Without a clock since boot a jump forward looks like sleep; it is told as sleep, which only makes us look again.
    """
    process, wall = after.process - before.process, after.wall - before.wall
    real = max(process, wall)
    if before.boot is not None and after.boot is not None:
        real = after.boot - before.boot
    slept, jumped = real - every, wall - real
    return Gap(slept if slept >= shortest else 0.0, jumped if abs(jumped) >= SMALLEST_JUMP else 0.0)


def shortest_sleep() -> float:
    """The threshold: SOLOIST_WAKE_AFTER in seconds (at least 1), else the usual one."""
    try:
        return max(1.0, float(os.environ["SOLOIST_WAKE_AFTER"]))
    except (KeyError, ValueError):
        return SHORTEST_SLEEP


class Waking:
    """One task of a server. ``callbacks`` are called in their order: first what takes in, then what sends."""

    def __init__(
        self,
        store: Store,
        callbacks: Sequence[Callback],
        *,
        clocks: Callable[[], Reading] = read_clocks,
        every: float = EVERY,
    ) -> None:
        """Nothing runs before ``start``."""
        self._store, self._callbacks, self._clocks = store, callbacks, clocks
        self._shortest = shortest_sleep()
        self._every = min(every, self._shortest)
        self._task: asyncio.Task[None] | None = None
        self._log = logging.getLogger("soloist.waking")
        self.woke = 0

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End the watch."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        """Tick for as long as the server runs."""
        before = self._clocks()
        while True:
            await asyncio.sleep(self._every)
            after = self._clocks()
            await self.look(before, after)
            before = after

    async def look(self, before: Reading, after: Reading) -> Gap:
        """Compare two readings; after a sleep or a jump write it down and call everyone."""
        gap = compare(before, after, every=self._every, shortest=self._shortest)
        if gap.slept:
            self.woke += 1
            self._log.warning("the machine or this process slept for %.0f s; looking at everything again", gap.slept)
        if gap.jumped:
            self._log.warning("the clock of the machine was set by %+.0f s", gap.jumped)
        if gap.slept or gap.jumped:
            await self._guarded("the journal", self._note(gap))
            for callback in self._callbacks:
                await self._guarded(getattr(callback, "__qualname__", "a callback"), callback(gap.slept))
        return gap

    async def _note(self, gap: Gap) -> None:
        """One event for each thing that happened."""

        def work(tx: Tx) -> None:
            if gap.slept:
                tx.append(WOKE, payload={"slept_seconds": round(gap.slept)})
            if gap.jumped:
                tx.append(JUMPED, payload={"seconds": round(gap.jumped)})

        await self._store.write(work, full=False)

    async def _guarded(self, name: str, work: Awaitable[None]) -> None:
        """Wait for it, though not for ever; what fails is logged and keeps nobody else from waking."""
        try:
            await asyncio.wait_for(work, PATIENCE)
        except TimeoutError:
            self._log.warning("%s did not finish within %.0f s of waking", name, PATIENCE)
        except (SoloistError, OSError, ValueError):
            self._log.exception("%s failed on waking", name)
