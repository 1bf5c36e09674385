"""Vectors of one model, by place of the row: sign bits in memory, whole numbers in blocks; all sums are exact.

A vector is 384 whole numbers of 16 bits (32767 is one). Their dot product is below 2**53 whatever the order of
adding, so even a machine that adds floats in another order finds the same number.
"""

from __future__ import annotations

import itertools
import mmap

import numpy as np

from soloist.engine.recall.arrays import Array, Column

SIZE = 384
ONE = 32_767
BLOCK = 16_384
"""Rows of a block: 12.6 MB, the unit that is written to disk and mapped back."""
MOST_BLOCKS = 2
"""Blocks that wait in memory before they are written and mapped."""
WORDS = SIZE // 64
STRIDE = 65_536
"""Rows that are compared bit by bit at a time, so that what lies between stays in the cache."""
FAR = SIZE + 1
PIECE = 256
"""Rows that are summed at a time, in room that is asked for once and stays in the cache."""
LEVELS = 4
"""Binary places of each of the question's numbers in the second comparison."""
WIDER = 4
"""How many times as many rows are compared a second time as are wanted."""


def whole_numbers(vectors: Array) -> Array:
    """Vectors of length 1 as 16-bit whole numbers, one row each."""
    return np.clip(np.rint(np.asarray(vectors, np.float64) * ONE), -ONE, ONE).astype(np.int16)


def signs(vectors: Array) -> Array:
    """Which numbers are above zero, 64 to a word: 6 rows, a column for each vector."""
    packed = np.packbits(np.ascontiguousarray(vectors) > 0, axis=1)
    return np.ascontiguousarray(packed.view(np.uint64).T)


def _fresh() -> Array:
    """An empty block that the system has back at once when it is let go; the heap would keep it."""
    return np.frombuffer(mmap.mmap(-1, BLOCK * SIZE * 2), np.int16).reshape(BLOCK, SIZE)


class Vectors:
    """Grows by place; a place without a vector has none in ``has``."""

    def __init__(self, model: str, upto: int = 0) -> None:
        """``upto`` is the last row number that was asked for a vector of this model."""
        self.model, self.upto = model, upto
        self.bits = Column(np.uint64, width=WORDS)
        self.has = Column(np.bool_)
        self.blocks: dict[int, Array] = {}
        self.changed: set[int] = set()

    def put(self, places: Array, vectors: Array) -> None:
        """Set the vectors (16-bit rows) of some places, ascending."""
        if not len(places):
            return
        last = int(places[-1]) + 1
        self.bits.pad(last)
        self.has.pad(last)
        for number in np.unique(places // BLOCK):
            here = places // BLOCK == number
            self._writable(int(number))[places[here] % BLOCK] = vectors[here]
        self.bits.view[:, places] = signs(vectors)
        self.has.view[places] = True

    def forget(self, places: Array) -> None:
        """Have no vector at some places."""
        places = places[places < self.has.count]
        places = places[self.has.view[places]]
        self.has.view[places] = False
        self.bits.view[:, places] = 0
        for number in np.unique(places // BLOCK):
            self._writable(int(number))[places[places // BLOCK == number] % BLOCK] = 0

    def _writable(self, number: int) -> Array:
        """A block in memory; one that is mapped is copied first."""
        block = self.blocks.get(number)
        if block is None or not block.flags.writeable:
            fresh = _fresh()
            if block is not None:
                fresh[: len(block)] = block
            self.blocks[number] = block = fresh
        self.changed.add(number)
        return block

    def near(self, question: Array, places: Array | None, count: int, seen: Array) -> Array:
        """About ``count`` places whose signs are nearest, ascending; of ``places``, or of all that ``seen`` allows.

        Signs against signs first; the best of that again, signs against how much each of the question's numbers is.
        """
        asked, wide = signs(question[None, :])[:, 0], WIDER * count
        if places is not None:
            away = _apart(self.bits.view.take(places, axis=1), asked)
            found = places[_nearest(away, wide)]
        else:
            away = _apart(self.bits.view[:, : len(seen)], asked)
            away[~seen[: len(away)]] = FAR
            found = _nearest(away, wide)
        if len(found) <= count:
            return found
        along = _along(self.bits.view.take(found, axis=1), question)
        edge = np.partition(along, len(along) - count)[len(along) - count]
        nearest: Array = found[along >= edge]
        return nearest

    def dots(self, question: Array, places: Array) -> Array:
        """Exact dot products of some places, ascending, as whole numbers."""
        found = np.zeros(len(places), np.int64)
        asked = question.astype(np.float64)
        some = min(len(places), PIECE)
        rows, wide = np.empty((some, SIZE), np.int16), np.empty((some, SIZE), np.float64)
        numbers, within = places // BLOCK, places % BLOCK
        edges = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1))
        for start, end in itertools.pairwise(edges.tolist()):
            block = np.asarray(self.blocks[int(numbers[start])])  # not a mapped array: its slices cost more
            for first in range(start, end, PIECE):
                some = min(PIECE, end - first)
                here = slice(first, first + some)
                wide[:some] = block.take(within[here], axis=0, out=rows[:some], mode="clip")
                found[here] = wide[:some] @ asked
        return found

    @property
    def nbytes(self) -> int:
        """Bytes in memory; mapped blocks are not."""
        own = sum(block.nbytes for block in self.blocks.values() if block.flags.writeable)
        return self.bits.nbytes + self.has.nbytes + own


def _apart(bits: Array, asked: Array) -> Array:
    """In how many signs each column differs from the question."""
    count = bits.shape[1]
    away = np.empty(count, np.uint16)
    for start in range(0, count, STRIDE):
        end = min(start + STRIDE, count)
        half = [np.bitwise_count(bits[word, start:end] ^ asked[word]) for word in range(WORDS)]
        for other in (1, 2):
            half[0] += half[other]
            half[3] += half[3 + other]
        np.add(half[0], half[3], out=away[start:end], dtype=np.uint16)
    return away


def _along(bits: Array, question: Array) -> Array:
    """How far each column's signs go along with the question's numbers, which count in 16 steps; whole numbers."""
    most = max(int(np.abs(question.astype(np.int64)).max()), 1)
    steps = ((question.astype(np.int64) + most) * (2**LEVELS - 1) + most) // (2 * most)
    planes = [signs(((steps >> level) & 1)[None, :])[:, 0] for level in range(LEVELS)]
    found = np.zeros(bits.shape[1], np.int32)
    for word in range(WORDS):
        here = bits[word]
        found -= (2**LEVELS - 1) * np.bitwise_count(here).astype(np.int32)
        for level, plane in enumerate(planes):
            found += np.bitwise_count(here & plane[word]).astype(np.int32) << (level + 1)
    return found


def _nearest(away: Array, count: int) -> Array:
    """Places of the smallest differences; every one that is as near as the last of them comes along."""
    if count >= len(away):
        return np.flatnonzero(away < FAR)
    reach = np.cumsum(np.bincount(away, minlength=FAR + 1))
    edge = int(np.searchsorted(reach, count))
    return np.flatnonzero(away <= min(edge, FAR - 1))
