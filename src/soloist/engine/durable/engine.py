"""The adapter around DBOS: the only module that knows it; starts flows, parks them, wakes them, recovers them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, SetWorkflowID
from dbos import _serialization as serialization
from dbos._core import WorkflowHandleAsyncTask
from dbos._dbos import _get_dbos_instance
from sqlalchemy.exc import DBAPIError

from soloist.engine import calls, failpoint
from soloist.engine.durable import fastwake, missed, suspects
from soloist.engine.durable.room import Room
from soloist.engine.store import base
from soloist.engine.store import calls as kept_calls
from soloist.engine.store.runs import asked_for, begin, listening, pending_runs, still_pending
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import SoloistError, StoreTrouble
from soloist.sdk.flow import Flow

PINNED = "3.4.0"
VERSION = "soloist"
"""Constant on purpose: with a version made from the source every parked run would be stranded by an upgrade."""
BUSY = 16
"""Flows that do not park and run at the same time."""
BESIDE_WORKERS = 2
"""The same in a server that has workers beside it: it keeps its time for the console."""
POOL = 20
"""Connections to Postgres that the library may open."""
PATIENCE = 1.0
"""Seconds between two tries to write down that a run begins or ends."""
EVERY_TENTH = 10
"""Looks for pending runs (two a second) between two looks for lost wake-ups."""
QUIET = 2.0
"""Seconds after a launch before a run goes on in whose middle the process ended several times."""
_ATTEMPTS = 1_000_000
_log = logging.getLogger("soloist.engine")

Finish = Callable[[str, Exception | None], Awaitable[None]]
"""Told once when a run ends: its id and what went wrong, or None."""
Kept = Callable[[str, str, Sequence[calls.Call]], Awaitable[None]]
"""Keeps what the skills of a step were given and answered: (run, step, calls)."""


def _forbid_pickle() -> None:
    """DBOS would unpickle a row that is marked so, whatever serialiser is set: refuse, for good."""

    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise ValueError("pickled rows are refused")

    serialization.DefaultSerializer.serialize = refuse  # type: ignore[method-assign]  # closing a door
    serialization.DefaultSerializer.deserialize = refuse  # type: ignore[method-assign]  # closing a door


class Do:
    """The verbs of one run (``sdk.flow.Verbs``)."""

    def __init__(self, run: str, kept: Kept) -> None:
        """``run`` is the id of the run, the same after every restart; ``kept`` keeps the calls of its skills."""
        self.run = run
        self._kept = kept

    async def step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """A durable step; faults that say "retry" are tried four times with growing pauses."""
        options: Any = {
            "name": name,
            "retries_allowed": True,
            "max_attempts": 4,
            "interval_seconds": 0.5,
            "backoff_rate": 3.0,
            "should_retry": _try_again,
        }

        async def once(*given: Any) -> Any:
            failpoint.hit(f"before:{name}")
            with calls.collecting() as made:
                answer = await work(*given)
            if made:
                await self._kept(self.run, name, made)
            failpoint.hit(f"after:{name}")
            return answer

        return await DBOS.run_step_async(options, once, self.run, *args)

    async def wait_for(self, topic: str, seconds: float) -> Any:
        """Park without a thread; None when the time is over."""
        return await DBOS.recv_async(topic, timeout_seconds=max(0.0, seconds))

    async def sleep(self, seconds: float) -> None:
        """A durable pause."""
        await DBOS.sleep_async(max(0.0, seconds))

    async def patched(self, name: str) -> bool:
        """A patch marker: False in runs that began before it."""
        return bool(await DBOS.patch_async(name))


async def _the_end() -> None:
    """Wait for the end of a process that is being ended: a run that returned now would count as failed for good."""
    await asyncio.get_running_loop().create_future()


def _cause(error: Exception) -> Exception:
    """The fault of a step's last try, instead of the library's word that there were several."""
    tries = getattr(error, "errors", None)
    return tries[-1] if isinstance(tries, list) and tries and isinstance(tries[-1], Exception) else error


def _try_again(error: BaseException) -> bool:
    """Only faults that say so are tried again by themselves, and those of a database that is away for a moment."""
    if isinstance(error, StoreTrouble | DBAPIError):
        return True
    return isinstance(error, SoloistError) and error.turn == "retry"


class Engine:
    """One per process. ``launch`` recovers what a former process left, then starts what is pending."""

    def __init__(
        self,
        store: Store,
        flows: Sequence[Flow],
        *,
        executor: str,
        finish: Finish,
        others: Callable[[], int] = lambda: 0,
        leaves: bool = False,
    ) -> None:
        """Register the flows under explicit names; nothing runs before ``launch``.

        ``executor`` is unique among the processes of a database, ``others`` answers how many other ones live, and
        one that ``leaves`` lets those others take what they can.
        """
        _check_pin()
        _forbid_pickle()
        self._store = store
        self._flows = {flow.name: flow for flow in flows}
        self._finish = finish
        self._others = others
        self._room = Room(lambda: BESIDE_WORKERS if leaves and others() else BUSY)
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting: set[str] = set()
        self._told = threading.Event()
        DBOS(config=self._config(executor))
        self._bodies = {name: self._register(flow) for name, flow in self._flows.items()}
        self._stop = asyncio.Event()

    def _config(self, executor: str) -> Any:
        """Settings that differ from the library's own and why: see the engine notes in ARCHITECTURE.md."""
        config: dict[str, Any] = {
            "name": "soloist",
            "application_version": VERSION,
            "executor_id": executor,
            "serializer": DBOSPortableJSONSerializer(),
            "max_executor_threads": 32,
            "log_level": "ERROR",
            "notification_listener_polling_interval_sec": 1.0,
        }
        if base.is_sqlite(self._store.url):
            self._told = fastwake.install(base.sqlite_module(), self._store.url.removeprefix("sqlite:///"))
            config["system_database_engine"] = base.checkpointing(self._store.url)
        else:
            config["system_database_url"] = self._store.url
            config["sys_db_pool_size"] = POOL
        return config

    def _register(self, flow: Flow) -> Callable[[str], Any]:
        """Make a durable workflow of a flow; its end is written to our own run row."""

        async def body(value: str) -> str:
            run = DBOS.workflow_id or ""
            await self._patiently(lambda: self._store.write(lambda tx: begin(tx, run), full=False))
            try:
                await flow.body(Do(run, self._keep_calls), value)
            except Exception as error:  # noqa: BLE001  # whatever a flow fails with becomes a card, never silence
                if self._stop.is_set():
                    await _the_end()
                cause = _cause(error)
                await self._patiently(lambda: self._finish(run, cause))
                return "failed"
            await self._patiently(lambda: self._finish(run, None))
            return "done"

        body.__qualname__ = body.__name__ = f"flow_{flow.name}"
        return DBOS.workflow(name=f"soloist.{flow.name}", max_recovery_attempts=_ATTEMPTS)(body)

    async def _keep_calls(self, run: str, step: str, made: Sequence[calls.Call]) -> None:
        """What the skills of a step were given and answered, so that it can be done again."""
        await self._store.write(lambda tx: kept_calls.keep(tx, run, step, made), full=False)

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin or end a run although the disk is full or locked for a while: else nobody would hear of it again."""
        while True:
            try:
                return await work()
            except StoreTrouble:
                if self._stop.is_set():
                    await _the_end()
                await asyncio.sleep(PATIENCE)

    async def launch(self) -> None:
        """Open the engine's tables, go on with interrupted runs, start pending ones, and keep looking for more."""
        loop = asyncio.get_running_loop()
        alone = await self._set_aside() if base.is_sqlite(self._store.url) else []
        await asyncio.to_thread(DBOS.launch)
        self._store.writer.send = sender(self._store.url)

        def announce(found: list[str]) -> None:
            loop.call_soon_threadsafe(self._notice, found)

        self._store.writer.on_starts = announce
        self._store.writer.on_sent = self._told.set
        self._notice(await self._store.read(pending_runs))
        self._tasks.add(asyncio.create_task(self._look_for_more()))
        if alone:
            self.beside(self._one_by_one(alone))

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something for as long as this engine runs."""
        self._tasks.add(asyncio.create_task(work))

    async def dead_letters(self) -> list[tuple[str, str]]:
        """Runs that the library has given up and that have not ended for us: (run, why)."""
        return await self._store.read(lambda conn: suspects.dead(conn, VERSION))

    async def _set_aside(self) -> list[str]:
        """Runs in whose middle the last processes ended: some go on alone, others not without a person's word."""
        parking = [flow.name for flow in self._flows.values() if flow.parks]

        def work(tx: Tx) -> dict[str, int]:
            counted = suspects.count(tx, suspects.working(tx.conn, parking))
            aside = {run: ends for run, ends in counted.items() if ends >= suspects.ALONE}
            suspects.set_aside(tx, list(aside))
            return aside

        aside = await self._store.write(work, full=False)
        for run, ends in aside.items():
            if ends >= suspects.MOST:
                await self._finish(run, SoloistError(suspects.WHY.format(count=ends)))
        return [run for run, ends in aside.items() if ends < suspects.MOST]

    async def _one_by_one(self, found: Sequence[str]) -> None:
        """Go on with each suspect once everything else had a start, one at a time."""
        await asyncio.sleep(QUIET)
        for run in found:
            await self._store.write(partial(suspects.goes_on, run=run))
            handle = await DBOS.resume_workflow_async(run)
            with contextlib.suppress(Exception):  # how it ends is told by the run itself
                await handle.get_result(polling_interval_sec=0.1)

    async def close(self) -> None:
        """Stop starting runs; parked and interrupted ones go on at the next launch."""
        self._stop.set()
        self._store.writer.on_starts = lambda _runs: None
        self._store.writer.on_sent = lambda: None
        for task in self._tasks:
            task.cancel()
        # The library ends the loop's own threads with itself; whoever uses the loop after it gets new ones.
        threads = ThreadPoolExecutor(thread_name_prefix="soloist")
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(threads, DBOS.destroy)
        finally:
            loop.set_default_executor(threads)
        await _clear_away()

    async def recover(self, executors: Sequence[str]) -> None:
        """Free the unfinished runs of dead executors: whichever process is first goes on with each, exactly one."""
        await asyncio.to_thread(DBOS._recover_pending_workflows, list(executors))

    async def _look_for_more(self) -> None:
        """Rows that another process committed have no one to announce them, lost wake-ups on Postgres neither."""
        for look in itertools.count(1):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 0.5)
            if self._stop.is_set():
                return
            try:
                self._notice(await self._store.read(pending_runs))
                await self._room.changed()
                if look % EVERY_TENTH == 0 and not base.is_sqlite(self._store.url):
                    await asyncio.to_thread(missed.wake, _get_dbos_instance()._sys_db)
            except Exception as error:  # noqa: BLE001  # a database that is away for a while must not end this loop
                _log.warning("could not look for runs to begin: %s", error)

    def _notice(self, runs: Sequence[str]) -> None:
        """Begin each pending run once in this process."""
        for run in runs:
            if run not in self._starting:
                self._starting.add(run)
                task = asyncio.create_task(self._begin(run))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _begin(self, run: str) -> None:
        """Start one run under its own id; a run that does not park holds a place until it is done."""
        try:
            found = await self._store.read(lambda conn: asked_for(conn, run))
            if found is not None:
                await self._begin_as(run, *found)
        except Exception as error:  # noqa: BLE001  # the row is still pending, so the next look begins it again
            _log.warning("run %s could not be begun yet: %s", run, error)
        finally:
            self._starting.discard(run)

    async def _begin_as(self, run: str, flow: str, value: str) -> None:
        """The same with what is known of the run."""
        if self._flows[flow].parks:
            await self._start(run, flow, value)
            return
        async with self._room:
            if self._others() and await self._store.read(lambda conn: not still_pending(conn, run)):
                return  # another process was quicker
            handle = await self._start(run, flow, value)
            if not self._others() or isinstance(handle, WorkflowHandleAsyncTask):
                await handle.get_result(polling_interval_sec=0.05)

    async def _start(self, run: str, flow: str, value: str) -> Any:
        """The same id gives the same run, however often it is started."""
        with SetWorkflowID(run):
            return await DBOS.start_workflow_async(self._bodies[flow], value)


async def _clear_away() -> None:
    """End what the library left of parked runs; they are in the database and go on at the next launch.

    Left to the garbage collector, the library's clean-up would ask for a thread at a random moment: also while a lock
    of the thread pool is held by the very line that is running, which never ends (seen).
    """
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and _of_library(task)]
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=2.0)
    gc.collect()


def _of_library(task: asyncio.Task[Any]) -> bool:
    """Whether a task runs a coroutine of the durable library."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and f"{os.sep}dbos{os.sep}" in code.co_filename


def _check_pin() -> None:
    """This module uses names that only the pinned version is known to have."""
    if version("dbos") != PINNED:
        raise SoloistError(f"dbos {version('dbos')} is installed; this version of Soloist needs exactly {PINNED}.")


def sender(url: str) -> Callable[[sa.Connection, str, str, Any], None]:
    """A function that puts a message for a parked run into the caller's own transaction."""
    _forbid_pickle()
    options: Any = {"serializer": DBOSPortableJSONSerializer()}
    if base.is_sqlite(url):
        options["system_database_engine"] = base.checkpointing(url, pool=1)
    else:
        options["system_database_url"] = url
    client = DBOSClient(**options)
    schema = None if base.is_sqlite(url) else "dbos"
    table = "workflow_status" if schema is None else f"{schema}.workflow_status"
    known = sa.text(f"SELECT 1 FROM {table} WHERE workflow_uuid=:run")  # noqa: S608  (a constant name)

    launched = False

    def send(conn: sa.Connection, run: str, topic: str, message: Any) -> None:
        nonlocal launched
        launched = launched or sa.inspect(conn).has_table("workflow_status", schema=schema)
        if not launched:
            return  # no run has ever begun on this home
        hears = listening(conn, run)
        # A run that has not begun reads its row when it begins, so it needs no message.
        if conn.execute(known, {"run": hears}).first() is not None:
            client.send_in_transaction(conn, hears, message, topic)

    return send
