"""Running: the engine is loaded and launched with the flows of this process, beside the watch for the others."""

from __future__ import annotations

import asyncio
import importlib
import signal
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from soloist.engine.lock import ServerLock
from soloist.engine.processes import Presence
from soloist.engine.store import migrate
from soloist.engine.store.store import Store
from soloist.flows import spending
from soloist.flows.troubles import Supervisor, Troubles
from soloist.kernel.hashing import keyed
from soloist.sdk.flow import Flow
from soloist.stages.effects import Effects


def presence(store: Store, lock: ServerLock, boot: str, effects: Effects, key: bytes) -> Presence:
    """This process among the others; while its lock is lost the effects stay where they are."""
    made = Presence(store, lock, boot, sweep=partial(spending.sweep_in, effects), mark=keyed(key, "mark"))
    effects.fenced = lambda: made.fenced
    return made


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
    if presence.kind == "server":
        engine.beside(Supervisor(store, engine.dead_letters).follow())
    presence.watch(engine.recover, _leave)
    return engine


def beside(*work: Coroutine[Any, Any, None]) -> Callable[[], None]:
    """Start what runs beside the engine for as long as the process lives; calling the answer ends all of it."""
    tasks = [asyncio.create_task(one) for one in work]

    def end() -> None:
        for task in tasks:
            task.cancel()

    return end


def not_prepared(url: str) -> str:
    """Why a worker cannot begin on this database: "" when a server of this version has prepared it (StoreTrouble)."""
    found = migrate.version_of(url)
    if found == migrate.HEAD:
        return ""
    has = f"has schema {found}, this version works with {migrate.HEAD}" if found else "is empty"
    return f"The database {has}. Nothing was started. Start the server first: soloist up --database ..."


def _leave() -> None:
    """End in order: others have taken over what this process was doing."""
    signal.raise_signal(signal.SIGTERM)
