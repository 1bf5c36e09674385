"""Planning of the operator's time: which cards are for now, which wait for which window; pure, it reads nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from soloist.config import Attention
from soloist.engine.store.clock import from_iso, iso
from soloist.insight import ranking

Card = Mapping[str, Any]
Estimate = Callable[[Card], float]
"""Seconds that a card is expected to take."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AHEAD = 14
"""Days within which the next windows are looked for; an operator on holiday sets none and has none."""

MARGIN = 900.0
"""Seconds before a deadline by which a window must have begun, so that there is time to decide in it."""

ALREADY_OUTSIDE = ("failure", "cap", "mismatch")
"""Types of cards where something has gone wrong already: money on them is at risk."""

_VALUE = re.compile(r"(\d+)\s*([A-Z]{3})\Z")


@dataclass(frozen=True)
class Slot:
    """One card in the plan: how long it takes, until when it can wait ("" = it is for now), and why it presses."""

    card: Card
    seconds: float
    until: str = ""
    why: str = ""


@dataclass
class Window:
    """A stretch of the operator's time: when it begins and ends, and the seconds of it that are still free."""

    begins: str
    ends: str
    free: float


@dataclass(frozen=True)
class Plan:
    """The cards sorted into now and later. ``closes`` is the end of the open window, "" outside of one."""

    now: tuple[Slot, ...] = ()
    later: tuple[Slot, ...] = ()
    urgent: tuple[Slot, ...] = ()
    closes: str = ""
    next_window: str = ""
    seconds_left: float = 0.0
    windows: tuple[tuple[str, str], ...] = field(default=())


def plan(
    cards: Sequence[Card], rules: Attention, zone: str, now: str, *, estimate: Estimate, spent: float = 0.0
) -> Plan:
    """Cards in their order, bundled to fit the minutes of the day; ``spent`` are today's seconds so far.

    What is urgent is for now whatever the minutes say; everything else goes into the first window with room for it
    that begins in time for its deadline.
    """
    left = max(0.0, rules.minutes_per_day * 60.0 - spent)
    coming = windows(rules, zone, now)
    closes = coming[0].ends if coming and coming[0].begins <= now else ""
    if coming and from_iso(coming[0].begins).astimezone(ZoneInfo(zone)).date() == _local(now, zone).date():
        _limit(coming, zone, left)
    following = [window for window in coming if window.begins > now]
    found = Plan((), (), (), closes, following[0].begins if following else "", left, _hours(coming))
    sorted_in: dict[str, list[Slot]] = {"now": [], "later": [], "urgent": []}
    for card in ranking.ranked(cards, now):
        seconds = estimate(card)
        if why := pressing(card, rules, zone, now):
            sorted_in["urgent"].append(Slot(card, seconds, "", why))
            continue
        place = _place(coming, str(card["deadline"] or ""), seconds)
        waits = place is not None and place.begins > now
        sorted_in["later" if waits or place is None else "now"].append(
            Slot(card, seconds, place.begins if place and waits else "")
        )
    return Plan(
        (*sorted_in["urgent"], *sorted_in["now"]),
        tuple(sorted_in["later"]),
        tuple(sorted_in["urgent"]),
        found.closes,
        found.next_window,
        found.seconds_left,
        found.windows,
    )


def sitting(cards: Sequence[Card], seconds: float, now: str, estimate: Estimate) -> tuple[list[Card], list[Card]]:
    """The cards of one sitting in their order, and those that do not fit; the first one always fits."""
    fits: list[Card] = []
    rest: list[Card] = []
    used = 0.0
    for card in ranking.ranked(cards, now):
        used += estimate(card)
        (fits if used <= seconds or not fits else rest).append(card)
    return fits, rest


def pressing(card: Card, rules: Attention, zone: str, now: str) -> str:
    """Why a card cannot wait for the next window, as words that follow "it"; "" when it can."""
    if card["type"] == "unknown_outcome":
        return "may or may not have happened outside"
    if card.get("urgency") == "urgent":
        return "is marked urgent"
    deadline = str(card["deadline"] or "")
    if at_risk(card, rules):
        return "has money at risk"
    if not deadline or deadline <= now:
        return ""
    following = next((window.begins for window in windows(rules, zone, now) if window.begins > now), "")
    last = iso(from_iso(deadline) - timedelta(seconds=MARGIN))
    if following and following <= last:
        return ""
    soon = from_iso(deadline) - from_iso(now) < timedelta(days=1)
    return "ends before your next window" if following or soon else ""


def at_risk(card: Card, rules: Attention) -> bool:
    """Whether so much money is on something that has gone wrong already."""
    match = _VALUE.match(rules.urgent_value)
    if not match or card["type"] not in ALREADY_OUTSIDE:
        return False
    same = str(card["currency"] or match[2]) == match[2]
    return same and abs(int(card["value_minor"] or 0)) >= int(match[1]) * 100


def can_wait_until(card: Card, rules: Attention, zone: str, now: str) -> str:
    """The last window that begins before a card's deadline, the next one without a deadline; "" when there is none."""
    coming = [window.begins for window in windows(rules, zone, now) if window.begins > now]
    if not card["deadline"]:
        return coming[0] if coming else ""
    last = iso(from_iso(str(card["deadline"])) - timedelta(seconds=MARGIN))
    return max((begins for begins in coming if begins <= last), default="")


def windows(rules: Attention, zone: str, now: str) -> list[Window]:
    """The open window if there is one, then those to come; each day has the minutes that were set for it."""
    found: list[Window] = []
    for day in range(AHEAD):
        local = (_local(now, zone) + timedelta(days=day)).replace(tzinfo=None)
        if DAYS[local.weekday()] not in rules.weekdays:
            continue
        left = rules.minutes_per_day * 60.0
        for begins, ends in _of_day(rules, local, zone):
            if ends <= now:
                continue
            length = (from_iso(ends) - from_iso(max(begins, now))).total_seconds()
            free = min(length, left)
            left -= free
            found.append(Window(begins, ends, free))
    return found


def _of_day(rules: Attention, day: datetime, zone: str) -> Iterator[tuple[str, str]]:
    """The windows of one day as instants; without any the whole day is one."""
    for text in rules.windows or ["00:00-23:59"]:
        begins, ends = (part.split(":") for part in text.split("-"))
        yield _instant(day, begins, zone), _instant(day, ends, zone)


def _instant(day: datetime, clock: Sequence[str], zone: str) -> str:
    at = datetime(day.year, day.month, day.day, int(clock[0]), int(clock[1]), tzinfo=ZoneInfo(zone))
    return iso(at)


def day_began(zone: str, now: str) -> str:
    """The instant at which the operator's day began."""
    return _instant(_local(now, zone), ("0", "0"), zone)


def _local(now: str, zone: str) -> datetime:
    return from_iso(now).astimezone(ZoneInfo(zone))


def _limit(coming: list[Window], zone: str, left: float) -> None:
    """What was spent today is taken from the windows of today."""
    today = from_iso(coming[0].begins).astimezone(ZoneInfo(zone)).date()
    for window in coming:
        if from_iso(window.begins).astimezone(ZoneInfo(zone)).date() != today:
            return
        window.free = min(window.free, left)
        left -= window.free


def _place(coming: Sequence[Window], deadline: str, seconds: float) -> Window | None:
    """The first window with room for a card that begins before its deadline; its room is taken."""
    last = iso(from_iso(deadline) - timedelta(seconds=MARGIN)) if deadline else "9999"
    timely = [window for window in coming if window.begins <= last]
    place = next((window for window in timely if window.free >= seconds), timely[-1] if timely else None)
    if place is not None:
        place.free -= seconds
    return place


def _hours(coming: Sequence[Window]) -> tuple[tuple[str, str], ...]:
    return tuple((window.begins, window.ends) for window in coming[:4])
