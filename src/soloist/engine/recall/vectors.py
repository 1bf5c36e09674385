"""Vectors of one model, by place of the row: sign bits in memory, whole numbers in blocks; all sums are exact.

A vector is 384 whole numbers of 16 bits (32767 is one). Their dot product is below 2**53 whatever the order of
adding, so even a machine that adds floats in another order finds the same number.
"""

from __future__ import annotations

import itertools

import numpy as np

from soloist.engine.recall.arrays import Array, Column

SIZE = 384
ONE = 32_767
BLOCK = 16_384
"""Rows of a block: 12.6 MB, the unit that is written to disk and mapped back."""
WORDS = SIZE // 64
STRIDE = 65_536
"""Rows that are compared bit by bit at a time, so that what lies between stays in the cache."""
FAR = SIZE + 1


def whole_numbers(vectors: Array) -> Array:
    """Vectors of length 1 as 16-bit whole numbers, one row each."""
    return np.clip(np.rint(np.asarray(vectors, np.float64) * ONE), -ONE, ONE).astype(np.int16)


def signs(vectors: Array) -> Array:
    """Which numbers are above zero, 64 to a word: 6 rows, a column for each vector."""
    packed = np.packbits(np.ascontiguousarray(vectors) > 0, axis=1)
    return np.ascontiguousarray(packed.view(np.uint64).T)


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
            fresh = np.zeros((BLOCK, SIZE), np.int16)
            if block is not None:
                fresh[: len(block)] = block
            self.blocks[number] = block = fresh
        self.changed.add(number)
        return block

    def near(self, question: Array, places: Array | None, count: int, seen: Array) -> Array:
        """About ``count`` places whose signs are nearest, ascending; of ``places``, or of all that ``seen`` allows."""
        asked = signs(question[None, :])[:, 0]
        if places is not None:
            away = _apart(np.ascontiguousarray(self.bits.view[:, places]), asked)
            return places[_nearest(away, count)]
        away = _apart(self.bits.view[:, : len(seen)], asked)
        away[~seen[: len(away)]] = FAR
        return _nearest(away, count)

    def dots(self, question: Array, places: Array) -> Array:
        """Exact dot products of some places, ascending, as whole numbers."""
        found = np.zeros(len(places), np.int64)
        asked = question.astype(np.float64)
        numbers = places // BLOCK
        edges = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1))
        for start, end in itertools.pairwise(edges):
            block = self.blocks[int(numbers[start])]
            rows = block[places[start:end] % BLOCK].astype(np.float64)
            found[start:end] = (rows @ asked).astype(np.int64)
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


def _nearest(away: Array, count: int) -> Array:
    """Places of the smallest differences; every one that is as near as the last of them comes along."""
    if count >= len(away):
        return np.flatnonzero(away < FAR)
    reach = np.cumsum(np.bincount(away, minlength=FAR + 1))
    edge = int(np.searchsorted(reach, count))
    return np.flatnonzero(away <= min(edge, FAR - 1))
