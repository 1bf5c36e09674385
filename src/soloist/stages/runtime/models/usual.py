"""Usual: tokens of questions of a skill and the length of their answers, learned from settled calls; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

FEW = 4
"""Calls below which a length is the median of all and follows nothing."""
TIED = 0.5
"""Share of the spread (r squared) from which the length of an answer is said to follow that of its question."""


@dataclass(frozen=True)
class Line:
    """``base`` and ``slope`` tokens for each byte of the question, within ``low`` and ``high``."""

    base: float
    slope: float
    low: float
    high: float

    def at(self, size: int) -> int:
        """Tokens for a question of so many bytes."""
        return max(1, round(min(max(self.base + self.slope * size, self.low), self.high)))


@dataclass(frozen=True)
class Usual:
    """What ``calls`` settled calls say of questions and answers."""

    asked: Line
    answered: Line
    calls: int


def size(instructions: str, text: str, schema: Mapping[str, Any] | None, before: Sequence[Mapping[str, str]]) -> int:
    """Bytes of a question as it is counted here, whatever a provider makes of it."""
    given = [instructions, text, *(turn["text"] for turn in before)]
    whole = sum(len(one.encode("utf-8", "replace")) for one in given)
    return whole + (len(json.dumps(schema).encode()) if schema else 0)


def learned(calls: Sequence[tuple[int, int, int]]) -> Usual | None:
    """From (bytes, tokens in, tokens out) of settled calls; None without any.

    Tokens in grow with the bytes. An answer's length is the median, unless it follows that of the question.
    """
    rows = [row for row in calls if row[0] > 0 and row[1] > 0]
    if not rows:
        return None
    sizes = [row[0] for row in rows]
    line, tied = _line(sizes, [row[2] for row in rows])
    if tied < TIED:
        middle = median(row[2] for row in rows)
        line = Line(middle, 0.0, middle, middle)
    asked, _ = _line(sizes, [row[1] for row in rows])
    if asked.slope <= 0:
        asked = Line(0.0, sum(row[1] for row in rows) / sum(sizes), 0.0, 1e9)
    return Usual(Line(asked.base, asked.slope, 0.0, 1e9), line, len(rows))


def _line(sizes: Sequence[int], tokens: Sequence[int]) -> tuple[Line, float]:
    """The line of least squares, held between the least and the most seen, and how much of the spread it explains."""
    count = len(sizes)
    low, high = min(tokens), max(tokens)
    x, y = sum(sizes) / count, sum(tokens) / count
    spread = sum((one - x) ** 2 for one in sizes)
    around = sum((one - y) ** 2 for one in tokens)
    if count < FEW or not spread:
        return Line(y, 0.0, low, high), 0.0
    both = sum((a - x) * (b - y) for a, b in zip(sizes, tokens, strict=True))
    slope = both / spread
    return Line(y - slope * x, slope, low, high), both * both / (spread * around) if around else 0.0
