"""The shape of a rule by words: (name, weight, pattern); it holds no words itself.

Weights: 3 settles it alone, 2 is strong, 1 only supports.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import cast


class _Late:
    """A pattern that is compiled when it is first used: together they take a tenth of a second of every start."""

    def __init__(self, pattern: str) -> None:
        self._written = pattern

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._written, re.IGNORECASE)

    def __getattr__(self, name: str) -> object:
        return getattr(self._compiled, name)


Rule = tuple[str, int, re.Pattern[str]]


def rules(*rows: tuple[str, int, str]) -> tuple[Rule, ...]:
    """Rows of (name, weight, regular expression) as rules; case does not matter."""
    return tuple((name, weight, cast("re.Pattern[str]", _Late(pattern))) for name, weight, pattern in rows)
