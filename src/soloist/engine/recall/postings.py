"""Postings: which rows hold a stem, and how often; sorted pieces and a tail, made from rows in growing order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soloist.engine.recall.arrays import Array, Column

TAIL = 65_536
"""Entries that wait unsorted at the end; looking through them takes some 60 millionths of a second a question."""
MOVED = 1_000_000
"""Entries that are moved at a time when pieces are joined."""


@dataclass(frozen=True)
class Piece:
    """Entries of a range of rows, by stem: rows of ``stems[i]`` lie from ``starts[i]`` to ``starts[i + 1]``."""

    stems: Array
    starts: Array
    rows: Array
    counts: Array

    def spans(self, stems: Array) -> list[slice]:
        """Where the entries of each of some stems (32 bits, as those here) lie."""
        if not len(self.stems):
            return [slice(0, 0)] * len(stems)
        places = np.minimum(np.searchsorted(self.stems, stems), len(self.stems) - 1)
        there = self.stems[places] == stems
        begin, end = self.starts[places], np.where(there, self.starts[places + 1], self.starts[places])
        return [slice(low, high) for low, high in zip(begin.tolist(), end.tolist(), strict=True)]


class Postings:
    """Grows at its end only; readers take ``parts`` under the lock of the index and look things up without it."""

    def __init__(self, pieces: list[Piece] | None = None) -> None:
        """``pieces`` in the order of their rows."""
        self._pieces = pieces or []
        self._tail = Column(np.int32, width=2)
        self._often = Column(np.uint8)

    def add(self, stems: list[int], rows: list[int], counts: list[int]) -> None:
        """Add entries of rows that come after all rows there are, in the order of the rows."""
        self._tail.extend(np.array([stems, rows], np.int32))
        self._often.extend(np.minimum(np.array(counts, np.int64), 255))
        if self._tail.count >= TAIL:
            self.settle()

    def settle(self) -> None:
        """Sort the tail into a piece; pieces of like size become one, so there are never many."""
        if not self._tail.count:
            return
        stems, rows = self._tail.view
        self._pieces = [*self._pieces, _piece(stems, rows, self._often.view)]
        self._tail, self._often = Column(np.int32, width=2), Column(np.uint8)
        while len(self._pieces) > 1 and len(self._pieces[-2].rows) < 2 * len(self._pieces[-1].rows):
            self._pieces = [*self._pieces[:-2], _joined(self._pieces[-2:])]

    def parts(self) -> Parts:
        """What there is now, for a reader."""
        stems, rows = self._tail.view
        return Parts(tuple(self._pieces), stems, rows, self._often.view)

    def whole(self) -> Piece:
        """Everything in one piece, for the sidecar."""
        self.settle()
        if len(self._pieces) > 1:
            self._pieces = [_joined(self._pieces)]
        return self._pieces[0] if self._pieces else _piece(*np.zeros((3, 0), np.int32))

    def without(self, gone: Array) -> Postings:
        """The same without the rows for which ``gone`` is true."""
        piece = self.whole()
        stays = ~gone[piece.rows]
        stems = np.repeat(piece.stems, np.diff(piece.starts))[stays]
        return Postings([_counted(stems, piece.rows[stays], piece.counts[stays])])

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        sorted_ones = sum(p.stems.nbytes + p.starts.nbytes + p.rows.nbytes + p.counts.nbytes for p in self._pieces)
        return sorted_ones + self._tail.nbytes + self._often.nbytes


@dataclass(frozen=True)
class Parts:
    """The postings of one moment."""

    pieces: tuple[Piece, ...]
    tail_stems: Array
    tail_rows: Array
    tail_counts: Array

    def find(self, stems: Sequence[int]) -> tuple[Array, Array, list[int]]:
        """Entries of some stems, stem after stem: rows (ascending), how often each holds it, and entries a stem."""
        wanted = np.array(stems, np.int32)
        places = [piece.spans(wanted) for piece in self.pieces]
        tails = self._tails(wanted)
        rows, counts, sizes = [], [], []
        for number in range(len(wanted)):
            found = [
                (piece.rows[at[number]], piece.counts[at[number]])
                for piece, at in zip(self.pieces, places, strict=True)
            ]
            if tails is not None:
                found.append((self.tail_rows[tails[number]], self.tail_counts[tails[number]]))
            rows += [some for some, _ in found]
            counts += [some for _, some in found]
            sizes.append(sum(len(some) for some, _ in found))
        if not rows:
            return np.zeros(0, np.int32), np.zeros(0, np.uint8), [0] * len(wanted)
        return np.concatenate(rows), np.concatenate(counts), sizes

    def _tails(self, wanted: Array) -> list[Array] | None:
        """Places in the tail of each of some stems; the tail is looked through once for all of them."""
        if not len(self.tail_stems) or not len(wanted):
            return None
        there = np.zeros(max(int(self.tail_stems.max()), int(wanted.max())) + 1, bool)
        there[wanted[wanted >= 0]] = True
        here = np.flatnonzero(there[self.tail_stems])
        stems = self.tail_stems[here]
        return [here[stems == stem] for stem in wanted]


def _piece(stems: Array, rows: Array, counts: Array) -> Piece:
    """Entries in the order of rows, sorted by stem."""
    order = np.argsort(stems, kind="stable")
    return _counted(stems[order], rows[order], counts[order])


def _counted(stems: Array, rows: Array, counts: Array) -> Piece:
    """Entries that are sorted by stem already."""
    known, first = np.unique(stems, return_index=True)
    starts = np.append(first, len(stems)).astype(np.int32)
    return Piece(known.astype(np.int32), starts, rows.astype(np.int32), counts.astype(np.uint8))


def _joined(pieces: list[Piece]) -> Piece:
    """Pieces as one: sorted by stem, within a stem in the order of rows.

    Each piece is sorted already, so its entries are moved to where they belong, some at a time: sorting all of them
    anew takes several times the memory that they need.
    """
    stems = np.unique(np.concatenate([piece.stems for piece in pieces]))
    places = [np.searchsorted(stems, piece.stems) for piece in pieces]
    sizes = np.zeros(len(stems), np.int64)
    for piece, at in zip(pieces, places, strict=True):
        sizes[at] += np.diff(piece.starts)
    starts = np.append(0, np.cumsum(sizes))
    rows, counts = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.uint8)
    free = starts[:-1].copy()
    for piece, at in zip(pieces, places, strict=True):
        further = np.repeat((free[at] - piece.starts[:-1]).astype(np.int32), np.diff(piece.starts))
        free[at] += np.diff(piece.starts)
        for begin in range(0, len(further), MOVED):
            some = slice(begin, min(begin + MOVED, len(further)))
            to = np.arange(some.start, some.stop) + further[some]
            rows[to], counts[to] = piece.rows[some], piece.counts[some]
    return Piece(stems, starts.astype(np.int32), rows, counts)
