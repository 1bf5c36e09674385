"""Values as a person reads them: money, instants in the operator's zone, durations, short ids; no markup."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from soloist.kernel import money as amounts


def money(minor: int, currency: str) -> str:
    """``450000, "EUR"`` -> "EUR 4,500"; cents are shown only when there are any."""
    digits = amounts.digits(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    tail = f".{rest:0{digits}d}" if rest else ""
    return f"{currency} {sign}{whole:,}{tail}"


def instant(text: str) -> datetime | None:
    """An ISO 8601 instant as an aware datetime; None when it is empty or not one."""
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo("UTC"))


def when(text: str, zone: str, now: str = "") -> str:
    """An instant as "14:05", "yesterday 14:05", "tomorrow 09:00", "Fri 14:05" or "3 Nov 2026, 14:05"."""
    at = instant(text)
    if at is None:
        return text
    local = at.astimezone(ZoneInfo(zone))
    base = instant(now)
    clock = f"{local:%H:%M}"
    if base is None:
        return f"{local.day} {local:%b %Y}, {clock}"
    days = (local.date() - base.astimezone(ZoneInfo(zone)).date()).days
    near = {0: clock, -1: f"yesterday {clock}", 1: f"tomorrow {clock}"}
    if days in near:
        return near[days]
    if 1 < abs(days) < 7:
        return f"{local:%a} {clock}"
    return f"{local.day} {local:%b %Y}, {clock}"


def full(text: str, zone: str) -> str:
    """An instant to the second with its zone, as a tooltip shows it."""
    at = instant(text)
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}" if at else text


def lasted(seconds: float) -> str:
    """A duration as "180 ms", "2.4 s", "3 min", "5 h" or "2 d"."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s".replace(".0 s", " s")


def left(due: str, now: str) -> str:
    """Time until a deadline: "in 3 h", "in 2 d", or "overdue"; "" without one."""
    end, base = instant(due), instant(now)
    if end is None or base is None:
        return ""
    rest = (end - base) / timedelta(seconds=1)
    return f"in {lasted(rest)}" if rest > 0 else "overdue"


def short(ident: str) -> str:
    """The last eight characters of an id: enough to tell two apart on one screen (the first are the time)."""
    return ident[-8:] if len(ident) > 12 else ident


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 card", "3 cards"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def not_given(withheld: Mapping[str, int]) -> list[str]:
    """What was kept back from a role by its contract, as one sentence; none when nothing was."""
    if not withheld:
        return []
    each = len(withheld) > 1
    places = ", ".join(f"{place}{f' ({many})' if each else ''}" for place, many in sorted(withheld.items()))
    many = sum(withheld.values())
    return [f"{counted(many, 'part')} of memory {'was' if many == 1 else 'were'} not given: "
            f"the role may not read {places}."]  # fmt: skip
