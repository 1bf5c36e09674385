"""Spend: who pays for a call of a model, what it may cost at worst, what it did cost, and the meter; it counts nothing.

Amounts are whole millionths of a currency's unit ("micro"): 1.50 EUR is 1_500_000. A cap is held against the sum of
what is spent and what is held back for calls that still run, in every scope the payer stands in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Scope = Literal["house", "agent", "flow", "client", "run", "task"]
Span = Literal["call", "run", "day", "month", "total"]
Measure = Literal["money", "tokens", "calls", "runs"]
MICRO = 1_000_000
SCOPES: tuple[Scope, ...] = ("house", "agent", "flow", "client", "run", "task")
ALERTS = (50, 80, 100)
"""Shares of a cap, in percent, at which the operator is told, unless the cap says others."""
SPANS: tuple[Span, ...] = ("call", "run", "day", "month", "total")
MEASURES: tuple[Measure, ...] = ("money", "tokens", "calls", "runs")
NEVER = -1
"""The extra of a cap that the operator switched off until its period is over."""

ALIKE = ("EUR", "USD", "GBP", "CHF")
_LIMIT = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?\s*(k|M)?\s*([A-Z]{3}|tokens|calls|runs)?")
_TIMES = {None: 1, "k": 1_000, "M": 1_000_000}


def micro_of(text: str) -> int:
    """Millionths of a plain amount: "0.25" is 250_000 (ValueError says the form)."""
    match = re.fullmatch(r"(\d{1,12})(?:\.(\d{1,6}))?", text.strip())
    if not match:
        raise ValueError(f"write an amount like 2 or 0.25, not {text!r}")
    return int(match[1]) * MICRO + int((match[2] or "").ljust(6, "0"))


def rate(of: str, to: str, rates: Mapping[str, str]) -> int | None:
    """What one unit of a currency counts in another, in millionths; None when nobody said.

    Currencies in ``ALIKE`` count one for one as long as ``rates`` says nothing else.
    """
    if of == to:
        return MICRO
    if of in rates:
        return micro_of(rates[of])
    return MICRO if of in ALIKE and to in ALIKE else None


def limit(text: str, currency: str) -> tuple[Measure, int, str]:
    """What a text bounds: "2 EUR", "0.5", "200k tokens", "50 calls", "10 runs" as (measure, most, currency).

    Money is in millionths; without a currency it is in ``currency``. ValueError says the form.
    """
    match = _LIMIT.fullmatch(text.strip())
    unit = match[4] if match else None
    if not match or (match[2] and unit in MEASURES) or (match[3] and unit not in MEASURES):
        raise ValueError(f'write a limit like "2 {currency}", "200k tokens", "50 calls" or "10 runs", not {text!r}')
    for counted in MEASURES:
        if unit == counted:
            return counted, int(match[1]) * _TIMES[match[3]], ""
    return "money", micro_of(f"{match[1]}.{match[2] or '0'}"), unit or currency


@dataclass(frozen=True)
class Cap:
    """The most that one subject ("" is each subject of the scope) may use in one span.

    ``extra`` was granted on top of ``most`` until ``extra_until``; ``source`` says where the cap stands.
    """

    scope: Scope
    subject: str
    span: Span
    measure: Measure
    most: int
    currency: str = "EUR"
    alerts: tuple[int, ...] = ALERTS
    source: str = ""
    extra: int = 0
    extra_until: str = ""

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What makes it the same cap: scope, subject, span, measure."""
        return self.scope, self.subject, self.span, self.measure

    def at(self, now: str) -> int | None:
        """The most at an instant, extension included; None while it is switched off."""
        more = self.extra if now < self.extra_until else 0
        return None if more == NEVER else self.most + more


@dataclass(frozen=True)
class Sums:
    """What one scope has used in one period, and what is held back for calls that still run."""

    held_micro: int = 0
    held_tokens: int = 0
    spent_micro: int = 0
    spent_tokens: int = 0
    calls: int = 0
    runs: int = 0
    saved_micro: int = 0

    def of(self, measure: str) -> int:
        """Used and held, in the unit of the measure."""
        whole: Mapping[str, int] = {
            "money": self.held_micro + self.spent_micro,
            "tokens": self.held_tokens + self.spent_tokens,
            "calls": self.calls,
            "runs": self.runs,
        }
        return whole[measure]


@dataclass(frozen=True)
class Payer:
    """Who pays: one attempt of one step of a run. ``parents`` are the runs it was forked from, whose caps count too.

    ``limits`` are an agent's own for one run: caps of the scope "run" whose subject is a row of sums of their own.
    """

    run: str
    step: str
    attempt: int = 0
    agent: str = ""
    flow: str = ""
    client: str = ""
    task: str = ""
    parents: tuple[str, ...] = ()
    limits: tuple[Cap, ...] = ()


@dataclass(frozen=True)
class Worst:
    """What a call may come to at most: all tokens in, the most that may come out, at the highest price there can be."""

    micro: int
    tokens: int
    currency: str = "EUR"


@dataclass(frozen=True)
class Actual:
    """What a call came to; ``micro`` or ``tokens`` None when the provider did not say: then the worst counts."""

    micro: int | None
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int = 0


@dataclass(frozen=True)
class Held:
    """A sum held back, by the id of its row in ``model_calls``."""

    call: str
    worst: Worst


class Meter(Protocol):
    """Holds back before a call, settles after it; one for each run, handed to whoever calls a model."""

    async def reserve(self, payer: Payer, worst: Worst) -> Held:
        """Hold the worst case back, committed (CapReached names the cap; then nothing was held)."""

    async def settle(self, held: Held, actual: Actual) -> None:
        """Put what it cost in place of what was held; once, whatever happens in between."""
