"""Rank: what lifts a row, that the order is total, and that its parts say all of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from soloist.engine.recall.legs import MILLION, Legs, Mask, Question
from soloist.stages.memory import asking, rank
from soloist.stages.memory.rank import Ranked, Weights

MASK = Mask(seq=9, newest=99)
ROWS = 4


NOTHING = ("",) * ROWS


def legs(**given: object) -> Legs:
    """Four rows in no thread by nobody; what is given replaces columns."""
    zero, none = np.zeros(ROWS, np.int64), np.full(ROWS, -1, np.int64)
    columns = dict.fromkeys(("words", "meaning", "has_vector", "held", "ordinal", "at"), zero)
    columns |= dict.fromkeys(("thread", "actor", "record"), none)
    columns |= {"n": np.arange(1, ROWS + 1), "length": np.full(ROWS, 20)}
    plain = {"rows": ROWS, "document_frequency": {}}
    columns |= {k: np.array(v) for k, v in given.items() if k in columns}
    return Legs(**columns, **{**plain, **{k: v for k, v in given.items() if k not in columns}})


def ranked(question: str, found: Legs, texts: tuple[str, ...] = NOTHING, **weights: int) -> list[Ranked]:
    asked = asking.read(question, "2026-03-10T09:00:00Z")
    return rank.rank(
        lambda _: found,
        asked,
        asked.question(None, MASK),
        replace(Weights(), **weights),
        texts=lambda ns: [texts[n - 1] for n in ns],
    )


def order(hits: list[Ranked]) -> list[int]:
    return [hit.n for hit in hits]


def test_words_and_meaning_lift_a_row() -> None:
    assert order(ranked("offer", legs(words=[0, 0, MILLION, 0], meaning=[0, 500_000, 0, 0])))[:2] == [2, 3]


def test_rows_alike_come_oldest_first() -> None:
    assert order(ranked("offer", legs())) == [1, 2, 3, 4]


def test_the_rows_beside_a_good_one_come_next_the_answer_first() -> None:
    found = legs(words=[0, MILLION, 0, 0], thread=[0, 0, 0, -1], ordinal=[4, 5, 6, 7], threads=["t"])
    assert order(ranked("offer", found)) == [2, 3, 1, 4]


def test_a_gap_in_a_thread_has_no_neighbours() -> None:
    found = legs(words=[MILLION, 0, 0, 0], thread=[0, 0, -1, -1], ordinal=[1, 9, 0, 0], threads=["t"])
    assert ranked("offer", found)[1].parts["neighbours"] == 0


def test_a_named_writer_lifts_their_rows_and_is_told() -> None:
    hits = ranked("What did Ada want?", legs(actor=[-1, 0, 1, 0], actors=["ada@okafor.example", "Jonas Brandt"]))
    assert order(hits)[:2] == [2, 4]
    assert [hit.actor for hit in hits] == [True, True, False, False]


def test_nobody_named_is_no_match_and_no_mismatch() -> None:
    assert ranked("What was wanted?", legs(actor=[0, 0, 0, 0], actors=["Ada"]))[0].actor is None


@pytest.mark.parametrize(("question", "first"), [("in March 2026?", 3), ("on 2 May 2026?", 2), ("yesterday?", 3)])
def test_a_named_date_lifts_rows_of_it(question: str, first: int) -> None:
    days = ["2025-03-09T10:00", "2026-05-02T10:00", "2026-03-09T10:00", "2026-05-20T10:00"]
    at = np.array(days, "datetime64[s]").astype(np.int64)
    assert order(ranked(f"What was said {question}", legs(at=at)))[0] == first


def test_a_quoted_phrase_is_looked_for_word_for_word() -> None:
    texts = ("late two weeks", "it is two weeks late", "two weeks", "late")
    assert order(ranked('who said "two weeks late"', legs(), texts))[0] == 2


def test_a_short_row_comes_after_a_longer_one() -> None:
    assert order(ranked("offer", legs(length=[2, 20, 20, 20])))[-1] == 1


def test_the_name_of_a_writer_weighs_nothing_as_a_word() -> None:
    found = legs(words=[MILLION, 900_000, 0, 0], held=[0b1, 0b10, 0, 0], actor=[0, 0, 0, 0], actors=["Ada"])
    hits = ranked("Ada offer", replace(found, document_frequency={"ada": 1, "offer": 1}))
    assert order(hits)[0] == 2


def test_what_a_newer_row_corrects_comes_after_it_and_says_so() -> None:
    texts = ("The talk is at 15:30.", "Ada paid.", "The talk is now at 11:00, not 15:30.", "Lunch")
    found = legs(words=[MILLION, 0, 900_000, 0], record=[0, 0, 0, -1], records=["r"], at=[10, 20, 30, 40])
    hits = ranked("At what time is the talk?", found, texts)
    assert order(hits)[:2] == [3, 1]
    assert [hit.overtaken_by for hit in hits[:2]] == [0, 3]


def test_nothing_is_corrected_by_a_row_about_something_else() -> None:
    texts = ("The talk is at 15:30.", "The talk is now at 11:00, not 15:30.", "", "")
    found = legs(words=[MILLION, 900_000, 0, 0], record=[0, 1, -1, -1], records=["r", "s"], at=[10, 30, 0, 0])
    assert [hit.overtaken_by for hit in ranked("At what time is the talk?", found, texts)] == [0, 0, 0, 0]


def test_a_row_that_asks_comes_after_one_that_answers() -> None:
    texts = ("Which lens was it?", "The lens was the 16 mm.", "", "")
    assert order(ranked("Which lens was used?", legs(words=[MILLION, MILLION, 0, 0]), texts))[:2] == [2, 1]


def test_a_question_for_a_time_likes_a_row_that_names_one() -> None:
    texts = ("We shall meet.", "We met last Tuesday.", "", "")
    assert order(ranked("When did we meet?", legs(words=[MILLION, MILLION, 0, 0]), texts))[0] == 2


def test_words_of_the_best_rows_lead_to_others() -> None:
    texts = ("Ada dances with Nightjar", "", "", "")
    first = legs(words=[MILLION, 0, 0, 0])
    asked, asks = asking.read("Who dances?"), []

    def ask(question: Question) -> Legs:
        asks.append([stem for stem, _ in question.stems])
        return first if len(asks) == 1 else legs(words=[MILLION, 0, MILLION, 0])

    hits = rank.rank(ask, asked, asked.question(None, MASK), Weights(), texts=lambda ns: [texts[n - 1] for n in ns])
    assert order(hits)[:2] == [1, 3]
    assert "nightjar" in asks[1]
    assert "danc" not in asks[1]


def test_nothing_found_is_not_known() -> None:
    asked = asking.read("Who paid?")
    assert not rank.judge(asked, [], Weights()).known


def test_a_code_that_nothing_holds_is_not_known() -> None:
    hits = ranked("Was RE-2026-014 paid?", legs(words=[MILLION] * 4, held=[0b1] * 4))
    said = rank.judge(asking.read("Was RE-2026-014 paid?"), hits, Weights())
    assert not said.known
    assert "014" in said.why


columns = some.lists(some.integers(-MILLION, 30 * MILLION), min_size=ROWS, max_size=ROWS)
small = some.lists(some.integers(-1, 1), min_size=ROWS, max_size=ROWS)


@given(columns, columns, small, small)
def test_the_order_is_total_and_the_parts_come_to_the_score(
    said: list[int], meant: list[int], thread: list[int], actor: list[int]
) -> None:
    found = legs(words=said, meaning=meant, thread=thread, actor=actor, threads=["a", "b"], actors=["Ada", "Jo"])
    hits = ranked("What did Ada offer in May?", found)
    assert [(-hit.score, hit.n) for hit in hits] == sorted((-hit.score, hit.n) for hit in hits)
    assert all(sum(hit.parts.values()) == hit.score and type(hit.score) is int for hit in hits)
    assert hits == ranked("What did Ada offer in May?", found)
