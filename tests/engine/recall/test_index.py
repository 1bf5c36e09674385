"""The index against plain sums over all rows: words, meaning, masks, neighbours; whichever pieces it is made of."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from soloist.engine.recall import index as answering
from soloist.engine.recall import postings, vectors, words
from soloist.engine.recall.arrays import best
from soloist.engine.recall.index import FOREVER, Index, Row
from soloist.engine.recall.legs import Mask, Question

WORDS = "kiln glaze invoice friday offer logo hamburg paid late studio photo call clay draft".split()
AT = "2026-11-21T09:00:00.000000Z"


def rows(count: int, seed: int = 1) -> list[Row]:
    chance = random.Random(seed)
    return [
        Row(
            n=3 * n + 1,
            begun=n // 3 + 1,
            ended=chance.choice((FOREVER, FOREVER, n // 3 + 2 + chance.randint(0, 40))),
            tier=chance.choice(("session", "canonical")),
            scope=chance.choice(("", "one", "two")),
            kind="note",
            text=" ".join(chance.choices(WORDS, k=chance.randint(1, 12))),
            hash=f"{n:064x}",
            at=n,
            actor=chance.choice(("Ada", "Mara", "")),
            thread=chance.choice(("", "t1", "t2", "t3")),
            ordinal=chance.randint(0, 9),
            record="",
            expires=chance.choice((FOREVER, 50)),
        )
        for n in range(count)
    ]


def filled(given: list[Row], at_once: int = 7) -> tuple[Index, Any]:
    made, numbers = Index(), np.random.default_rng(2)
    for start in range(0, len(given), at_once):
        made.add(given[start : start + at_once])
    some = numbers.standard_normal((len(given), 384))
    whole = vectors.whole_numbers(some / np.linalg.norm(some, axis=1, keepdims=True))
    made.embed("m", np.array([row.n for row in given]), whole)
    return made, whole


def bm25(given: list[Row], stems: list[str]) -> dict[int, int]:
    """By the book, one row at a time."""
    held = {row.n: words.stems(row.text) for row in given}
    average = sum(map(len, held.values())) / len(held)
    often = {stem: sum(stem in said for said in held.values()) for stem in stems}
    found = {}
    for n, said in held.items():
        score = 0
        for stem in stems:
            rare = round(math.log(1 + (len(held) - often[stem] + 0.5) / (often[stem] + 0.5)) * 1e6)
            times = said.count(stem)
            score += round(rare * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(said) / average)))
        found[n] = score
    return found


@pytest.mark.parametrize(("tail", "most"), [(5, 10_000), (10_000, 10_000), (10_000, 0)])
@pytest.mark.parametrize("scopes", [(), ("one",), ("one", "")])
def test_words_meaning_and_masks_are_those_of_plain_sums(
    monkeypatch: pytest.MonkeyPatch, tail: int, most: int, scopes: tuple[str, ...]
) -> None:
    monkeypatch.setattr(postings, "TAIL", tail)
    monkeypatch.setattr(answering, "SORTED", most)
    given = rows(200)
    made, whole = filled(given)
    mask = Mask(40, 10**6, AT, scopes=scopes)
    there = [r for r in given if r.begun <= 40 < r.ended and r.expires > 60 and (not scopes or r.scope in scopes)]
    stems = [words.stem(word) for word in ("kiln", "paid", "nowhere")]
    moment = made.moment("m")
    shown = answering.view(moment, mask, 60, 10**6)
    legs = answering.answer(moment, Question(tuple((stem, 1_000_000) for stem in stems), whole[5], mask), shown)
    assert legs.n.tolist() == [row.n for row in there]
    expected = bm25(there, stems)
    assert all(abs(int(score) - expected[int(n)]) <= 2 for n, score in zip(legs.n, legs.words, strict=True))
    place = {row.n: where for where, row in enumerate(given)}
    dots = [int(whole[place[int(n)]].astype(int) @ whole[5].astype(int)) * 10**6 // 32767**2 for n in legs.n]
    assert legs.meaning.tolist() == dots
    assert [int(held) & 1 for held in legs.held] == [int(stems[0] in words.stems(row.text)) for row in there]
    assert [legs.threads[t] if t >= 0 else "" for t in legs.thread] == [row.thread for row in there]


def test_candidates_hold_the_best_of_both_and_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    given = rows(300, seed=3)
    made, whole = filled(given)
    mask = Mask(1_000, 10**6, AT)
    moment = made.moment("m")
    shown = answering.view(moment, mask, 0, 10**6)
    question = Question((("kiln", 1_000_000),), whole[9], mask, 5)
    everything = answering.answer(moment, question, shown)
    monkeypatch.setattr(answering, "ALL_ROWS", 0)
    some = answering.answer(moment, question, shown)
    assert not some.whole
    wanted = {int(everything.n[place]) for leg in (everything.words, everything.meaning) for place in best(leg, 5)}
    assert wanted <= set(some.n.tolist())
    both = {int(n): int(score) for n, score in zip(everything.n, everything.words, strict=True)}
    assert [both[int(n)] for n in some.n] == some.words.tolist()
    by_place = {(row.thread, row.ordinal) for row in given if row.n in wanted and row.thread}
    beside = {r.n for r in given if any((r.thread, r.ordinal + step) in by_place for step in (-2, -1, 1, 2))}
    assert beside & set(everything.n.tolist()) <= set(some.n.tolist())


def test_vectors_after_the_mark_do_not_count() -> None:
    made, whole = filled(rows(30))
    moment, mask = made.moment("m"), Mask(1_000, 10**6, AT)
    shown = answering.view(moment, mask, 0, 31)
    legs = answering.answer(moment, Question((), whole[0], mask), shown)
    assert [int(n) for n, has in zip(legs.n, legs.has_vector, strict=True) if has] == [n for n in legs.n if n <= 31]


def test_forgotten_rows_leave_no_word_and_no_name() -> None:
    given = [*rows(20), Row(99, 1, FOREVER, "session", "s", "note", "zebulon", "f" * 64, 0, "Zeb", "z", 1, "", FOREVER)]
    made, _ = filled(given)
    made.forget(np.array([20]))
    assert all("zeb" not in text.lower() for names in made.names.values() for text in names.texts)
    assert made.writers((), 10**6) == sorted({row.actor for row in given[:20]} - {""}, key=made.names["actor"].find)
    moment, mask = made.moment("m"), Mask(1_000, 10**6, AT)
    assert 99 not in answering.answer(moment, Question((), None, mask), answering.view(moment, mask, 0, 0)).n


def test_of_equal_scores_the_earlier_row_is_chosen() -> None:
    assert best(np.array([3, 1, 3, 3, 2]), 2).tolist() == [0, 2]
    assert best(np.array([1]), 5).tolist() == [0]
