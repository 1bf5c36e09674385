"""The index: words, vectors and what masks need of every row, in memory; made from the store and never the truth.

Figures of words (how many rows there are, how many hold a stem, how long they are) are taken over the rows of the
mask alone, so what is written later can never change an old answer.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from soloist.engine.recall import places, words
from soloist.engine.recall.arrays import Array, Column, Names, best, numbered
from soloist.engine.recall.legs import MILLION, Legs, Mask, Question
from soloist.engine.recall.postings import Parts, Postings
from soloist.engine.recall.vectors import ONE, Vectors
from soloist.kernel.memory import TIERS

RULE = "bm25 1.2 .75, signs twice then sums"
"""How candidates are found; named in the parameters of every retrieval."""
K1, B = 1.2, 0.75
FOREVER = 2**62
ALL_ROWS = 4_000
"""A mask that lets no more rows through is ranked whole."""
MOST_STEMS = 62
SORTED = 100_000
"""Entries of a question's stems that are sorted by row; more are summed in an array of all rows, which costs less."""
RESCORED, SHARE = 3_000, 50
"""Rows whose vectors are read after the signs were compared: so many, or one in ``SHARE`` of those there are."""

COLUMNS = {
    "n": np.int64,
    "begun": np.int64,
    "ended": np.int64,
    "expires": np.int64,
    "at": np.int64,
    "hash": np.int64,
    "scope": np.int32,
    "kind": np.int32,
    "record": np.int32,
    "thread": np.int32,
    "ordinal": np.int32,
    "actor": np.int32,
    "tier": np.int8,
    "length": np.uint16,
}
NAMES = ("stem", "scope", "kind", "record", "thread", "actor")
_TIER = {name: number for number, name in enumerate(TIERS)}


@dataclass(frozen=True)
class Row:
    """A row of memory as the index needs it; ``at`` in seconds, ``expires`` in millionths of one (FOREVER never)."""

    n: int
    begun: int
    ended: int
    tier: str
    scope: str
    kind: str
    text: str
    hash: str
    at: int
    actor: str
    thread: str
    ordinal: int
    record: str
    expires: int


@dataclass(frozen=True)
class Moment:
    """What a reader works on: views of one moment, which later writes leave as they are."""

    columns: Mapping[str, Array]
    postings: Parts
    threads: tuple[tuple[Array, Array], ...]
    vectors: Vectors | None
    names: Mapping[str, Names]
    seq: int = 0
    """The place in the journal up to which everything is here."""
    changes: int = 0
    """Grows with every change of rows or vectors."""

    @property
    def count(self) -> int:
        """Rows there are."""
        return len(self.columns["n"])


class Index:
    """All rows of a home. Writers hold ``lock``; readers take a ``moment`` and need it no longer."""

    def __init__(self) -> None:
        """Empty."""
        self.lock = threading.Lock()
        self.columns = {name: Column(kind) for name, kind in COLUMNS.items()}
        self.names = {name: Names() for name in NAMES}
        self.postings = Postings()
        self.threads = places.Threads()
        self.vectors: dict[str, Vectors] = {}
        self.actors: dict[int, dict[int, int]] = {}
        self.seq = self.newest = 0
        self.changes = self.spoken = 0
        """How often rows or vectors changed, and how often somebody wrote in a scope for the first time."""

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows in the order of their numbers, all above those there are."""
        if not rows:
            return
        self.changes += 1
        first, number = self.columns["n"].count, {name: self.names[name].number for name in NAMES}
        stems, at, often, lengths = self._counted((row.text for row in rows), first)
        values = {
            "n": [row.n for row in rows],
            "begun": [row.begun for row in rows],
            "ended": [row.ended for row in rows],
            "expires": [row.expires for row in rows],
            "at": [row.at for row in rows],
            "hash": [short(row.hash) for row in rows],
            "scope": [number["scope"](row.scope) for row in rows],
            "kind": [number["kind"](row.kind) for row in rows],
            "record": [number["record"](row.record) for row in rows],
            "thread": [number["thread"](row.thread) for row in rows],
            "ordinal": [min(max(row.ordinal, 0), places.MOST) for row in rows],
            "actor": [number["actor"](row.actor) for row in rows],
            "tier": [_TIER[row.tier] for row in rows],
            "length": lengths,
        }
        for name, column in self.columns.items():
            column.extend(values[name])
        self.postings.add(stems, at, often)
        self.threads.add(values["thread"], values["ordinal"], [*range(first, first + len(rows))])
        self._speak(zip(values["scope"], values["actor"], values["begun"], strict=True))
        self.newest = rows[-1].n

    def _speak(self, spoken: Iterable[tuple[int, int, int]]) -> None:
        """Note who wrote in which scope, and from which sequence on."""
        for scope, actor, seq in spoken:
            if actor >= 0 and actor not in (known := self.actors.setdefault(scope, {})):
                known[actor] = seq
                self.spoken += 1

    def writers(self, scopes: Sequence[str], seq: int) -> list[str]:
        """Names of those who had written in some scopes as of a sequence; no scopes are all."""
        chosen = [self.names["scope"].find(scope) for scope in scopes] if scopes else [*self.actors]
        known = [self.actors.get(scope, {}) for scope in chosen]
        numbers = {actor for scope in known for actor, first in scope.items() if first <= seq}
        return [self.names["actor"].texts[number] for number in sorted(numbers)]

    def _counted(self, texts: Iterable[str], first: int) -> tuple[list[int], list[int], list[int], list[int]]:
        """Stems, places, how often, and the length of each text."""
        number = self.names["stem"].number
        stems: list[int] = []
        at: list[int] = []
        often: list[int] = []
        lengths: list[int] = []
        for place, text in enumerate(texts, first):
            found = words.stems(text)
            counted = Counter(found)
            stems += map(number, counted)
            often += counted.values()
            at += [place] * len(counted)
            lengths.append(min(len(found), 65_535))
        return stems, at, often, lengths

    def end(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Rows by number that ended at a sequence."""
        for n, seq in pairs:
            self.changes += 1
            if (place := self.place(n)) >= 0:
                self.columns["ended"].view[place] = seq

    def place(self, n: int) -> int:
        """Where a row stands, -1 when it is not here."""
        numbers = self.columns["n"].view
        found = int(np.searchsorted(numbers, n))
        return found if found < len(numbers) and numbers[found] == n else -1

    def embed(self, model: str, numbers: Array, vectors: Array) -> None:
        """Vectors (16-bit rows) of rows by number, ascending; rows that are not here are passed over."""
        self.changes += 1
        room = self.vectors.setdefault(model, Vectors(model))
        known = self.columns["n"].view
        if len(numbers) and len(known):
            found = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
            here = known[found] == numbers
            room.put(found[here], vectors[here])
        if len(numbers):
            room.upto = max(room.upto, int(numbers[-1]))

    def forget(self, gone: Array) -> None:
        """Have nothing left of rows at some places: no words, no names, no vectors; nobody will see them."""
        if not len(gone):
            return
        self.changes += 1
        for name, value in (("begun", FOREVER), ("ended", 0), ("length", 0), ("at", 0), ("hash", 0)):
            self.columns[name].view[gone] = value
        for name in ("scope", "kind", "record", "thread", "actor"):
            self.columns[name].view[gone] = -1
        mask = np.zeros(self.columns["n"].count, bool)
        mask[gone] = True
        self.postings = self.postings.without(mask)
        for vectors in self.vectors.values():
            vectors.forget(gone)
        used = {name: np.unique(self.columns[name].view) for name in NAMES[1:]}
        used["stem"] = self.postings.whole().stems
        self.names = {name: Names(self.names[name].texts) for name in NAMES}
        for name in NAMES:
            self.names[name].keep(used[name])
        self.note_writers()
        self._thread_anew()

    def note_writers(self) -> None:
        """Work out anew who wrote in which scope."""
        self.actors, self.spoken = {}, self.spoken + 1
        scopes, actors = self.columns["scope"].view.astype(np.int64), self.columns["actor"].view
        spoken, first = np.unique((scopes << places.SHIFT) | (actors + 1).astype(np.int64), return_index=True)
        columns = (spoken >> places.SHIFT, (spoken & (2**32 - 1)) - 1, self.columns["begun"].view[first])
        self._speak(zip(*(column.tolist() for column in columns), strict=True))

    def _thread_anew(self) -> None:
        """Sort the threads from the columns."""
        self.threads = places.Threads()
        columns = [self.columns[name].view.tolist() for name in ("thread", "ordinal")]
        self.threads.add(columns[0], columns[1], [*range(len(columns[0]))])
        self.threads.settle()

    def moment(self, model: str = "") -> Moment:
        """Views of now, with the vectors of a model."""
        columns = {name: column.view for name, column in self.columns.items()}
        vectors = self.vectors.get(model) if model else None
        parts = self.postings.parts(), self.threads.parts()
        return Moment(columns, *parts, vectors, self.names, self.seq, self.changes)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays in memory; names come on top."""
        columns = sum(column.nbytes for column in self.columns.values())
        return columns + self.postings.nbytes + self.threads.nbytes + sum(v.nbytes for v in self.vectors.values())


def short(digest: str) -> int:
    """The beginning of a hash as a number."""
    return int(digest[:15] or "0", 16)


# ----- answering


def seen(moment: Moment, mask: Mask, now: int) -> Array:
    """Which rows a mask lets through; ``now`` is its instant in millionths of a second."""
    columns = moment.columns
    found = columns["begun"] <= mask.seq
    found &= columns["ended"] > mask.seq
    found &= columns["expires"] > now
    if len(found) and mask.newest < columns["n"][-1]:
        found &= columns["n"] <= mask.newest
    if mask.tiers:
        found &= np.isin(columns["tier"], [_TIER[name] for name in mask.tiers])
    chosen = {"scope": mask.scopes, "kind": mask.kinds, "record": mask.records, "thread": mask.threads}
    for name, wanted in chosen.items():
        if wanted:
            numbers = [moment.names[name].find(text) for text in wanted]
            found &= columns[name] == numbers[0] if len(numbers) == 1 else np.isin(columns[name], numbers)
    return found


@dataclass(frozen=True)
class Figures:
    """What a mask came to, to notice at a replay that rows are gone: rows, their words, and those with a vector."""

    rows: int
    words: int
    vectors: int


@dataclass(frozen=True)
class View:
    """What a mask shows of a moment: its rows, those whose vectors count, and the figures of both."""

    mask: Array
    meant: Array | None
    figures: Figures


def view(moment: Moment, mask: Mask, now: int, upto: int) -> View:
    """Vectors count up to row ``upto``, so that later ones change no old answer."""
    found = seen(moment, mask, now)
    total = int(moment.columns["length"].sum(where=found, dtype=np.int64))
    meant = _meant(moment, found, upto)
    vectors = int(np.count_nonzero(meant)) if meant is not None else 0
    return View(found, meant, Figures(int(np.count_nonzero(found)), total, vectors))


def answer(moment: Moment, question: Question, shown: View) -> Legs:
    """The candidates of a question."""
    question = replace(question, stems=question.stems[:MOST_STEMS])
    if question.among is not None:
        return _again(moment, question, shown)
    said = _words(moment, question.stems, shown)
    meant = shown.meant if question.vector is not None else None
    whole, near = shown.figures.rows <= ALL_ROWS, NOTHING
    if whole:
        chosen = np.flatnonzero(shown.mask)
    else:
        near = _nearest(moment.vectors, question, meant, shown.figures.vectors) if meant is not None else NOTHING
        chosen = _chosen(moment, question, shown.mask, said, near[0])
    legs = _legs(moment, question, chosen, said.of(chosen), (meant, *near))
    return replace(legs, whole=whole, rows=shown.figures.rows, document_frequency=said.often)


def _again(moment: Moment, question: Question, shown: View) -> Legs:
    """What words say of rows that were candidates of another question."""
    known = moment.columns["n"]
    found = np.minimum(np.searchsorted(known, question.among), max(len(known) - 1, 0))
    found = found[known[found] == question.among] if len(known) else found[:0]
    chosen = found[shown.mask[found]]
    said = _words(moment, question.stems, shown, chosen)
    scores, held = said.of(chosen)
    zero, none = np.zeros(len(chosen), np.int64), np.full(len(chosen), -1, np.int64)
    columns: dict[str, Any] = dict.fromkeys(("meaning", "has_vector", "ordinal", "at", "length"), zero)
    columns |= dict.fromkeys(("thread", "actor", "record"), none)
    legs = Legs(n=known[chosen], words=scores, held=held, whole=False, **columns)
    return replace(legs, rows=shown.figures.rows, document_frequency=said.often)


def _meant(moment: Moment, mask: Array, upto: int) -> Array | None:
    """Which rows of the mask have a vector that counts."""
    if moment.vectors is None:
        return None
    found = np.zeros(len(mask), bool)
    has = moment.vectors.has.view[: len(mask)]
    np.logical_and(mask[: len(has)], has, out=found[: len(has)])
    if len(mask) and upto < moment.columns["n"][-1]:
        found[int(np.searchsorted(moment.columns["n"], upto, "right")) :] = False
    return found


@dataclass(frozen=True)
class Said:
    """What words say of the rows that hold any: places ascending, BM25 in millionths, a bit for each stem held.

    ``often`` says how many rows hold each stem.
    """

    places: Array
    scores: Array
    held: Array
    often: dict[str, int]

    def of(self, chosen: Array) -> tuple[Array, Array]:
        """Scores and bits of some places, 0 for those that hold nothing."""
        if not len(self.places):
            return np.zeros((2, len(chosen)), np.int64)[0], np.zeros(len(chosen), np.int64)
        at = np.minimum(self.places.searchsorted(chosen), len(self.places) - 1)
        here = self.places[at] == chosen
        return self.scores[at] * here, self.held[at] * here


def _words(moment: Moment, stems: Sequence[tuple[str, int]], shown: View, only: Array | None = None) -> Said:
    """BM25 of all rows of the mask, or of some places ``only``; its figures are those of the mask all the same."""
    rows, total = shown.figures.rows, shown.figures.words
    at, counts, sizes = moment.postings.find([moment.names["stem"].find(stem) for stem, _ in stems])
    bits = np.repeat(np.arange(len(sizes)), sizes)
    if rows < moment.count:
        at, counts, bits = _those(shown.mask[at], at, counts, bits)
        sizes = np.bincount(bits, minlength=len(sizes)).tolist()
    if only is not None:
        there = np.zeros(moment.count, bool)
        there[only] = True
        at, counts, bits = _those(there[at], at, counts, bits)
    often = {stem: size for (stem, _), size in zip(stems, sizes, strict=True)}
    worth = np.array([_worth(rows, size) * weight / MILLION for size, (_, weight) in zip(sizes, stems, strict=True)])
    lengths, usual = moment.columns["length"], K1 * B / (max(total / rows, 1.0) if rows else 1.0)
    if len(at) > SORTED:
        scores, held = np.zeros((2, moment.count), np.int64)
        np.add.at(scores, at, _bm25(counts, worth[bits], lengths[at] * usual))
        np.add.at(held, at, np.int64(1) << bits)
        places_held = np.flatnonzero(held)
        return Said(places_held, scores[places_held], held[places_held], often)
    keys = (at.astype(np.int64) << 14) | (bits << 8) | counts
    keys.sort()
    at, bits = keys >> 14, (keys >> 8) & 63
    values = _bm25(keys & 255, worth[bits], lengths[at] * usual)
    first = np.flatnonzero(np.diff(at, prepend=-1))
    if not len(first):
        return Said(at, at, at, often)
    return Said(at[first], np.add.reduceat(values, first), np.bitwise_or.reduceat(np.int64(1) << bits, first), often)


def _bm25(counts: Array, worth: Array, norm: Array) -> Array:
    """What each entry adds to its row, in millionths; ``norm`` is the share of its length and is spent."""
    times = counts.astype(np.float64)
    norm += K1 * (1 - B)
    norm += times
    times *= worth
    times /= norm
    found: Array = np.rint(times, out=times).astype(np.int64)
    return found


def _those(which: Array, *columns: Array) -> list[Array]:
    """The same columns where it holds."""
    return [column[which] for column in columns]


def _worth(rows: int, size: int) -> float:
    """How much a stem tells apart that ``size`` of ``rows`` hold."""
    return (K1 + 1) * round(math.log(1 + (rows - size + 0.5) / (size + 0.5)) * MILLION)


def _chosen(moment: Moment, question: Question, mask: Array, said: Said, near_ones: Array) -> Array:
    """The best of both legs, and their neighbours in a thread, ascending."""
    holding = np.flatnonzero(said.scores)
    chosen = _united(said.places[holding[best(said.scores[holding], question.wide)]], near_ones)
    columns = moment.columns
    near = places.beside(moment.threads, columns["thread"][chosen], columns["ordinal"][chosen])
    near = near[near < len(mask)]
    return _united(chosen, near[mask[near]])


def _united(one: Array, other: Array) -> Array:
    """Places of both, each once, ascending."""
    both = np.sort(np.concatenate([one, other]).astype(np.int64))
    return both[np.diff(both, prepend=-1) > 0]


NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.int64))


def _nearest(vectors: Vectors | None, question: Question, meant: Array, there: int) -> tuple[Array, Array]:
    """The ``wide`` rows of the highest sums among those whose signs are nearest, ascending, and their sums."""
    if not there or vectors is None:
        return NOTHING
    count = max(RESCORED, question.wide, there // SHARE)
    some = np.flatnonzero(meant) if there * 2 < len(meant) else None
    near = vectors.near(question.vector, some, count, meant)
    sums = vectors.dots(question.vector, near)
    chosen = best(sums, question.wide)
    return near[chosen], sums[chosen]


def _meaning(
    moment: Moment, question: Question, chosen: Array, known: tuple[Array | None, Array, Array]
) -> tuple[Array, Array]:
    """Cosine in millionths of the chosen rows, and which have one; sums that are ``known`` are not made again."""
    meant, places_known, sums_known = known
    sums, has = np.zeros(len(chosen), np.int64), np.zeros(len(chosen), np.int64)
    if meant is None or moment.vectors is None:
        return sums, has
    has[meant[chosen]] = 1
    at = np.searchsorted(chosen, places_known)
    sums[at] = sums_known
    left = has == 1
    left[at] = False
    sums[left] = moment.vectors.dots(question.vector, chosen[left])
    return sums * MILLION // (ONE * ONE), has


def _legs(
    moment: Moment,
    question: Question,
    chosen: Array,
    said: tuple[Array, Array],
    known: tuple[Array | None, Array, Array],
) -> Legs:
    """The columns of the chosen rows."""
    scores, held = said
    columns = moment.columns
    meaning, has = _meaning(moment, question, chosen, known)
    taken: dict[str, Any] = {name: columns[name][chosen].astype(np.int64) for name in ("n", "ordinal", "at", "length")}
    for name in ("thread", "actor", "record"):
        numbers, taken[name] = numbered(columns[name][chosen])
        texts = moment.names[name].texts
        taken[f"{name}s"] = [texts[number] for number in numbers]
    return Legs(**taken, words=scores, meaning=meaning, has_vector=has, held=held)
