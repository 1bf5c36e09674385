"""Rank: orders the candidates of a question by a sum of scaled parts, in whole numbers; pure, reads no store.

The order is total: a higher score first, then the older row. Every weight is in ``Weights``, and each hit says what
its score is made of. Parts are millionths; weights are thousandths.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from soloist.engine.recall import words
from soloist.engine.recall.legs import MILLION, Legs, Question
from soloist.stages.memory import asking, second
from soloist.stages.memory.asking import Asked

if TYPE_CHECKING:
    Ints = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]

VERSION = "scaled-sum-1"
THOUSAND = 1_000


@dataclass(frozen=True)
class Weights:
    """All weights, in thousandths; they are kept with every retrieval."""

    words: int = 500
    """BM25 over the best row's, and as much less for ``meaning``: the two make up a row's own worth."""
    meaning: int = 500
    before: int = 275
    """Own worth of the row before it in the thread, added to a row."""
    after: int = 200
    around: int = 100
    """Own worth of the rows two away."""
    window: int = 400
    """Rarity of the question's words that the row or its neighbours hold, over that of all."""
    window_before: int = 500
    window_after: int = 300
    window_around: int = 200
    """How much a word counts for a row when only a neighbour holds it."""
    thread: int = 350
    """Own worth of the best row of the same thread."""
    actor: int = 400
    """For rows of somebody whom the question names."""
    party: int = 150
    """For rows of a thread or record in which somebody whom the question names wrote, and nobody else is named."""
    date: int = 500
    """For rows of the month the question names; half as much again near its day."""
    phrase: int = 500
    """For rows that hold words that stood in quotation marks."""
    read: int = 30
    """Rows whose texts are read for a second look (not thousandths); 0 leaves it out."""
    asks: int = 150
    """Taken from rows that end in a question."""
    answers: int = 50
    """For rows right after one that ends in a question."""
    tells: int = 200
    """For rows that name a time or a number when the question asks for one."""
    hop: int = 300
    """For words that the best rows hold beside the question's own."""
    overtaken: int = 300
    """Taken from rows that a newer one among the best corrects."""
    hop_from: int = 5
    """Rows whose words lead on (not thousandths)."""
    hop_rows: int = 200_000
    """Where more rows may be seen there is no second hop: it costs as much as the first (not thousandths)."""
    short: int = 150
    """Taken from rows of fewer than ``few`` words (not thousandths)."""
    few: int = 6
    learned: int = 100
    """The most that approved drafts a row was used in add to it, or overridden ones take."""
    judged: int = 5
    """Hits by which is judged whether the answer is there."""
    enough: int = 750
    """What the best of them must hold of the question; below it, the answer is not known."""
    vouch: int = 500
    """How far a cosine makes up for words that are missing."""
    unseen: int = 400
    """The cosine that is taken for granted where there are no vectors."""

    def parameters(self) -> dict[str, Any]:
        """As they are kept with a retrieval."""
        return {"rank": VERSION, **asdict(self)}


@dataclass(frozen=True)
class Ranked:
    """A hit: its row, its score, the parts of the score, and what of the question it holds.

    ``support`` is the share (millionths) of the question's rarity that the row and its neighbours hold. ``actor`` says
    whether its writer is whom the question names (None when it names nobody who wrote anything), ``overtaken_by`` the
    row that corrects it, 0 when none does.
    """

    n: int
    score: int
    parts: dict[str, int]
    held: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    support: int = 0
    cosine: int = 0
    actor: bool | None = None
    overtaken_by: int = 0


@dataclass(frozen=True)
class Verdict:
    """Whether the answer is probably among the hits, and why not, in words for the operator."""

    known: bool
    why: str = ""


def judge(asked: Asked, hits: Sequence[Ranked], w: Weights) -> Verdict:
    """From how much of the question the best hits hold: words, a code that nothing holds, the cosine."""
    if not hits:
        return Verdict(False, "nothing is remembered where was looked")
    best = hits[: w.judged]
    if lost := [code for code in asked.codes if not any(code in hit.held for hit in hits)]:
        return Verdict(False, f"nothing found holds {lost[0]}")
    seen = any(hit.cosine for hit in best)
    worth = max(hit.support + (hit.cosine if seen else w.unseen * THOUSAND) * w.vouch // THOUSAND for hit in best)
    if worth < w.enough * THOUSAND:
        return Verdict(False, "what was found holds too little of the question")
    return Verdict(True)


def rank(
    ask: Callable[[Question], Legs],
    asked: Asked,
    question: Question,
    weights: Weights,
    *,
    texts: Callable[[Sequence[int]], list[str]],
    k: int = 20,
    learned: Mapping[int, Sequence[int]] | None = None,
) -> list[Ranked]:
    """The best ``k`` rows for ``question`` (made by ``asked.question``), best first; ``texts`` reads rows by number.

    ``learned`` says of rows in how many approved drafts they were used, and in how many overridden ones.
    """
    legs = ask(question)
    if not len(legs.n):
        return []
    table = Table(legs, asked, weights)
    parts = table.parts()
    if learned:
        parts["learned"] = table.learned(learned)
    total = sum(parts.values(), np.zeros(len(legs.n), np.int64))
    order = np.argsort(-total, kind="stable")  # rows are ascending: of equals the older one comes first
    if weights.read:
        parts |= _read(table, order[: weights.read], total, Looks(ask, question, texts))
        total = sum(parts.values(), np.zeros(len(legs.n), np.int64))
        order = np.argsort(-total, kind="stable")
    return [table.hit(int(place), int(total[place]), parts) for place in order[:k]]


@dataclass(frozen=True)
class Looks:
    """Where a second look looks."""

    ask: Callable[[Question], Legs]
    question: Question
    texts: Callable[[Sequence[int]], list[str]]


def _read(table: Table, some: Ints, total: Ints, looks: Looks) -> dict[str, Ints]:
    """Parts that the texts of the best rows add, and what their words lead to."""
    w, asked, legs = table.weights, table.asked, table.legs
    before = table.beside(np.arange(len(legs.n)) + 1, -1)[some] - 1
    places = np.unique(np.concatenate([some, before[before >= 0]]))
    texts = looks.texts([int(legs.n[place]) for place in places])
    said = {place: text[: second.MOST] for place, text in zip(places.tolist(), texts, strict=True)}
    parts = {name: np.zeros(len(legs.n), np.int64) for name in ("asks", "answers", "tells", "phrase", "overtaken")}
    for old, new in _corrected(legs, some, said).items():
        table.overtaken[old] = int(legs.n[new])
        parts["overtaken"][old] = -w.overtaken * THOUSAND
    for place, prior in zip(some.tolist(), before.tolist(), strict=True):
        text = said[place]
        parts["asks"][place] = -w.asks * THOUSAND * second.asks(text)
        parts["answers"][place] = w.answers * THOUSAND * (prior >= 0 and second.asks(said[prior]))
        told = (asked.when and second.names_a_time(text)) or (asked.many and second.counts(text))
        parts["tells"][place] = w.tells * THOUSAND * told
        if asked.phrases:
            folded = f" {' '.join(words.tokens(text))} "
            parts["phrase"][place] = w.phrase * THOUSAND * any(f" {phrase} " in folded for phrase in asked.phrases)
    if w.hop and legs.rows <= w.hop_rows:
        first = some[: w.hop_from]
        stems = second.shared([said[int(p)] for p in first], [int(total[p]) for p in first], asked, table.writers)
        parts["hop"] = second.hop(looks.ask, looks.question, stems, legs.n) * w.hop // THOUSAND
    return parts


def _corrected(legs: Legs, some: Ints, said: dict[int, str]) -> dict[int, int]:
    """Which of the rows at ``some`` another of them corrects, by place."""
    places = some.tolist()
    about = [frozenset({int(legs.record[p]), ~int(legs.thread[p]) - 1} - {-1}) for p in places]
    when = [(int(legs.at[p]), int(legs.n[p])) for p in places]
    found = second.overtaken([said[p] for p in places], when, about)
    return {places[old]: places[new] for old, new in found.items()}


def rarities(asked: Asked, legs: Legs) -> list[int]:
    """How much each word of the question tells apart, in millionths: 0 for one that weighs nothing."""
    found = []
    for word in asked.words:
        often = min(legs.rows, sum(legs.document_frequency.get(stem, 0) for stem in word.stems))
        rare = math.log(1 + (legs.rows - often + 0.5) / (often + 0.5))
        found.append(round(rare * word.weight))
    return found


def best_first(values: Ints) -> Ints:
    """Values over the highest of them, in millionths; what is below nothing is nothing."""
    values = np.maximum(values, 0)
    return values * MILLION // max(int(values.max(initial=0)), 1)


@dataclass
class Table:
    """The candidates with what all parts need: places in threads, words held, own worth."""

    legs: Legs
    asked: Asked
    weights: Weights
    rare: list[int] = field(init=False)
    """Of each word of the question; 0 for the name of somebody who wrote, which chooses rows by writer instead."""
    held: Ints = field(init=False)
    """1 where a row (first axis) holds a word of the question (second axis)."""
    named: Ints = field(init=False)

    def __post_init__(self) -> None:
        """Work out what is used more than once."""
        names = {t: asking.of_actor(actor) for t, actor in enumerate(self.legs.actors)}
        self.writers = frozenset(words.stem(token) for found in names.values() for token in found)
        called = frozenset().union(*names.values()) & self.asked.tokens
        self._all = rarities(self.asked, self.legs)
        telling = [0 if word.text in called else rare for word, rare in zip(self.asked.words, self._all, strict=True)]
        self.rare = telling if any(telling) else self._all
        bits = {stem: bit for bit, (stem, _) in enumerate(self.asked.stems)}
        any_of = [sum(1 << bits[s] for s in {*word.stems} if s in bits) for word in self.asked.words]
        self.held = (self.legs.held[:, None] & np.array(any_of, np.int64) != 0).astype(np.int64)
        named = [bool(names[place] & called) for place in range(len(names))]
        self.named = np.array([*named, False], np.int64)[self.legs.actor]
        self.overtaken: dict[int, int] = {}
        self._support = np.zeros(len(self.legs.n), np.int64)
        self._pairs: dict[int, tuple[Ints, Ints]] = {}
        self._order = np.lexsort((self.legs.ordinal, self.legs.thread))

    def parts(self) -> dict[str, Ints]:
        """Every part of the score by name, weighed, in millionths."""
        w, legs = self.weights, self.legs
        said = best_first(self._words()) * w.words // THOUSAND
        meant = best_first(legs.meaning) * w.meaning // THOUSAND
        own = said + meant
        near = {-1: w.before, 1: w.after, -2: w.around, 2: w.around}
        neighbours = sum((self.beside(own, far) * weight // THOUSAND for far, weight in near.items()), 0 * own)
        return {
            "words": said,
            "meaning": meant,
            "neighbours": neighbours,
            "window": self._window() * w.window // THOUSAND,
            "thread": self._thread(own) * w.thread // THOUSAND,
            "actor": self.named * w.actor * THOUSAND,
            "party": self._party() * w.party * THOUSAND,
            "date": self._date() * w.date // THOUSAND,
            "short": -np.where(legs.length < w.few, w.short * THOUSAND, 0),
        }

    def learned(self, told: Mapping[int, Sequence[int]]) -> Ints:
        """What the operator's word on drafts says for or against rows; a few drafts weigh little, many never all."""
        most, found = self.weights.learned * THOUSAND, np.zeros(len(self.legs.n), np.int64)
        for place, n in enumerate(self.legs.n.tolist()):
            up, down = told.get(n, (0, 0))
            found[place] = most * (up - down) // (up + down + 2)
        return found

    def beside(self, values: Ints, far: int) -> Ints:
        """For each row the value of the row ``far`` places on in its thread, 0 where there is none."""
        found = np.zeros_like(values)
        here, there = self._joined(abs(far)) if far > 0 else self._joined(abs(far))[::-1]
        found[here] = values[there]
        return found

    def _joined(self, step: int) -> tuple[Ints, Ints]:
        """Places of rows, and of those that stand ``step`` after them in their thread; worked out once."""
        if step not in self._pairs:
            first, second = self._order[:-step], self._order[step:]
            thread, place = self.legs.thread, self.legs.ordinal
            near = (thread[first] == thread[second]) & (thread[first] >= 0) & (place[second] - place[first] == step)
            self._pairs[step] = first[near], second[near]
        return self._pairs[step]

    def _words(self) -> Ints:
        """BM25 without the share that names of writers have in it."""
        if self.rare == self._all:
            return self.legs.words
        counted, whole = (self.held @ np.array(rare, np.int64) for rare in (self.rare, self._all))
        return self.legs.words // THOUSAND * counted // np.maximum(whole // THOUSAND, 1)

    def _window(self) -> Ints:
        """The share of the question's rarity that a row and its neighbours hold; a neighbour's word counts less."""
        w = self.weights
        total = max(sum(self.rare), 1)
        there = [word for word, rare in enumerate(self.rare) if rare]
        held, rare = self.held[:, there], np.array([self.rare[word] for word in there], np.int64)
        near = {-1: w.window_before, 1: w.window_after, -2: w.window_around, 2: w.window_around}
        best, anywhere = held * THOUSAND, held
        for far, weight in near.items():
            beside = self.beside(held, far)
            best = np.maximum(best, beside * weight)
            anywhere = anywhere | beside
        self._support = (anywhere @ rare) * THOUSAND // max(total // THOUSAND, 1)
        found: Ints = (best * rare // THOUSAND).sum(axis=1)
        return found * MILLION // total

    def _thread(self, own: Ints) -> Ints:
        """Own worth of the best row of the thread; of itself where there is no thread."""
        threads = self.legs.thread
        if not len(self.legs.threads):
            return own
        best = np.zeros(len(self.legs.threads), np.int64)
        np.maximum.at(best, threads[threads >= 0], own[threads >= 0])
        return np.where(threads >= 0, best[threads], own)

    def _party(self) -> Ints:
        """1 for rows whose thread or record holds a row of a named writer."""
        found = np.zeros(len(self.legs.n), np.int64)
        for column in (self.legs.thread, self.legs.record):
            theirs = np.unique(column[(self.named > 0) & (column >= 0)])
            found |= np.isin(column, theirs).astype(np.int64)
        return found

    def _date(self) -> Ints:
        """A million for rows of a month or a span the question names, half as much again within a day of the day."""
        asked, at = self.asked, self.legs.at
        found = np.zeros(len(at), np.int64)
        for begins, ends in asked.spans:
            found[(at >= begins) & (at < ends)] = MILLION
        if not asked.months:
            return found
        when = at.astype("datetime64[s]")
        months = when.astype("datetime64[M]").astype(np.int64)
        fits = np.isin(months % 12 + 1, asked.months) & (at != 0)
        if asked.years:
            fits &= np.isin(months // 12 + 1970, asked.years)
        days = (when.astype("datetime64[D]") - when.astype("datetime64[M]").astype("datetime64[D]")).astype(
            np.int64
        ) + 1
        close = np.zeros(len(at), bool)
        for day in asked.days:
            close |= np.abs(days - day) <= 1
        return np.maximum(found, np.where(fits, MILLION + close * (MILLION // 2), 0))

    def hit(self, place: int, score: int, parts: dict[str, Ints]) -> Ranked:
        """The row at a place as a hit."""
        held = self.held[place].tolist()
        told = [word for word, holds in zip(self.asked.words, held, strict=True) if word.weight and holds]
        lost = [word for word, holds in zip(self.asked.words, held, strict=True) if word.weight and not holds]
        return Ranked(
            n=int(self.legs.n[place]),
            score=score,
            parts={name: int(values[place]) for name, values in parts.items()},
            support=int(self._support[place]),
            held=tuple(word.text for word in told),
            missing=tuple(word.text for word in lost),
            cosine=int(self.legs.meaning[place]),
            overtaken_by=self.overtaken.get(place, 0),
            actor=bool(self.named[place]) if self.named.any() else None,
        )
