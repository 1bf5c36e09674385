"""Places in a thread: which rows stand shortly before and after a row in its conversation."""

from __future__ import annotations

import numpy as np

from soloist.engine.recall.arrays import Array, Column

TAIL = 16_384
REACH = 2
"""How many places before and after a row count as beside it."""
SHIFT = 32
MOST = 2**31 - 2


class Threads:
    """Rows by thread and ordinal: a sorted part, and a tail that is sorted when somebody asks."""

    def __init__(self, keys: Array | None = None, rows: Array | None = None) -> None:
        """``keys`` ascending with their ``rows``."""
        self.keys = np.zeros(0, np.int64) if keys is None else keys
        self.rows = np.zeros(0, np.int32) if rows is None else rows
        self._tail = Column(np.int64, width=2)
        self._sorted: tuple[int, Array, Array] | None = None

    def add(self, threads: list[int], ordinals: list[int], rows: list[int]) -> None:
        """Add rows; those without a thread have no neighbours."""
        keys = [
            ((thread << SHIFT) + min(max(ordinal, 0), MOST), row)
            for thread, ordinal, row in zip(threads, ordinals, rows, strict=True)
            if thread >= 0
        ]
        if keys:
            self._tail.extend(np.array(keys, np.int64).T)
        if self._tail.count >= TAIL:
            self.settle()

    def settle(self) -> None:
        """Sort the tail in; rows of one place stay in their order."""
        if self._tail.count:
            keys, rows = self._tail.view
            keys, rows = np.concatenate([self.keys, keys]), np.concatenate([self.rows, rows.astype(np.int32)])
            order = np.argsort(keys, kind="stable")
            self.keys, self.rows = keys[order], rows[order]
            self._tail = Column(np.int64, width=2)
            self._sorted = None

    def parts(self) -> tuple[tuple[Array, Array], ...]:
        """What there is now, for a reader: (keys ascending, rows) of both parts."""
        if self._sorted is None or self._sorted[0] != self._tail.count:
            keys, rows = self._tail.view
            order = np.argsort(keys, kind="stable")
            self._sorted = self._tail.count, keys[order], rows[order]
        return (self.keys, self.rows), self._sorted[1:]

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.keys.nbytes + self.rows.nbytes + self._tail.nbytes


def beside(parts: tuple[tuple[Array, Array], ...], threads: Array, ordinals: Array) -> Array:
    """Rows within ``REACH`` of the given places, in no order and some more than once; no thread, no neighbours."""
    placed = threads >= 0
    ordinals = np.clip(ordinals[placed], 0, MOST)
    base = np.sort((threads[placed].astype(np.int64) << SHIFT) + ordinals)
    before = base - np.minimum(base & (2**SHIFT - 1), REACH)
    found = []
    for keys, rows in parts:
        if not len(keys):
            continue
        left = keys.searchsorted(before, "left"), keys.searchsorted(base, "left")
        right = keys.searchsorted(base, "right"), keys.searchsorted(base + REACH, "right")
        for low, high in (left, right):
            sizes = high - low
            within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes - low, sizes)
            found.append(rows[within])
    return np.concatenate(found).astype(np.int64) if found else np.zeros(0, np.int64)
