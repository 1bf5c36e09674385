"""Slots: which times are free between what is taken, in the hours somebody works; pure, and in whole zones of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from soloist.kernel.office_settings import WEEKDAYS, SchedulingPart, minutes

STEP = timedelta(minutes=30)
"""Appointments begin at full and half hours."""


@dataclass(frozen=True, order=True)
class Slot:
    """From an instant to an instant."""

    begins: datetime
    ends: datetime

    def meets(self, other: Slot) -> bool:
        """Whether the two share any time."""
        return self.begins < other.ends and other.begins < self.ends


def free(slot: Slot, busy: Sequence[Slot], rules: SchedulingPart, *, zone: ZoneInfo, now: datetime) -> str:
    """Why a time cannot be had, "" when it can: "taken", "hours" outside of work, "soon", or "past"."""
    if slot.begins < now:
        return "past"
    around = timedelta(minutes=rules.buffer)
    wide = Slot(slot.begins - around, slot.ends + around)
    if any(wide.meets(one) for one in busy):
        return "taken"
    if slot.begins < now + timedelta(hours=rules.notice):
        return "soon"
    return (
        ""
        if any(span.begins <= slot.begins and slot.ends <= span.ends for span in spans(slot.begins, rules, zone))
        else "hours"
    )


def spans(at: datetime, rules: SchedulingPart, zone: ZoneInfo) -> Iterator[Slot]:
    """The hours of work of the local day an instant lies in."""
    day = at.astimezone(zone).date()
    if WEEKDAYS[day.weekday()] not in rules.days:
        return
    midnight = datetime.combine(day, time(0))
    for text in rules.hours:
        begin, end = minutes(text)
        yield Slot(*(_local(midnight + timedelta(minutes=minute), zone) for minute in (begin, end)))


def _local(naive: datetime, zone: ZoneInfo) -> datetime:
    """A wall-clock time in a zone; summer time is that of the day itself."""
    return naive.replace(tzinfo=zone)


@dataclass(frozen=True)
class Wish:
    """What is looked for: how long, how many, within which windows (none: anywhere), and what was refused."""

    length: timedelta
    count: int
    windows: Sequence[Slot] = ()
    not_these: Sequence[Slot] = ()


def offers(wish: Wish, busy: Sequence[Slot], rules: SchedulingPart, *, zone: ZoneInfo, now: datetime) -> list[Slot]:
    """Free times, the earliest first, spread over different halves of days as far as there are enough of them."""
    found: list[Slot] = []
    halves: set[tuple[str, bool]] = set()
    spare: list[Slot] = []
    for slot in _every(wish, rules, zone, now):
        if free(slot, busy, rules, zone=zone, now=now) or any(slot.meets(one) for one in wish.not_these):
            continue
        local = slot.begins.astimezone(zone)
        half = (local.date().isoformat(), local.hour < 12)
        if half in halves:
            spare.append(slot)
            continue
        halves.add(half)
        found.append(slot)
        if len(found) == wish.count:
            break
    apart = (slot for slot in spare if not any(slot.meets(one) for one in found))
    while len(found) < wish.count and (more := next(apart, None)):
        if not any(more.meets(one) for one in found):
            found.append(more)
    return sorted(found)


def _every(wish: Wish, rules: SchedulingPart, zone: ZoneInfo, now: datetime) -> Iterator[Slot]:
    """Every slot that could be, in order: in the windows, else in the days ahead."""
    end = now + timedelta(days=rules.ahead)
    windows = sorted(wish.windows) or [Slot(now, end)]
    seen: set[datetime] = set()
    for window in windows:
        day = max(window.begins, now)
        while day < window.ends:
            for span in spans(day, rules, zone):
                begins = span.begins
                while begins + wish.length <= span.ends:
                    slot = Slot(begins, begins + wish.length)
                    if window.begins <= slot.begins and slot.ends <= window.ends and begins not in seen:
                        seen.add(begins)
                        yield slot
                    begins += STEP
            local = day.astimezone(zone).date() + timedelta(days=1)
            day = _local(datetime.combine(local, time(0)), zone)
