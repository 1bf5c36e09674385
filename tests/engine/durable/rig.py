"""Small flows that count what they do in the store, an engine around them, and a process that can be killed."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dbos import _dbos as dbos_internals

from soloist.engine.durable import Engine, sender
from soloist.engine.durable.engine import BUSY
from soloist.engine.lock import ServerLock
from soloist.engine.processes import Presence
from soloist.engine.store import runs, settings
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import WorkerTrouble
from soloist.sdk.flow import Flow, Verbs

ROOT = Path(__file__).parents[3]
EXECUTOR = "test"


def bump(tx: Tx, key: str) -> int:
    """Count one more."""
    number = int(settings.value(tx.conn, key) or 0) + 1
    settings.put(tx, key, str(number))
    return number


def counted(store: Store, key: str) -> int:
    return int(store.read_now(lambda c: settings.value(c, key)) or 0)


class Steps:
    """Flows whose steps count how often they were entered and how often their work was done."""

    def __init__(self, store: Store, *, die: str = "") -> None:
        """After the commit of the step called ``die`` this process ends as in a power cut."""
        self.store, self.die = store, die
        self.busy = self.most = 0

    async def tick(self, run: str, name: str, said: Any = None) -> Any:
        def work(tx: Tx) -> Any:
            bump(tx, f"entered {run} {name}")
            bump(tx, f"process {os.getpid()}")
            return runs.once(tx, run, name, lambda: bump(tx, f"done {run} {name}"), given=said)

        answer = await self.store.write(work)
        if name == self.die:
            os._exit(137)
        return answer

    async def look(self, _run: str, value: str) -> str:
        return await self.store.read(lambda c: settings.value(c, f"decided {value}"))

    async def parked(self, do: Verbs, value: str) -> None:
        await do.step("before", self.tick, "before")
        said = await do.step("look", self.look, value) or await do.wait_for("decided", 300)
        await do.step("after", self.tick, "after", said)

    async def patched(self, do: Verbs, value: str) -> None:
        """The same flow after a change of its code."""
        await do.step("before", self.tick, "before")
        if await do.patched("check twice"):
            await do.step("check", self.tick, "check")
        said = await do.step("look", self.look, value) or await do.wait_for("decided", 300)
        await do.step("after", self.tick, "after", said)

    async def straight(self, do: Verbs, value: str) -> None:
        await do.step("one", self.tick, "one")
        await do.step("two", self.tick, "two")

    async def slow(self, do: Verbs, value: str) -> None:
        self.busy += 1
        self.most = max(self.most, self.busy)
        for _ in range(1500):  # until all places are taken, however slowly runs begin
            if self.most >= BUSY:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        self.busy -= 1

    async def failing(self, do: Verbs, value: str) -> None:
        await do.step("one", self.fail)

    async def fail(self, _run: str) -> None:
        raise ValueError("the price list has no line for this")

    async def stubborn(self, do: Verbs, value: str) -> None:
        await do.step("try", self.third_time)

    async def third_time(self, run: str) -> None:
        if await self.store.write(lambda tx: bump(tx, f"tries {run}")) < 3:
            raise WorkerTrouble

    async def finish(self, run: str, error: Exception | None) -> None:
        state, said = ("failed", str(error)) if error else ("done", "")
        await self.store.write(lambda tx: runs.move(tx, run, state, error=said))

    def flows(self) -> list[Flow]:
        parking = [Flow(name, getattr(self, name), parks=True) for name in ("parked", "patched")]
        return parking + [Flow(name, getattr(self, name)) for name in ("straight", "slow", "failing", "stubborn")]


def start(store: Store, flow: str, *values: str) -> list[str]:
    """Ask for runs as an accepted event does; their ids."""
    idents = [f"{flow}:{value}" for value in values]

    def work(tx: Tx) -> None:
        for ident, value in zip(idents, values, strict=True):
            tx.start(ident, flow, value)

    store.write_now(work)
    return idents


def decide(store: Store, run: str, said: Any = "yes") -> None:
    """Wake a run with a decision, in one transaction with its row."""

    def work(tx: Tx) -> None:
        settings.put(tx, f"decided {run.partition(':')[2]}", json.dumps(said))
        tx.send(run, "decided", said)

    store.write_now(work)


def outside(url: str) -> Store:
    """A store as the command line has it: it can send and runs nothing."""
    store = Store(url)
    store.writer.send = sender(url)
    return store


def states(store: Store, *idents: str) -> set[str]:
    return {store.read_now(lambda c, i=i: runs.get(c, i)["state"]) for i in idents}  # type: ignore[misc]


def until(true: Callable[[], Any], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not true within {seconds:.0f} s"
        time.sleep(0.005)


async def ended(store: Store, *idents: str, seconds: float = 120.0) -> set[str]:
    """The states of runs when all of them have ended."""
    await asyncio.to_thread(until, lambda: states(store, *idents) <= {"done", "failed"}, seconds)
    return states(store, *idents)


async def looked(store: Store, *idents: str) -> None:
    """Wait until runs are about to park."""
    await asyncio.to_thread(until, lambda: all(counted(store, f"done {i} before") for i in idents))


def system() -> Any:
    """The database object of the engine that runs in this process."""
    return dbos_internals._get_dbos_instance()._sys_db


async def parked(*idents: str) -> None:
    """Wait until runs of this process are parked."""
    wanted = {f"{ident}::decided" for ident in idents}
    await asyncio.to_thread(until, lambda: wanted <= {entry[0] for entry in system().notifications_map.snapshot()})


@asynccontextmanager
async def running(store: Store, flows: Sequence[Flow], finish: Any) -> AsyncIterator[Engine]:
    """A launched engine in this process."""
    engine = Engine(store, flows, executor=EXECUTOR, finish=finish)
    await engine.launch()
    try:
        yield engine
    finally:
        await engine.close()
        logging.getLogger("dbos").handlers.clear()  # they keep the output of the test that made them


def present(store: Store, boot: str) -> Presence:
    """This process as a worker among others, with nothing to sweep."""
    lock = ServerLock(Path("none.lock"), store.url)
    return Presence(store, lock, boot, sweep=lambda _tx: 0, mark="m")


@asynccontextmanager
async def among_others(store: Store, flows: Sequence[Flow], finish: Any) -> AsyncIterator[Presence]:
    """A launched engine beside those of other processes, as the product starts one."""
    presence = present(store, uuid.uuid4().hex)
    await presence.begin("worker")
    engine = Engine(store, flows, executor=presence.executor, finish=finish, others=lambda: presence.others)
    await engine.launch()
    presence.watch(engine.recover, lambda: None)
    try:
        yield presence
    finally:
        await engine.close()
        await presence.end()


class Child:
    """A process with an engine on a database; ``kill`` is what the operating system does to it in the worst case."""

    def __init__(self, url: str, *, die: str = "", peer: bool = False) -> None:
        """A ``peer`` looks after the others and is looked after."""
        words = [sys.executable, "-m", "tests.engine.durable.rig", url, die, "peer" if peer else ""]
        path = {"PYTHONPATH": str(ROOT / "src")}
        self.process = subprocess.Popen(words, cwd=ROOT, env={**os.environ, **path}, stdin=subprocess.PIPE)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def died(self) -> int:
        return self.process.wait(30)


async def main(url: str, die: str, peer: str) -> None:
    """The child: run until it is killed or its parent is gone."""
    store = Store(url)
    steps = Steps(store, die=die)
    async with (among_others if peer else running)(store, steps.flows(), steps.finish):
        await asyncio.to_thread(sys.stdin.read)
    store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
