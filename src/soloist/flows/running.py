"""Running: the engine is loaded and launched with the flows of this process, beside the watch for the others."""

from __future__ import annotations

import asyncio
import importlib
import signal
from collections.abc import Sequence
from typing import Any

from soloist.engine.processes import Presence
from soloist.engine.store.store import Store
from soloist.flows.troubles import Troubles
from soloist.sdk.flow import Flow


async def launch(store: Store, flows: Sequence[Flow], presence: Presence) -> Any:
    """The running engine; it is imported here, on a thread, so that the first page does not wait for it."""
    durable = await asyncio.to_thread(importlib.import_module, "soloist.engine.durable")
    engine = durable.Engine(
        store,
        flows,
        executor=presence.executor,
        finish=Troubles(store).finished,
        others=lambda: presence.others,
        leaves=presence.kind == "server",
    )
    await engine.launch()
    presence.watch(engine.recover, _leave)
    return engine


def _leave() -> None:
    """End in order: others have taken over what this process was doing."""
    signal.raise_signal(signal.SIGTERM)
