"""Following a source ends when it is asked to, although a wait inside it swallowed that."""

import asyncio
from types import SimpleNamespace
from typing import Any

from soloist.flows.sources import Line, Sources


class Deaf(Sources):
    """Pulls for good, and takes no notice when it is cancelled."""

    def __init__(self) -> None:
        self._running, self._lines, self.pulling = True, {}, asyncio.Event()

    async def pull_once(self, half: Any, stream: Any) -> bool:
        self.pulling.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return False
        return False

    async def _works(self, line: Line) -> None:
        """Nothing is written down here."""


async def test_a_swallowed_cancelling_does_not_keep_it_from_stopping():
    sources = Deaf()
    stream: Any = SimpleNamespace(name="inbox", past=False, every=60.0, watched=False)
    half: Any = SimpleNamespace(name="post")
    sources._lines = {("post", "inbox"): sources._begin(half, stream)}
    await sources.pulling.wait()
    await asyncio.wait_for(sources.stop(), 30)
    assert sources._lines == {}
