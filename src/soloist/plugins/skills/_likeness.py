"""How alike texts are: by a small model's vectors where one is there, else by the words they share."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from soloist.plugins.skills._segments import told
from soloist.sdk import local


def alike(own: str, texts: Sequence[str], language: str) -> tuple[list[float], bool]:
    """The likeness of a text to each of others (0 to 1), and whether it was told by meaning."""
    reader = local.reader()
    dense = reader.vectors([own, *texts], language) if reader else None
    if dense is not None:
        return [sum(a * b for a, b in zip(dense[0], row, strict=True)) for row in dense[1:]], True
    mine = Counter(told(own))
    return [_cosine(mine, Counter(told(text))) for text in texts], False


def _cosine(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    both = sum(count * other.get(word, 0) for word, count in one.items())
    length = math.sqrt(sum(v * v for v in one.values()) * sum(v * v for v in other.values()))
    return both / length if length else 0.0
