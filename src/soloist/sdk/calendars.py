"""Calendar files cut into their objects by lines alone, for who reads or follows them; nothing is interpreted here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_OBJECTS = 20_000
"""Events of one calendar that are followed."""
_FOLD = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"^(UID|TZID|RRULE|RDATE|RECURRENCE-ID)[;:]", re.IGNORECASE)
_ZONE = re.compile(r'TZID="?([^":;,\r\n]+)', re.IGNORECASE)


@dataclass
class Object:
    """All parts of a calendar with one UID: the event, and its changed occurrences; ``parts`` are their raw lines."""

    uid: str
    parts: list[str] = field(default_factory=list)
    line: int = 0
    repeats: bool = False

    @property
    def digest(self) -> str:
        """What changes when the event changes."""
        return hashlib.sha256("\n".join(self.parts).encode()).hexdigest()[:20]


@dataclass
class Cut:
    """A calendar in pieces: objects by UID in their order, time zones by name; ``faults`` are (line, why, raw)."""

    objects: dict[str, Object] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    faults: list[tuple[int, str, str]] = field(default_factory=list)

    def alone(self, one: Object) -> str:
        """A small calendar with one object and the zones it names."""
        named = {name for part in one.parts for name in _ZONE.findall(_FOLD.sub("", part))}
        zones = [self.zones[name] for name in sorted(named) if name in self.zones]
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//calendar//EN", *zones, *one.parts, "END:VCALENDAR", ""]
        return "\r\n".join(lines)


def is_calendar(data: bytes) -> bool:
    """Whether bytes begin as a calendar does, after a mark or white space."""
    return data[:400].decode("utf-8", "replace").lstrip("\ufeff \t\r\n").upper().startswith("BEGIN:VCALENDAR")


def cut(text: str) -> Cut:
    """Take a calendar apart (ValueError when it is none); what is broken costs its neighbours nothing."""
    if not is_calendar(text.encode("utf-8", "replace")[:400]):
        raise ValueError("This is no calendar: it does not begin with BEGIN:VCALENDAR.")
    found = Cut()
    for line, kind, lines, whole in _blocks(text):
        raw = "\r\n".join(lines)
        if not whole:
            found.faults.append((line, f"A {kind} has no end.", raw[:2000]))
        elif kind == "VTIMEZONE":
            found.zones[_value(raw, "TZID")] = raw
        else:
            uid = _value(raw, "UID") or f"no-uid-{hashlib.sha256(raw.encode()).hexdigest()[:20]}"
            one = found.objects.setdefault(uid, Object(uid, line=line))
            one.parts.append(raw)
            one.repeats = one.repeats or bool(_value(raw, "RRULE") or _value(raw, "RDATE"))
        if len(found.objects) > MOST_OBJECTS:
            raise ValueError(f"The calendar has more than {MOST_OBJECTS} events.")
    return found


def _blocks(text: str) -> Iterator[tuple[int, str, list[str], bool]]:
    """(line, kind, lines, whether it has an end) of every event and zone."""
    kind, began, lines = "", 0, list[str]()
    for number, line in enumerate(text.replace("\x00", "").splitlines(), 1):
        word = line.strip().upper()
        if word in ("BEGIN:VEVENT", "BEGIN:VTIMEZONE"):
            if kind:
                yield began, kind, lines, False
            kind, began, lines = word.partition(":")[2], number, []
        if kind:
            lines.append(line)
        if kind and word == f"END:{kind}":
            yield began, kind, lines, True
            kind, lines = "", []
    if kind:
        yield began, kind, lines[:50], False


def _value(raw: str, name: str) -> str:
    """The value of the first line with this name, unfolded; "" when there is none."""
    for line in _FOLD.sub("", raw).splitlines():
        found = _NAME.match(line)
        if found and found[1].upper() == name:
            return line.partition(":")[2].strip()
    return ""
