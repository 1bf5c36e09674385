"""Locks that are released when a process ends, however it ends: one server for one home, and one for each process."""

from __future__ import annotations

import contextlib
import importlib
import os
import time
from math import inf
from pathlib import Path
from typing import IO, Any

from soloist.engine.store import base
from soloist.kernel.errors import StoreTrouble

try:
    import fcntl
except ImportError:  # Windows has another call
    fcntl = None  # type: ignore[assignment]  # told apart where it is used

_NUMBER = 7305809371
TRIES, PAUSE = 5, 0.1
"""Looks at the lock of a home before a server is refused: whoever only asks whether one runs has it for an instant."""


class ServerLock:
    """Held from ``take`` to ``release``; a second server on the same home or database is refused."""

    def __init__(self, path: Path, url: str) -> None:
        """``path`` is the lock file of the home, ``url`` the database (an advisory lock on Postgres)."""
        self._path, self._url = path, url
        self._file: IO[str] | None = None
        self._database: DatabaseLock | None = None

    def take(self) -> None:
        """StoreTrouble names the process that holds the lock."""
        self._file = self._path.open("a+", encoding="utf-8")
        if not self._soon(self._file):
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise StoreTrouble(
                f"Soloist already runs on this home (process {holder}). Nothing was started. "
                "Use that one, or end it first."
            )
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()
        if not base.is_sqlite(self._url):
            self._take_database()

    @staticmethod
    def _soon(file: IO[str]) -> bool:
        """Lock within a moment; False when a server has it."""
        for _ in range(TRIES - 1):
            if _lock_file(file):
                return True
            time.sleep(PAUSE)
        return _lock_file(file)

    def _take_database(self) -> None:
        """On Postgres the home folder may be another machine's, so the database is locked as well."""
        self._database = DatabaseLock(self._url, _NUMBER)
        if not self._database.held():
            self._database = None
            raise StoreTrouble(
                "Another Soloist server uses this database. Nothing was started. "
                "A second process beside it is started with: soloist worker"
            )

    def held(self) -> bool:
        """Whether some server holds the lock of this home right now."""
        if not self._path.exists():
            return False
        with self._path.open("a+", encoding="utf-8") as file:
            return not _lock_file(file)

    def kept(self) -> bool:
        """Whether the database still knows that this server holds the lock; a lost connection is made anew."""
        return self._database is None or self._database.held()

    def release(self) -> None:
        """Let the next one in."""
        if self._database is not None:
            self._database.release()
        if self._file is not None:
            self._file.close()


class DatabaseLock:
    """An advisory lock of Postgres on a connection of its own: Postgres frees it when the process is gone."""

    def __init__(self, url: str, number: int) -> None:
        """``number`` names the lock (64 bits); nothing is taken yet."""
        self._url, self._number = url, number
        self._connection: base.Connection | None = None
        self.lost_at = -inf
        """When it was found lost the last time, by the monotonic clock."""

    def held(self) -> bool:
        """Whether we hold it now; taken again when the connection was lost and nobody else has it. Blocks for 6 s."""
        if self._connection is not None:
            if base.answers(self._connection):
                return True
            self.lost_at = time.monotonic()
            self.release()
        with contextlib.suppress(StoreTrouble):
            self._connection = base.advisory_lock(self._url, self._number)
        return self._connection is not None

    def release(self) -> None:
        """Free it."""
        if self._connection is not None:
            base.drop(self._connection)
        self._connection = None


def _lock_file(file: IO[str]) -> bool:
    """Lock without waiting; False when somebody has it."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            _windows_lock(file)
    except OSError:
        return False
    return True


def _windows_lock(file: IO[str]) -> None:
    """The same on Windows (OSError when somebody has it)."""
    msvcrt: Any = importlib.import_module("msvcrt")
    file.seek(0)
    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
