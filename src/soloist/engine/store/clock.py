"""The one clock and the one source of new ids of the store; tests replace the clock, nothing else reads the time."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from soloist.kernel.ids import uuid7

Clock = Callable[[], datetime]
"""Returns the present instant as an aware UTC datetime."""


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """UTC ISO 8601 with microseconds and Z, 27 characters, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def from_iso(text: str) -> datetime:
    """The instant that ``iso`` wrote."""
    return datetime.fromisoformat(text)


def later(text: str, seconds: float) -> str:
    """The instant ``seconds`` after another, both as ISO text."""
    return iso(from_iso(text) + timedelta(seconds=seconds))


def new_id(moment: datetime) -> str:
    """A fresh UUIDv7."""
    return uuid7(int(moment.timestamp() * 1000), os.urandom(10))
