"""Events of a calendar object within a window: repeated ones one by one, in UTC with their zone; it fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MOST = 1_000
"""Occurrences of one object that are kept."""
_TOO_OFTEN = re.compile(r"^RRULE[^\r\n]*FREQ=(SECONDLY|MINUTELY|HOURLY)", re.IGNORECASE | re.MULTILINE)
_STATES = {"CANCELLED": "cancelled", "TENTATIVE": "tentative"}


@dataclass
class Window:
    """From which instant to which, and the zone of times that name none."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    faults: list[str] = field(default_factory=list)


def occurrences(text: str, window: Window) -> list[dict[str, Any]]:
    """What happens in the window; ``window.faults`` says what could not be read as it was meant."""
    import icalendar
    import recurring_ical_events  # type: ignore[import-untyped]  # it has no annotations

    calendar = icalendar.Calendar.from_ical(text)
    masters = [part for part in calendar.walk("VEVENT") if "DTSTART" in part]
    for part in calendar.walk("VEVENT"):
        window.faults.extend(f"{name} cannot be read: {why}" for name, why in getattr(part, "errors", ()))
    if not masters:
        window.faults.append("The event has no beginning.")
        return []
    _name_unknown_zones(masters, window)
    if _TOO_OFTEN.search(text):
        window.faults.append("It repeats more often than daily; only its first time is taken.")
        found: Any = masters[:1]
    else:
        found = recurring_ical_events.of(calendar, skip_bad_series=True).between(window.start, window.end)
    repeats = any(name in part for part in masters for name in ("RRULE", "RDATE", "RECURRENCE-ID"))
    rows = [row for part in found if (row := _row(part, window, repeats=repeats))]
    if len(rows) > MOST:
        window.faults.append(f"It happens {len(rows)} times; the first {MOST} are taken.")
    return sorted(rows, key=lambda row: (row["start"], row["occurrence"]))[:MOST]


def _name_unknown_zones(parts: list[Any], window: Window) -> None:
    """A time with the name of a zone nobody knows is one without a zone: the home's own is taken, and that is said."""
    for part in parts:
        value = part["DTSTART"]
        named = value.params.get("TZID", "") if hasattr(value, "params") else ""
        if named and isinstance(value.dt, datetime) and value.dt.tzinfo is None:
            said = f"The time zone {str(named)[:60]!r} is not known; {window.zone.key} is taken."
            if said not in window.faults:
                window.faults.append(said)


def _row(part: Any, window: Window, *, repeats: bool) -> dict[str, Any]:
    """One occurrence as plain values; {} for one without a beginning."""
    try:
        start = part["DTSTART"].dt
        end = part["DTEND"].dt if "DTEND" in part else start + part["DURATION"].dt if "DURATION" in part else None
    except (AttributeError, TypeError, OverflowError):
        return {}
    all_day = not isinstance(start, datetime)
    if end is None or isinstance(end, datetime) == all_day:
        end = start + timedelta(days=1) if all_day else start
    named = getattr(getattr(start, "tzinfo", None), "key", "") or window.zone.key
    when = part.get("RECURRENCE-ID")
    original = _instant(when.dt, window) if when is not None and hasattr(when, "dt") else _instant(start, window)
    return {
        "occurrence": original if repeats else "",
        "title": _text(part.get("SUMMARY"))[:300],
        "start": _instant(start, window),
        "end": max(_instant(end, window), _instant(start, window)),
        "day": start.isoformat() if all_day else "",
        "all_day": all_day,
        "zone": named,
        "state": _STATES.get(_text(part.get("STATUS")).upper(), "planned"),
        "place": _text(part.get("LOCATION"))[:300],
        "text": _text(part.get("DESCRIPTION"))[:5_000],
        "link": _text(part.get("URL"))[:500],
        "organizer": _address(part.get("ORGANIZER")),
        "attendees": [one for one in (_attendee(value) for value in _many(part.get("ATTENDEE"))) if one][:200],
    }


def _instant(value: date | datetime, window: Window) -> str:
    """UTC as ISO text; a day begins at midnight of the home's zone, a time without a zone is the home's."""
    try:
        if not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        value = value if value.tzinfo else value.replace(tzinfo=window.zone)
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
    except (OverflowError, ValueError):
        return "0001-01-01T00:00:00.000000Z"


def _many(value: Any) -> Iterator[Any]:
    if value is not None:
        yield from value if isinstance(value, list) else [value]


def _attendee(value: Any) -> dict[str, str]:
    """Address, name and answer of somebody who was asked."""
    address = _address(value)
    if not address:
        return {}
    parameters = getattr(value, "params", {})
    name, answer = _text(parameters.get("CN")), _text(parameters.get("PARTSTAT")).lower()
    return {"address": address, "name": "" if "@" in name else name[:120], "answer": answer[:40]}


def _address(value: Any) -> str:
    """A mail address out of "mailto:", "" for anything else."""
    found = re.match(r"(?:mailto:)?\s*([^@\s<>\"']{1,64}@[^@\s<>\"']{1,255})\s*\Z", _text(value), re.IGNORECASE)
    return found[1].casefold() if found else ""


def _text(value: Any) -> str:
    """Plain text of a value, "" for none; several are the first."""
    value = value[0] if isinstance(value, list) and value else value
    return "" if value is None else str(value).replace("\x00", "").strip()
