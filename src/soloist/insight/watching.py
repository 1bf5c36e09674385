"""Watching: what the store tells of the house's own health: sleep, clocks, streams in trouble, the stop button."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from soloist.engine.stopping import Halt, standing
from soloist.engine.store import events, settings, streams
from soloist.engine.store.base import Connection
from soloist.engine.store.clock import from_iso
from soloist.engine.waking import JUMPED, WOKE


def stopped_since(conn: Connection) -> str:
    """Since when the stop button is pressed, "" when it is not."""
    return settings.value(conn, settings.STOP)


def halted_since(conn: Connection, halt: Halt) -> str:
    """Since when button, file or safe mode holds back everything outbound, "" when nothing does."""
    return min((one.since for one in standing(conn, halt)), default="")


def clocks(conn: Connection) -> dict[str, Any]:
    """When the newest event was written (None without one), and the newest sleep and jump: (at, seconds) or None."""
    newest = events.newest(conn)
    return {
        "newest": from_iso(newest) if newest else None,
        "woke": _last(conn, WOKE, "slept_seconds"),
        "jumped": _last(conn, JUMPED, "seconds"),
    }


def _last(conn: Connection, kind: str, field: str) -> tuple[datetime, float] | None:
    """Moment and seconds of the newest event of a kind."""
    row = events.newest_of(conn, kind, "")
    return (from_iso(row["at"]), float(row["payload"][field])) if row and row["payload"] else None


def streams_in_trouble(conn: Connection) -> list[dict[str, Any]]:
    """Streams whose last reading failed: connection, stream, trouble."""
    names = ("connection", "stream", "trouble")
    return [{name: row[name] for name in names} for row in streams.of(conn) if row["trouble"]]
