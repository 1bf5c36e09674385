"""Stopping: whether anything may leave at this instant: the stop button, a file in the home, a restored backup.

It answers and wakes nobody. Three things halt what is outbound, each by itself: the button (a row, the same for every
process), a file named STOP in the home (which needs no server, no database and no provider), and safe mode after a
backup was restored. A call that is already open cannot be recalled.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soloist.engine.store import settings
from soloist.engine.store.base import Connection
from soloist.engine.store.clock import iso, utc_now
from soloist.engine.store.tx import Tx

FILE = "STOP"
"""Name of the file in the home; what it holds does not matter."""
WAY = "stop.way"
"""Setting: how the button was pressed: console, command line, API."""
SAFE = "safe_mode"
"""Setting: JSON {since, cut_seq, cut_at, ...} while a restored home waits for its operator."""
RESTORED = "restored"
"""Setting: the same for good, so that what was under way at the cut is never sent without a look."""


class Halt:
    """What holds back everything outbound in one home. Without a home only the store is asked."""

    def __init__(self, home: Path | None = None) -> None:
        """``home`` is where the file is looked for."""
        self.file = home / FILE if home is not None else None
        self.noticed = False
        """Whether something waits because of the file: it has to be woken when the file is gone."""
        self._pressing_until = 0.0

    def pressing(self, seconds: float = 60.0) -> None:
        """The button is being pressed in this process: nothing leaves, although the row is not written yet."""
        self._pressing_until = time.monotonic() + seconds

    def pressed_down(self) -> None:
        """The row is written, or the button is released."""
        self._pressing_until = 0.0

    def by_file(self) -> bool:
        """Whether the file is there; one question to the file system."""
        return self.file is not None and os.path.lexists(self.file)

    def file_since(self) -> str:
        """When the file was made, "" without one."""
        try:
            return _instant(self.file.lstat().st_mtime) if self.file is not None else ""
        except OSError:
            return ""

    def at_once(self) -> str:
        """Why nothing may leave, as far as it is known without the database; "" when nothing is known."""
        if self._pressing_until > time.monotonic():
            return "The stop button is pressed."
        if self.by_file():
            self.noticed = True
            return f"There is a file {FILE} in the home."
        return ""

    def pressed(self, conn: Connection) -> str:
        """Why nothing may leave, as one sentence; "" when everything may."""
        if why := self.at_once():
            return why
        if settings.stopped(conn):
            return "The stop button is pressed."
        return "This home was restored from a backup and is in safe mode." if settings.value(conn, SAFE) else ""


@dataclass(frozen=True)
class Halted:
    """One thing that holds back what is outbound: ``way`` is button, file or safe mode."""

    way: str
    since: str
    by: str = ""


def standing(conn: Connection, halt: Halt) -> list[Halted]:
    """Everything that holds back what is outbound right now, with since when and how."""
    found = []
    if since := settings.value(conn, settings.STOP):
        found.append(Halted("button", since, settings.value(conn, WAY)))
    if halt.by_file():
        found.append(Halted("file", halt.file_since(), f"the file {halt.file}"))
    if safe := cut(conn, SAFE):
        found.append(Halted("safe mode", str(safe.get("since", "")), "a backup was restored"))
    return found


def cut(conn: Connection, key: str = RESTORED) -> dict[str, Any]:
    """From which moment of which backup this home was restored: {since, cut_seq, cut_at, ...}; {} when it was not."""
    text = settings.value(conn, key)
    return dict(json.loads(text)) if text else {}


def note_cut(tx: Tx, about: dict[str, Any]) -> None:
    """Keep that this home was restored, and begin safe mode."""
    text = json.dumps({**about, "since": tx.now}, sort_keys=True)
    settings.put(tx, RESTORED, text)
    settings.put(tx, SAFE, text)


def _instant(seconds: float) -> str:
    """A file's time as the store writes instants; never later than now."""
    return iso(min(utc_now(), datetime.fromtimestamp(seconds, UTC)))
