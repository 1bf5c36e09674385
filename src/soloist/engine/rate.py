"""Rate and breaker: how often a connector may be called, and when it is left alone; decides nothing about outcomes.

Both live in memory: after a restart a connector starts with a full allowance and a closed breaker.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

State = Literal["closed", "open", "half_open"]

FAILURES = 5
"""Consecutive failures that open the breaker."""
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 900.0
"""The pause doubles from the first to the longest, in seconds; a refused sign-in takes the longest at once."""


class Rates:
    """An allowance per credential: at most ``per_second`` and ``per_minute`` calls in any such window."""

    def __init__(self, *, per_second: int = 50, per_minute: int = 1200) -> None:
        """Both limits hold together."""
        self._limits: list[RateLimitItem] = [RateLimitItemPerSecond(per_second), RateLimitItemPerMinute(per_minute)]
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def take(self, credential: str) -> float:
        """Take one call and return 0.0, or take nothing and return the seconds to wait."""
        wait = max(self._wait(limit, credential) for limit in self._limits)
        if wait:
            return wait
        for limit in self._limits:
            self._window.hit(limit, credential)
        return 0.0

    def _wait(self, limit: RateLimitItem, credential: str) -> float:
        if self._window.test(limit, credential):
            return 0.0
        reset = self._window.get_window_stats(limit, credential).reset_time
        # never longer than one window, whatever the wall clock did meanwhile
        return min(max(reset - time.time(), 0.01), float(limit.get_expiry()))


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
