"""Calendars for the console and the command line: how often each is read, when last, what troubles it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import runs, streams
from soloist.engine.store.reading import Connection


@dataclass(frozen=True)
class CalendarLine:
    """One calendar; ``looked`` is ISO 8601, "" for never; ``review`` says that there is a review of whom you met."""

    name: str
    host: str
    every: str
    looked: str
    objects: int
    trouble: str
    state: str
    tone: str
    review: bool


def lines(conn: Connection, known: Iterable[tuple[str, str, str]], troubles: Mapping[str, str]) -> list[CalendarLine]:
    """Every calendar, by (name, host, how often)."""
    return [_line(conn, *one, troubles.get(one[0], "")) for one in known]


def _line(conn: Connection, name: str, host: str, every: str, trouble: str) -> CalendarLine:
    rows: list[dict[str, Any]] = streams.of(conn, name)
    trouble = trouble or next((row["trouble"] for row in rows if row["trouble"]), "")
    looked = max((row["updated"] for row in rows), default="")
    state, tone = ("cannot be read", "bad") if trouble else ("is read", "go") if looked else ("waits", "warn")
    count = sum(row["done"] or 0 for row in rows)
    return CalendarLine(name, host, every, looked, count, trouble, state, tone, runs.exists(conn, f"takeover:{name}"))
