"""Sources: every connection that can be pulled is pulled for as long as the server runs; a fault pauses only itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from soloist.engine.registry import ReadingHalf
from soloist.kernel.errors import SoloistError
from soloist.sdk import Arrival
from soloist.stages.intake import Intake

TOO_LARGE = "mail.too_large"
EVERY = 0.5
"""Seconds between two looks at a local folder."""
PAUSE = 30.0
"""Seconds before a source that failed is asked again."""


class Sources:
    """One loop for each source."""

    def __init__(self, intake: Intake, connections: Mapping[str, ReadingHalf], names: Iterable[str]) -> None:
        """``names`` are the connections that are pulled."""
        self._intake = intake
        self._halves = [connections[name] for name in names if name in connections]
        self._tasks: list[asyncio.Task[None]] = []
        self.troubles: dict[str, str] = {}
        self._log = logging.getLogger("soloist.sources")

    def start(self) -> None:
        """Begin to pull."""
        self._tasks = [asyncio.create_task(self._watch(half)) for half in self._halves]

    async def stop(self) -> None:
        """Stop; what was not committed is still where it came from."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _watch(self, half: ReadingHalf) -> None:
        """Pull again and again; a fault is told once and tried again after a pause."""
        while True:
            try:
                await self.pull_once(half)
                self.troubles.pop(half.name, None)
                await asyncio.sleep(EVERY)
            except (SoloistError, OSError, ValueError) as error:
                if self.troubles.get(half.name) != str(error):
                    self._log.warning("source %s failed: %s", half.name, error)
                self.troubles[half.name] = str(error)
                await asyncio.sleep(PAUSE)

    async def pull_once(self, half: ReadingHalf) -> int:
        """Take in everything that waits; each arrival is put aside only after its commit. Returns how many."""
        taken = 0
        async for page in half.pull(""):
            accepted = [(arrival, self._accept(half.name, arrival)) for arrival in page.arrivals]
            await asyncio.gather(*(work for _, work in accepted))
            for arrival, _ in accepted:
                await asyncio.to_thread(half.done_with, arrival)
            taken += len(accepted)
        return taken

    def _accept(self, source: str, arrival: Arrival) -> Coroutine[Any, Any, Any]:
        """Commit one arrival; of a mail over the limit only the beginning comes, and its file stays."""
        return self._intake.accept_mail(source, arrival.raw, origin=arrival.origin, cut=arrival.kind == TOO_LARGE)
