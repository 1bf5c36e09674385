"""Wakes parked runs within milliseconds on SQLite, with one cheap look for all of them; decides nothing.

DBOS 3.4 on SQLite asks once a second for every waiter. This replaces that listener by one thread that looks when this
process has committed a message, and for messages of other processes reads ``PRAGMA data_version`` (no disk access)
again and again; only when some connection has committed, it reads the new message rows.
It uses private names of the pinned version, listed here: ``SQLiteSystemDatabase._notification_listener``,
``_notification_fallback_polling_interval``, ``notifications_map``, ``_run_background_processes``.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from dbos._sys_db import SystemDatabase
from dbos._sys_db_sqlite import SQLiteSystemDatabase

TICK = 0.04
"""Seconds between two looks for what other processes committed: a person at a terminal does not notice them."""
SAFETY = 30.0
RECHECK = 3600.0
_NEW = "SELECT rowid, destination_uuid, topic FROM notifications WHERE consumed=0 AND rowid>?"


def install(module: Any, path: str) -> threading.Event:
    """Replace the listener of the SQLite system database; ``module`` is pysqlite3, ``path`` the database file.

    Whoever sets the event after a commit of this process lets the listener look at once.
    """
    told = threading.Event()
    SystemDatabase._notification_fallback_polling_interval = RECHECK

    def listen(self: Any) -> None:
        while self._run_background_processes:
            connection = module.connect(path, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA busy_timeout=30000")
            # A locked file, a full disk, a table that is just being made: the thread that wakes everyone goes on.
            with contextlib.suppress(module.Error), contextlib.closing(connection):
                _watch(self, connection, told)
            time.sleep(TICK)

    SQLiteSystemDatabase._notification_listener = listen  # type: ignore[method-assign]  # the seam of this module
    return told


def _watch(database: Any, connection: Any, told: threading.Event) -> None:
    """Look when told and every tick; after a commit read new messages, and all open ones every half minute."""
    last_row, version, next_full = 0, None, 0.0
    while database._run_background_processes:
        now_version = connection.execute("PRAGMA data_version").fetchone()[0]
        if now_version != version or time.monotonic() > next_full:
            if time.monotonic() > next_full:
                last_row, next_full = 0, time.monotonic() + SAFETY
            version = now_version
            last_row = _wake(database, connection, last_row)
        if told.wait(TICK):
            told.clear()


def _wake(database: Any, connection: Any, after: int) -> int:
    """Signal the waiters of every message row after ``after``; returns the newest row seen."""
    for row, run, topic in connection.execute(_NEW, (after,)).fetchall():
        after = max(after, row)
        if signal := database.notifications_map.get(f"{run}::{topic}"):
            signal.set()
    return after
