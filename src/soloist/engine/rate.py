"""Rate and breaker: how often a connector may be called, and when it is left alone; decides nothing about outcomes.

Everything lives in memory: after a restart a connector starts with a full allowance and a closed breaker. Near the
limit the last share is kept for what a person just decided; what goes by itself waits for the next window.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal
from weakref import WeakValueDictionary

from limits import (
    RateLimitItem,
    RateLimitItemPerDay,
    RateLimitItemPerHour,
    RateLimitItemPerMinute,
    RateLimitItemPerSecond,
)
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

State = Literal["closed", "open", "half_open"]

FAILURES = 5
"""Consecutive failures that open the breaker."""
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 900.0
"""The pause doubles from the first to the longest, in seconds; a refused sign-in takes the longest at once."""
UNSAID = 30.0
"""Seconds to wait after a 429 that does not say how long."""
LONGEST_WAIT = 86_400.0
"""The longest wait a service is believed, in seconds."""
RESERVED = 0.2
"""Share of every allowance that is kept for what a person just decided."""
YIELD = 0.02
"""Seconds between two looks of what goes by itself while something urgent waits."""

_UNITS: Mapping[str, type[RateLimitItem]] = {
    "s": RateLimitItemPerSecond,
    "m": RateLimitItemPerMinute,
    "h": RateLimitItemPerHour,
    "d": RateLimitItemPerDay,
}
_NAMES = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


def limits_of(text: str) -> list[RateLimitItem]:
    """The limits of a setting like "10/s, 100/m"; ValueError for a number that allows nothing."""
    found = [_UNITS[unit](int(count)) for count, unit in re.findall(r"(\d+)\s*/\s*([smhd])", text)]
    if any(item.amount < 1 for item in found):
        raise ValueError("rate: at least one call has to be allowed")
    return found


def reserve(amount: int) -> int:
    """How many of an allowance are kept for what is urgent; none of a very small one."""
    return int(amount * RESERVED)


@dataclass
class _Told:
    """What a service said of our allowance; instants in seconds of the clock."""

    left: int | None = None
    of: int = 0
    reset: float = 0.0
    until: float = 0.0


@dataclass(frozen=True)
class Allowance:
    """An allowance as a person sees it; ``left`` is None when the service does not tell, times in seconds."""

    limits: tuple[str, ...]
    left: int | None
    wait: float
    bulk_wait: float
    held_back: int
    held_back_urgent: int


class Rates:
    """An allowance per credential: the declared limits, and what the service's answers say of it."""

    def __init__(self, *, per_second: int = 50, per_minute: int = 1200, clock: Callable[[], float] = time.time) -> None:
        """Both limits hold together where none are declared."""
        self._limits: list[RateLimitItem] = [RateLimitItemPerSecond(per_second), RateLimitItemPerMinute(per_minute)]
        self._own: dict[str, dict[str, list[RateLimitItem]]] = {}
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._told: dict[str, _Told] = {}
        self._urgent: Counter[str] = Counter()
        self._held: Counter[tuple[str, bool]] = Counter()
        self._clock = clock

    def declare(self, credential: str, limits: list[RateLimitItem], by: str = "") -> None:
        """Limits of a credential as one connection has them; those that share it keep the strictest of each window."""
        self._own.setdefault(credential, {})[by] = limits

    def take(self, credential: str, *, urgent: bool = True) -> float:
        """Take one call and return 0.0, or take nothing and return the seconds to wait."""
        wait = self.wait(credential, urgent=urgent)
        if wait:
            self._held[credential, urgent] += 1
            return wait
        for limit in self._of(credential):
            self._window.hit(limit, credential)
        if (told := self._told.get(credential)) and told.left is not None:
            told.left -= 1
        return 0.0

    async def taken(self, credential: str, *, urgent: bool, at_most: float) -> float:
        """Wait up to ``at_most`` seconds for a call and take it (0.0), or say how long it would be.

        What is urgent goes first: as long as such a call waits, no other takes one.
        """
        begun = time.monotonic()
        self._urgent[credential] += urgent
        try:
            while True:
                yields = not urgent and self._urgent[credential] > 0
                wait = YIELD if yields else self.take(credential, urgent=urgent)
                if wait == 0.0 or time.monotonic() - begun + wait > at_most:
                    return wait
                await asyncio.sleep(wait)
        finally:
            self._urgent[credential] -= urgent

    def wait(self, credential: str, *, urgent: bool = True) -> float:
        """Seconds until a call may go, 0.0 for now; takes nothing."""
        own = max((self._wait(limit, credential, urgent) for limit in self._of(credential)), default=0.0)
        return max(own, self._told_wait(credential, urgent))

    def heard(self, credential: str, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer: Retry-After, X-RateLimit-* and RateLimit-* in whatever form."""
        told, now = self._told.setdefault(credential, _Told()), self._clock()
        left, of, reset = _said(headers, now)
        if left is not None:
            told.left, told.of, told.reset = left, of or told.of, reset or now + 1.0
        if status == 429 or (status == 503 and headers.get("retry-after")):
            wait = retry_after(headers, now)
            if wait is None:
                wait = max(reset - now, 0.0) if reset else UNSAID
            told.until = max(told.until, now + min(wait, LONGEST_WAIT))

    def allowance(self, credential: str) -> Allowance:
        """The allowance now."""
        told = self._told.get(credential)
        current = told is not None and told.left is not None and self._clock() < told.reset
        units = {seconds: _NAMES[unit] for seconds, unit in ((1, "s"), (60, "m"), (3600, "h"), (86400, "d"))}
        return Allowance(
            limits=tuple(f"{item.amount} per {units[item.get_expiry()]}" for item in self._of(credential)),
            left=told.left if told and current else None,
            wait=self.wait(credential),
            bulk_wait=self.wait(credential, urgent=False),
            held_back=self._held[credential, False],
            held_back_urgent=self._held[credential, True],
        )

    def _of(self, credential: str) -> list[RateLimitItem]:
        """The strictest limit of each window."""
        found: dict[int, RateLimitItem] = {}
        for item in (item for limits in self._own.get(credential, {}).values() for item in limits):
            known = found.setdefault(item.get_expiry(), item)
            found[item.get_expiry()] = item if item.amount < known.amount else known
        return list(found.values()) or self._limits

    def _wait(self, limit: RateLimitItem, credential: str, urgent: bool) -> float:
        free = 1 if urgent else 1 + reserve(limit.amount)
        if self._window.test(limit, credential, cost=free):
            return 0.0
        reset = self._window.get_window_stats(limit, credential).reset_time
        # never longer than one window, whatever the wall clock did meanwhile
        return min(max(reset - time.time(), 0.01), float(limit.get_expiry()))

    def _told_wait(self, credential: str, urgent: bool) -> float:
        """What the service's own words ask for."""
        told, now = self._told.get(credential), self._clock()
        if told is None:
            return 0.0
        wait = max(told.until - now, 0.0)
        if told.left is not None and now < told.reset:
            kept = 0 if urgent else reserve(told.of)
            wait = max(wait, min(told.reset - now, LONGEST_WAIT) if told.left <= kept else 0.0)
        return wait


def _said(headers: Mapping[str, str], now: float) -> tuple[int | None, int, float]:
    """How many calls are left, of how many, and the instant the count begins anew; None and zeros when not said."""
    for prefix in ("x-ratelimit-", "ratelimit-", "x-rate-limit-"):
        left = _number(headers.get(f"{prefix}remaining", ""))
        if left is not None:
            of = _number(headers.get(f"{prefix}limit", "")) or 0
            return int(left), int(of), _reset(headers.get(f"{prefix}reset", ""), now)
    text = headers.get("ratelimit", "")
    found = dict(re.findall(r"\b(r|t|remaining|reset|limit)=(\d+)", text))
    left_text = found.get("r", found.get("remaining"))
    if left_text is None:
        return None, 0, 0.0
    after = found.get("t", found.get("reset"))
    return int(left_text), int(found.get("limit", 0)), now + float(after) if after else 0.0


def _number(text: str) -> float | None:
    match = re.match(r"\s*(\d{1,18}(?:\.\d{1,9})?)", text)
    return float(match[1]) if match else None


def _reset(text: str, now: float) -> float:
    """The instant of a reset given as seconds from now, Unix seconds, Unix milliseconds or a date; 0.0 for none."""
    number = _number(text)
    if number is None or "-" in text or "," in text:
        return _instant(text) or 0.0
    if number < 1e9:
        return now + number
    return number / 1000 if number > 1e11 else number


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that Retry-After asks for, a date being measured against the server's own clock; None when not said."""
    text = headers.get("retry-after", "").strip()
    number = _number(text) if text[:1].isdigit() else None
    if number is not None:
        return min(number, LONGEST_WAIT)
    until = _instant(text)
    if until is None:
        return None
    return min(max(until - (_instant(headers.get("date", "")) or now), 1.0), LONGEST_WAIT)


def _instant(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


@dataclass
class _Line:
    """The recent past of one connector."""

    state: State = "closed"
    failures: int = 0
    until: float = 0.0
    pause: float = FIRST_PAUSE
    trial: bool = False
    why: str = ""


class Breakers:
    """One breaker per connector: closed, open (calls are refused), half open (one trial call decides)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives monotonic seconds."""
        self._clock = clock
        self._lines: dict[str, _Line] = {}

    def state(self, connector: str) -> State:
        """The state now; an open breaker whose pause is over is half open."""
        line = self._line(connector)
        if line.state == "open" and self._clock() >= line.until:
            line.state, line.trial = "half_open", False
        return line.state

    def why(self, connector: str) -> str:
        """The reason of the last opening, "" when closed."""
        return self._line(connector).why if self.state(connector) != "closed" else ""

    def wait(self, connector: str) -> float:
        """0.0 when a call may go now (half open: it is the one trial), else the seconds to wait."""
        state, line = self.state(connector), self._line(connector)
        if state == "closed":
            return 0.0
        if state == "half_open":
            if line.trial:
                return FIRST_PAUSE
            line.trial = True
            return 0.0
        return math.ceil(line.until - self._clock())

    def left(self, connector: str) -> float:
        """Seconds an open breaker stays open; takes no trial."""
        return max(self._line(connector).until - self._clock(), 0.0) if self.state(connector) == "open" else 0.0

    def worked(self, connector: str) -> None:
        """The other side answered sensibly: close, forget the failures."""
        self._lines[connector] = _Line()

    def failed(self, connector: str, why: str, *, auth: bool = False) -> None:
        """Count a failure; open at the fifth in a row, at a failed trial, or at once for a refused sign-in."""
        line, trial = self._line(connector), self.state(connector) == "half_open"
        line.failures += 1
        if not (auth or trial or line.failures >= FAILURES):
            return
        line.pause = LONGEST_PAUSE if auth else min(line.pause * 2, LONGEST_PAUSE) if trial else FIRST_PAUSE
        line.state, line.until, line.why, line.trial = "open", self._clock() + line.pause, why, False

    def skipped(self, connector: str) -> None:
        """The trial call was never made: let the next one be the trial."""
        self._line(connector).trial = False

    def reset(self, connector: str) -> None:
        """The operator changed something (a secret, the settings): try again at once."""
        self._lines.pop(connector, None)

    def _line(self, connector: str) -> _Line:
        return self._lines.setdefault(connector, _Line())


@dataclass(eq=False)
class Lines:
    """Everything one process knows of the lines of one home: allowances, breakers, and how late writes showed."""

    rates: Rates = field(default_factory=Rates)
    breakers: Breakers = field(default_factory=Breakers)
    lags: dict[tuple[str, str], float] = field(default_factory=dict)
    """By connector and operation: the longest that a write was still invisible to its look-up, in seconds."""
    shared: dict[str, str] = field(default_factory=dict)
    """The credential of every connection that was opened, by its name."""

    def allowances(self) -> Iterator[tuple[str, Allowance]]:
        """The allowance of every connection by name."""
        for name in sorted(self.shared):
            yield name, self.rates.allowance(self.shared[name])


_OPEN: WeakValueDictionary[str, Lines] = WeakValueDictionary()


def begin(home: Path) -> Lines:
    """Fresh lines of a home, for its one door; those who only read find them with ``lines_of``."""
    made = Lines()
    _OPEN[str(home)] = made
    return made


def lines_of(home: Path) -> Lines:
    """The lines of the door of a home; fresh ones where no door is open."""
    return _OPEN.get(str(home)) or Lines()
