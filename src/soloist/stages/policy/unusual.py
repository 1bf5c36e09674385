"""Unusual: what about a proposal differs from the history of its own operation; flags for a person, not a verdict."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.kernel.money import plain

ENOUGH = 5
"""Fewer earlier cases than this are no history."""
HOURS_ENOUGH = 20
"""Earlier cases before an hour of the day can be called unusual."""
TEXTS = 50
"""Earlier texts that a new one is compared with."""
_LETTERS = 2000


@dataclass(frozen=True)
class Flag:
    """One thing that is unusual: its name, which rules can use, and plain words with the figures."""

    name: str
    words: str


@dataclass(frozen=True)
class Past:
    """The approved history of one operation, newest first.

    ``amounts`` in minor units of the same currency; ``hours`` of the operator's day; ``rates`` how many went in each
    hour in which any did, ``last_hour`` how many in the hour before this one; ``texts`` at most ``TEXTS``.
    """

    count: int = 0
    amounts: Sequence[int] = ()
    recipients: frozenset[str] = frozenset()
    hours: Sequence[int] = ()
    rates: Sequence[int] = ()
    last_hour: int = 0
    texts: Sequence[str] = ()


def flags(past: Past, *, amount: int, currency: str, recipients: Sequence[str], hour: int, text: str) -> list[Flag]:
    """What is unusual about one more case of an operation."""
    found = [
        _amount(past, amount, currency),
        _recipient(past, recipients),
        _hour(past, hour),
        _volume(past),
        _content(past, text),
    ]
    return [flag for flag in found if flag is not None]


def _amount(past: Past, amount: int, currency: str) -> Flag | None:
    """Over three times the median and over everything before."""
    if not amount or len(past.amounts) < ENOUGH:
        return None
    middle, most = statistics.median(past.amounts), max(past.amounts)
    if amount <= 3 * middle or amount <= most:
        return None
    usual, top = _money(middle, currency), _money(most, currency)
    return Flag("amount", f"The amount is {_money(amount, currency)}; usual is {usual}, the most so far was {top}.")


def _money(minor: float, currency: str) -> str:
    return f"{plain(round(minor), currency, grouped=True)} {currency}".rstrip()


def _recipient(past: Past, recipients: Sequence[str]) -> Flag | None:
    """Somebody whom this operation never reached."""
    fresh = sorted({address.casefold() for address in recipients} - past.recipients)
    if past.count < ENOUGH or not fresh:
        return None
    return Flag("recipient", f"{', '.join(fresh[:3])} never received this before.")


def _hour(past: Past, hour: int) -> Flag | None:
    """An hour of the day more than one away from every hour seen."""
    if len(past.hours) < HOURS_ENOUGH or any((hour - seen) % 24 in (0, 1, 23) for seen in past.hours):
        return None
    return Flag("hour", f"It is {hour} o'clock; this usually happens between {min(past.hours)} and {max(past.hours)}.")


def _volume(past: Past) -> Flag | None:
    """This hour brings over three times the most of any hour before."""
    if past.count < ENOUGH or not past.rates or past.last_hour + 1 <= 3 * max(past.rates):
        return None
    now, most = past.last_hour + 1, max(past.rates)
    return Flag("volume", f"This is number {now} within an hour; the most in an hour so far was {most}.")


def _content(past: Past, text: str) -> Flag | None:
    """A text further from all earlier ones than they are from each other."""
    if len(past.texts) < ENOUGH or not text.strip():
        return None
    grams = [_grams(other) for other in past.texts[:TEXTS]]
    nearest = min(_distance(_grams(text), other) for other in grams)
    limit = _spread(grams[:20])
    if nearest <= limit:
        return None
    usual = f"distance {nearest:.2f}, usual up to {limit:.2f}"
    return Flag("content", f"The text is unlike the last {len(grams)} ({usual}).")


def _grams(text: str) -> frozenset[str]:
    """The runs of three letters of a text, case and spacing set aside."""
    plain = " ".join(text.casefold().split())[:_LETTERS]
    return frozenset(plain[i : i + 3] for i in range(max(1, len(plain) - 2)))


def _distance(one: frozenset[str], two: frozenset[str]) -> float:
    """Cosine distance of two sets: 0 for the same, 1 for nothing in common."""
    return 1.0 - len(one & two) / math.sqrt(len(one) * len(two)) if one and two else 1.0


def _spread(grams: Sequence[frozenset[str]]) -> float:
    """How far a text may be from its nearest: the middle of the earlier ones and three deviations, at least 0.3.

    Middle and deviation are medians, so that one strange text does not make the next one usual.
    """
    near = [min(_distance(g, other) for j, other in enumerate(grams) if j != i) for i, g in enumerate(grams)]
    middle = statistics.median(near)
    return max(0.3, middle + 3 * 1.4826 * statistics.median(abs(one - middle) for one in near))


def text_of(payload: Mapping[str, Any]) -> str:
    """The words of a payload, in the order of its fields."""
    return "\n".join(_words(payload))[: 2 * _LETTERS]


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else []
    return [text for part in parts for text in _words(part)]
