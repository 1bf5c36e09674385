"""The skill ``read_invitation``: a calendar's message (iTIP) in a mail as plain values; it answers nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.plugins.skills import _mime
from soloist.plugins.skills._events import Window, occurrences
from soloist.sdk import skill

MOST = 1_000_000
AHEAD = timedelta(days=730)
_METHODS = ("REQUEST", "CANCEL", "REPLY", "PUBLISH", "COUNTER")


class In(Frozen):
    """When it came (ISO), the zone of times that name none; ``part`` is its place in a raw mail, -1 for the file."""

    now: str
    timezone: str = "UTC"
    part: int = Field(default=-1, ge=-1)


class Out(Frozen):
    """What the message wants, of which event; times are UTC. ``repeats`` says that only its first time is told."""

    method: Literal["request", "cancel", "reply", "publish", "counter", "none"] = "none"
    uid: str = ""
    sequence: int = 0
    event: dict[str, Any] = Field(default={})
    repeats: bool = False
    faults: list[str] = Field(default=[])


@skill("read_invitation", version="1")
def read_invitation(value: In, blob: bytes) -> Out:
    """Read an invitation, a cancellation or an answer of a calendar program."""
    import icalendar

    if value.part >= 0:
        blob = _mime.part_bytes(blob, value.part)[2]
    now = datetime.fromisoformat(value.now)
    window = Window(now - timedelta(days=1), now + AHEAD, ZoneInfo(value.timezone))
    text = blob[:MOST].decode("utf-8", "replace")
    try:
        calendar = icalendar.Calendar.from_ical(text)
        found = occurrences(text, window)
    except Exception as error:  # noqa: BLE001  # somebody else's file: whatever is wrong with it is told
        return Out(faults=[f"The calendar's message cannot be read: {str(error)[:200]}"])
    master = next(iter(calendar.walk("VEVENT")), None)
    said = str(calendar.get("METHOD", "")).upper()
    if master is None or said not in _METHODS:
        return Out(faults=["The file holds no invitation."])
    if not found:
        return Out(faults=[*window.faults, "The event is over or has no time."], uid=str(master.get("UID", ""))[:300])
    return Out(
        method=said.lower(),  # type: ignore[arg-type]  # one of the methods above
        uid=str(master.get("UID", ""))[:300],
        sequence=_number(master.get("SEQUENCE")),
        event=found[0],
        repeats=len(found) > 1,
        faults=window.faults[:10],
    )


def _number(value: Any) -> int:
    try:
        return max(0, min(10_000, int(str(value))))
    except ValueError:
        return 0
