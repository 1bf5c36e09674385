"""At once: the verbs of a durable run for what is none: nothing is remembered, or the ledger remembers it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

SHORT = 3.0
"""Seconds that are waited for in the step itself."""


class AtOnce:
    """The verbs of what is no durable run: a command, a test."""

    def __init__(self, run: str) -> None:
        """``run`` is what the steps are told."""
        self.run = run

    async def step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Do it now."""
        return await work(self.run, *args)

    async def sleep(self, wait: float) -> None:
        """Wait here."""
        await asyncio.sleep(wait)


class Parked(Exception):  # no error: the way out of a step that has to wait
    """A model takes no question before ``seconds`` are over, and nobody waits for it in here."""

    def __init__(self, seconds: float) -> None:
        """Seconds from now."""
        super().__init__(f"waits {seconds:g} s for a model")
        self.seconds = seconds


class Parking(AtOnce):
    """The verbs of one durable step whose tries are rows of the ledger: a long wait ends the step (``Parked``).

    Whoever did the step waits durably and does it again with one more ``waited``: tries that have ended answer from
    their rows, waits that are over are passed, and the next try is the first that asks anybody.
    """

    def __init__(self, run: str, waited: int) -> None:
        """``waited`` long waits are over."""
        super().__init__(run)
        self._over = waited

    async def sleep(self, wait: float) -> None:
        """Wait here when it is short."""
        if wait < SHORT:
            await asyncio.sleep(wait)
            return
        if self._over <= 0:
            raise Parked(wait)
        self._over -= 1
