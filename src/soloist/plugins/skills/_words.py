"""The shape of a rule by words: (name, weight, pattern); it holds no words itself.

Weights: 3 settles it alone, 2 is strong, 1 only supports.
"""

from __future__ import annotations

import re

Rule = tuple[str, int, re.Pattern[str]]


def rules(*rows: tuple[str, int, str]) -> tuple[Rule, ...]:
    """Compile rows of (name, weight, regular expression); case does not matter."""
    return tuple((name, weight, re.compile(pattern, re.IGNORECASE)) for name, weight, pattern in rows)
