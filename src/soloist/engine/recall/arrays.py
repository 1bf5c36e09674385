"""Arrays: columns that grow at their end, and names as numbers; they know no rows and no scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[tuple[Any, ...], np.dtype[Any]]
SMALLEST = 1024
SPARSE = 32
"""When the highest number is so many times the count of values, they are sorted; else each has a place in a table."""


class Column:
    """An array with room at its end; ``view`` is what it holds and stays valid while more is added."""

    def __init__(self, kind: Any, first: Array | None = None, width: int = 0) -> None:
        """``width`` rows of such columns lie in one array when it is more than 0 (``view`` has them first)."""
        self._kind = np.dtype(kind)
        self._width = width
        self.count = 0
        self._array = np.zeros(self._shape(SMALLEST), self._kind)
        if first is not None:
            self.count = first.shape[-1]
            self._array = np.array(first, self._kind)

    @property
    def view(self) -> Array:
        """The values, not a copy."""
        return self._array[..., : self.count]

    @property
    def nbytes(self) -> int:
        """Bytes in memory, the free room included."""
        return self._array.nbytes

    def extend(self, values: Array | Sequence[int]) -> None:
        """Add values at the end."""
        more = np.asarray(values, self._kind)
        after = self.count + more.shape[-1]
        self.reserve(after)
        self._array[..., self.count : after] = more
        self.count = after

    def pad(self, count: int) -> None:
        """Grow with zeros to a length."""
        if count > self.count:
            self.reserve(count)
            self._array[..., self.count : count] = 0
            self.count = count

    def reserve(self, count: int) -> None:
        """Have room for so many values; an eighth is kept free, so that growing stays cheap and small."""
        if count > self._array.shape[-1]:
            grown = np.zeros(self._shape(count + count // 8 + SMALLEST), self._kind)
            grown[..., : self.count] = self._array[..., : self.count]
            self._array = grown

    def _shape(self, count: int) -> tuple[int, ...]:
        return (self._width, count) if self._width else (count,)


class Names:
    """Texts as small numbers, in the order they were first seen; -1 stands for none."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """``known`` in order; an empty text was forgotten and keeps its number."""
        self.texts: list[str] = list(known)
        self._numbers = {text: number for number, text in enumerate(self.texts) if text}

    def number(self, text: str) -> int:
        """The number of a text, a new one when it was never seen; -1 for the empty text."""
        if not text:
            return -1
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return found

    def find(self, text: str) -> int:
        """The number of a text; -1 for the empty one, -2 for one that was never seen."""
        return self._numbers.get(text, -2) if text else -1

    def keep(self, used: Array) -> None:
        """Forget every text whose number is not among ``used``; numbers stay as they are."""
        stays = np.zeros(len(self.texts) + 1, bool)
        stays[used] = True  # -1 falls on the spare place at the end
        for number in np.flatnonzero(~stays[:-1]):
            if self.texts[number]:
                del self._numbers[self.texts[number]]
                self.texts[number] = ""

    def __len__(self) -> int:
        """How many there are, forgotten ones included."""
        return len(self.texts)


def best(scores: Array, count: int) -> Array:
    """Places of the ``count`` highest scores, ascending by place; of equals the earlier ones, on every machine."""
    if count >= len(scores):
        return np.arange(len(scores))
    edge = np.partition(scores, len(scores) - count)[len(scores) - count]
    above = np.flatnonzero(scores > edge)
    level = np.flatnonzero(scores == edge)[: count - len(above)]
    return np.sort(np.concatenate([above, level]))


def numbered(values: Array) -> tuple[list[int], Array]:
    """Which numbers there are, ascending, and for each value the place of its own; -1 is none and stays -1."""
    top = int(values.max(initial=-1)) + 1
    if top > SPARSE * len(values):
        known, places = np.unique(values, return_inverse=True)
        none = int(known[0] == -1)
        return known[none:].tolist(), places.astype(np.int64) - none
    there = np.zeros(top + 1, bool)
    there[values] = True  # -1 falls on the spare place at the end
    there[-1] = False
    places = np.cumsum(there, dtype=np.int64) - 1
    places[-1] = -1
    return np.flatnonzero(there).tolist(), places[values]
