"""Times of day in a text, in four languages, each with the day it belongs to; it knows no calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from soloist.plugins.skills._dates import find_dates

NEAR, BEFORE = 48, 24
"""Characters behind a day, and before it, in which its time is looked for."""
_H = r"(?:[01]?\d|2[0-3])"
_UNIT = r"\s*(?:a\.?m\.?|p\.?m\.?|uhr|h(?:rs?|eures?|oras?)?\b|o.?clock)"
_ONE = rf"(?P<{{0}}h>{_H})(?:[:.h](?P<{{0}}m>[0-5]\d))?(?P<{{0}}u>{_UNIT})?"
_RANGE = re.compile(
    rf"(?<![\d.,/-])(?P<lead>(?:between|zwischen|von|from|entre|de)\s+(?:las\s+)?)?{_ONE.format('a')}"
    rf"\s*(?:-|–|to|bis|und|and|à|et|a las|a|y)\s*{_ONE.format('b')}(?![\d/]|[.,]\d|%)",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    rf"(?<![\d.,/-])(?:(?P<said>at|um|ab|gegen|à|vers|a las|around|from)\s+)?{_ONE.format('a')}(?![\d/%€$]|[.,]\d)",
    re.IGNORECASE,
)
_PARTS = (
    (re.compile(r"\b(?:morning|vormittags?|früh|matin|por la mañana|a\.m\.)(?!\w)", re.IGNORECASE), (9, 12)),
    (re.compile(r"\b(?:afternoon|nachmittags?|après-midi|tarde)(?!\w)", re.IGNORECASE), (13, 17)),
    (re.compile(r"\b(?:noon|lunchtime|mittags?|midi|mediodía)(?!\w)", re.IGNORECASE), (12, 14)),
    (re.compile(r"\b(?:evening|abends?|soir|noche)(?!\w)", re.IGNORECASE), (17, 20)),
)
_ZONES = {
    "utc": "UTC", "gmt": "UTC", "london time": "Europe/London", "uk time": "Europe/London", "bst": "Europe/London",
    "cet": "Europe/Berlin", "cest": "Europe/Berlin", "mez": "Europe/Berlin", "mesz": "Europe/Berlin",
    "paris time": "Europe/Paris", "madrid time": "Europe/Madrid", "est": "America/New_York",
    "edt": "America/New_York", "et": "America/New_York", "new york time": "America/New_York",
    "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "pt": "America/Los_Angeles",
}  # fmt: skip
_ZONE = re.compile(r"(?<!\w)(" + "|".join(sorted(_ZONES, key=len, reverse=True)) + r")(?!\w)")
_ZONE_ANY = re.compile(_ZONE.pattern.replace("|et|", "|").replace("|pt)", ")"), re.IGNORECASE)


@dataclass(frozen=True)
class Spot:
    """A time somebody names: the instants it begins and ends, whether both are exact, the words, where they stand.

    Without an exact time it is the window they leave open: a half of a day, or a day.
    """

    begins: datetime
    ends: datetime
    exact: bool
    start: int
    end: int
    zone: str


def spots(text: str, now: datetime, *, zone: ZoneInfo, language: str, minutes: int) -> list[Spot]:
    """Every time named with a day, in reading order; ``minutes`` is how long one lasts that names no end."""
    found: list[Spot] = []
    mentions = [one for one in find_dates(text, now.astimezone(zone).date(), language) if one.precision != "month"]
    first = 0
    for place, mention in enumerate(mentions):
        last = mentions[place + 1].span.start if place + 1 < len(mentions) else len(text)
        behind = text[mention.span.end : min(last, mention.span.end + NEAR)]
        behind = re.split(r"[\n;!?]|\.\s", behind, maxsplit=1)[0]
        day = date.fromisoformat(mention.day)
        where, theirs = (mention.span.start, mention.span.end), _zone(behind, zone)
        if mention.precision == "week":
            found.append(_window(day, (0, 24), where, theirs, days=7 - day.weekday()))
            continue
        times = list(_times(behind, mention.span.end))
        if not times:
            begin = max(first, mention.span.start - BEFORE)
            before = text[begin : mention.span.start]
            times = [] if re.search(r"[\n;!?]|\.\s", before) else list(_times(before, begin))[-1:]
        if times:
            found += [_at(day, one, where, theirs, minutes) for one in times]
            first = max(first, *(one.stop for one in times))
        else:
            part = next((hours for form, hours in _PARTS if form.search(behind)), (0, 24))
            found.append(_window(day, part, where, theirs))
        first = max(first, mention.span.end)
    return found


@dataclass(frozen=True)
class _Time:
    begin: time
    end: time | None
    start: int
    stop: int


def _zone(text: str, zone: ZoneInfo) -> ZoneInfo:
    """The zone that is named with a time, else ours."""
    hit = _ZONE_ANY.search(text)
    return ZoneInfo(_ZONES[hit[1].lower()]) if hit else zone


def _times(text: str, offset: int) -> Iterator[_Time]:
    """Times of day: ranges first, then single ones that say that they are one."""
    taken: list[tuple[int, int]] = []
    for match in _RANGE.finditer(text):
        if not any(match[name] for name in ("lead", "au", "bu", "am", "bm")):
            continue
        begin, end = _clock(match, "a", match["au"] or match["bu"]), _clock(match, "b", match["bu"])
        if begin and end and begin < end:
            taken.append(match.span())
            yield _Time(begin, end, offset + match.start(), offset + match.end())
    for match in _CLOCK.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in taken):
            continue
        begin = _clock(match, "a", match["au"]) if match["au"] or match["am"] or match["said"] else None
        if begin:
            yield _Time(begin, None, offset + match.start(), offset + match.end())


def _clock(match: re.Match[str], prefix: str, unit: str | None) -> time | None:
    hour, minute = int(match[f"{prefix}h"]), int(match[f"{prefix}m"] or 0)
    said = re.sub(r"[\W_]", "", unit or "").lower()
    hour += 12 if said == "pm" and hour < 12 else -12 if said == "am" and hour == 12 else 0
    return time(hour, minute) if hour < 24 else None


def _at(day: date, one: _Time, where: tuple[int, int], zone: ZoneInfo, minutes: int) -> Spot:
    begins = datetime.combine(day, one.begin, zone).astimezone(UTC)
    length = timedelta(minutes=minutes)
    ends = datetime.combine(day, one.end, zone).astimezone(UTC) if one.end else begins + length
    exact = one.end is None or ends - begins <= timedelta(minutes=max(90, minutes))
    start, end = min(where[0], one.start), max(where[1], one.stop)
    return Spot(begins, ends, exact, start, end, zone.key)


def _window(day: date, hours: tuple[int, int], where: tuple[int, int], zone: ZoneInfo, days: int = 1) -> Spot:
    begins = datetime.combine(day, time(hours[0]), zone)
    ends = datetime.combine(day, time(0), zone) + timedelta(days=days - 1, hours=hours[1])
    return Spot(begins.astimezone(UTC), ends.astimezone(UTC), False, *where, zone.key)
