"""Night: hours of a day in the house's zone, when the next ones begin, and when morning is; it waits for nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def minutes(text: str) -> int:
    """Minutes after midnight of "22:30" (ValueError says the form)."""
    match = _CLOCK.fullmatch(text.strip())
    if not match:
        raise ValueError(f"write an hour like 22:00, not {text!r}")
    return int(match[1]) * 60 + int(match[2])


@dataclass(frozen=True)
class Hours:
    """Hours of every day from ``begin`` to ``end`` (minutes after midnight), which may lie after midnight.

    The same minute twice is the whole day.
    """

    begin: int
    end: int

    def holds(self, local: datetime) -> bool:
        """Whether an instant in the house's zone lies in these hours."""
        at = local.hour * 60 + local.minute
        if self.begin < self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end

    def opens(self, local: datetime) -> datetime:
        """When they begin next, in the same zone; the instant itself when they are running."""
        return local if self.holds(local) else next_at(local, self.begin)


def next_at(local: datetime, minute: int) -> datetime:
    """The next instant in a zone at which the clock shows a minute of the day."""
    day = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    if day <= local:
        day = (day + timedelta(days=1)).replace(hour=minute // 60, minute=minute % 60)
    return day


def local(at: datetime, zone: ZoneInfo) -> datetime:
    """An instant on the house's clock."""
    return at.astimezone(zone)
