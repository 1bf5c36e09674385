"""Room: places for runs at work, as many as there are at the moment; knows nothing of runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Room:
    """``async with`` waits for a place. How many there are may change; ``changed`` has those who wait look again."""

    def __init__(self, places: Callable[[], int]) -> None:
        """``places`` answers how many may be taken."""
        self._places = places
        self._taken = 0
        self._look = asyncio.Condition()

    async def __aenter__(self) -> None:
        """Wait for a place and take it."""
        async with self._look:
            await self._look.wait_for(lambda: self._taken < self._places())
            self._taken += 1

    async def __aexit__(self, *_error: object) -> None:
        """Leave the place."""
        async with self._look:
            self._taken -= 1
            self._look.notify()

    async def changed(self) -> None:
        """There may be more places than before."""
        async with self._look:
            self._look.notify_all()
