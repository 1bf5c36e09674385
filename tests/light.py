"""What costs most of the tests' time and is what few of them are about: each of those few has the thing itself."""

from __future__ import annotations

import atexit
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from soloist import app
from soloist.config import Home
from soloist.engine import registry
from soloist.engine.store import base, writer
from soloist.engine.worker import Worker
from tests.engine.store import databases

AS_SHIPPED: dict[tuple[Any, str], Any] = {
    (base, "_pragmas"): base._pragmas,
    (writer, "make_room"): writer.make_room,
    (os, "fsync"): os.fsync,
}
"""What waits for the disk. Nothing here pulls the plug on the machine, so that no commit of this process has to."""
_open, _pragmas = app.App.__init__, base._pragmas


def begin() -> None:
    """From here on, in this process; a program that a test starts is as shipped."""
    base._pragmas, writer.make_room, os.fsync = _hurried, lambda _conn: None, lambda _file: None
    app.App.__init__ = _opened  # type: ignore[method-assign]
    app.Worker = _reading  # type: ignore[misc]


def _hurried(connection: Any, last: str) -> None:
    """A SQLite file is opened as ever, but for that it waits."""
    _pragmas(connection, last)
    connection.execute("PRAGMA synchronous=OFF")


def _opened(self: app.App, root: Path, *, database: str = "", **more: Any) -> None:
    """A home without a database gets one that is made already; App finds in it what it would have made."""
    file = Home(root).database
    if not database and not file.exists():
        with contextlib.suppress(OSError):  # the home cannot be made, which App is to say itself
            databases.home(root)
    _open(self, root, database=database, **more)


class _AtHand(Worker):
    """The reading half of one home; the process that reads is that of all of them, because its start takes a second."""

    queue = ThreadPoolExecutor(1, thread_name_prefix="soloist-worker")
    child: Any = None

    def __init__(self) -> None:
        super().__init__(idle=600.0)
        self._queue = _AtHand.queue

    @property
    def _child(self) -> Any:
        return _AtHand.child

    @_child.setter
    def _child(self, child: Any) -> None:
        if child is not None or hasattr(self, "_quiet"):  # not what a new one says of itself
            _AtHand.child = child

    def _watch(self) -> None:
        """It is ended with the tests."""

    def close(self) -> None:
        """Calls are refused; those of other homes go on."""
        self._closed = True
        if self.others is not None:
            self.others.close()


def _reading() -> Worker:
    """Who chooses the plugins has a process of their own, which reads the choice when it begins."""
    return Worker() if registry.ONLY in os.environ else _AtHand()


@atexit.register
def _end() -> None:
    if _AtHand.child is not None:
        _AtHand.child.kill()
