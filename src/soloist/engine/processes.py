"""Presence: this process among those of one home; its lock says that it lives, and it looks after those that died."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from soloist.engine.lock import DatabaseLock, ServerLock
from soloist.engine.store import base, settings, workers
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import StoreTrouble

TICK = 1.0
"""Seconds between two looks at the others; one whose lock is free at two looks is dead."""
GRACE = 5.0
"""Seconds after we lost our own lock in which others are not judged: a restart of Postgres frees every lock."""
SEEN, SEEN_ALONE = 10.0, 60.0
"""Seconds between two marks that this process is there; for people, nothing depends on them."""
EVERY_FIFTH = 5
"""Looks between two searches for runs without a process, when nobody died."""

MARK = "keys.mark"
"""Setting that says by which keys the server of this database works."""

Sweep = Callable[[Tx], int]
"""Makes what dead processes were calling unknown; answers how many effects."""
Recover = Callable[[Sequence[str]], Awaitable[None]]
"""Lets the living go on with the runs of these executors."""


class Presence:
    """On SQLite one process is alone and the lock of the home proves it. On Postgres each holds a lock of its own."""

    def __init__(self, store: Store, server: ServerLock, boot: str, *, sweep: Sweep, mark: str) -> None:
        """``boot`` names this start of this process; ``mark`` is the same for processes with the same keys."""
        self._store, self._server, self._boot, self._sweep, self._mark = store, server, boot, sweep, mark
        self._alone = base.is_sqlite(store.url)
        self._lock = DatabaseLock(store.url, workers.number(boot))
        self._task: asyncio.Task[None] | None = None
        self._suspects: set[str] = set()
        self._looks = 0
        self._seen = 0.0
        self._log = logging.getLogger("soloist.processes")
        self.executor = "soloist" if self._alone else boot
        self.kind = "server"
        self.others = 0
        """How many other processes lived at the last look."""
        self.fenced = False
        """Whether the lock is lost: nothing may leave until it is held again."""
        self.lost = False
        """Whether the others took this process for dead; it can only end."""

    async def begin(self, kind: str) -> None:
        """Take the lock, then write the row. On SQLite everyone else is dead, so that what they left is swept here."""
        if not self._alone and not await asyncio.to_thread(self._lock.held):
            raise StoreTrouble("Postgres refused the lock of this process. Nothing was started.")
        self.kind, self.fenced = kind, False
        row = {"kind": kind, "executor": self.executor, "host": socket.gethostname(), "pid": os.getpid()}

        def work(tx: Tx) -> None:
            self._compare(tx)
            if self._alone:
                workers.end_others(tx, self._boot)
            workers.begin(tx, self._boot, row)
            if self._alone:
                self._sweep(tx)

        await self._store.write(work)

    def _compare(self, tx: Tx) -> None:
        """Other keys would make other seals and other names for the same effect, so that nothing fits together."""
        known = settings.value(tx.conn, MARK)
        if self.kind == "server":
            if known != self._mark:
                settings.put(tx, MARK, self._mark)
        elif known not in ("", self._mark):
            raise StoreTrouble(
                "The keys of this home are not those of the server on this database. Nothing was started. "
                "Use the server's own home folder."
            )

    def watch(self, recover: Recover, lost: Callable[[], None]) -> None:
        """Look after the others until ``end``; ``lost`` is called once when this process was taken for dead."""
        self._task = asyncio.create_task(self._watch(recover, lost))

    async def end(self) -> None:
        """Leave in order: what is parked is free for the others."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._task = None
        with contextlib.suppress(StoreTrouble):
            await self._store.write(lambda tx: workers.end(tx, self._boot), full=False)
        self._lock.release()

    async def _watch(self, recover: Recover, lost: Callable[[], None]) -> None:
        """One look a tick; trouble with the database is told once and does not end the watch."""
        trouble = ""
        while True:
            try:
                if not await self._look(recover):
                    self.lost = True
                    self._log.error("this process was taken for dead, and its work goes on elsewhere; it ends now")
                    return lost()
                trouble = ""
            except Exception as error:  # noqa: BLE001  # a database that is away for a while must not end the watch
                if trouble != type(error).__name__:
                    self._log.warning("the other processes cannot be seen: %s", error)
                trouble = type(error).__name__
            await asyncio.sleep(SEEN_ALONE if self._alone else TICK)

    async def _look(self, recover: Recover) -> bool:
        """One look; False when this process is marked as ended."""
        if not self._alone:
            await self._hold()
            rows = await self._store.read(workers.living)
            if self._boot not in {row["boot"] for row in rows}:
                self.fenced = True
                return False
            self.others = len(rows) - 1
            if not self.fenced:
                await self._look_after(recover)
        if self._alone or time.monotonic() - self._seen > SEEN:
            self._seen = time.monotonic()
            await self._store.write(lambda tx: workers.see(tx, self._boot), full=False)
        return True

    async def _hold(self) -> None:
        """Know whether the lock is still ours; without it nothing leaves."""
        held = await asyncio.to_thread(lambda: self._lock.held() and (self.kind != "server" or self._server.kept()))
        if self.fenced == held:
            self._log.warning("the lock is held again" if held else "the lock is lost; nothing leaves until it is back")
        self.fenced = not held

    async def _look_after(self, recover: Recover) -> None:
        """Mark the dead, make what they were calling unknown, let their runs go on here or elsewhere."""
        unheld = await self._store.read(workers.unheld)
        if time.monotonic() - self._lock.lost_at < GRACE:
            unheld = []  # what cut our line may have cut theirs
        dead = [row for row in unheld if row["boot"] in self._suspects]
        self._suspects = {row["boot"] for row in unheld}
        for row in dead:
            await self._take_over(row)
        self._looks += 1
        if dead or self._looks % EVERY_FIFTH == 1:
            left = await self._store.read(workers.orphans)
            if left:
                await recover(left)

    async def _take_over(self, row: dict[str, Any]) -> None:
        """Mark one process as ended, if nobody else does, and sweep, in one transaction."""

        def work(tx: Tx) -> int | None:
            if not workers.seize(tx, row["boot"]):
                return None
            unknown = self._sweep(tx)
            told = {"kind": row["kind"], "host": row["host"], "pid": row["pid"], "unknown": unknown}
            tx.append("process.died", subject=row["boot"], payload=told)
            return unknown

        if await self._store.write(work) is not None:
            self._log.warning(
                "the %s with process id %s on %s died; its work goes on", row["kind"], row["pid"], row["host"]
            )
