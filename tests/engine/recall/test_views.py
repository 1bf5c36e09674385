"""Views that are kept: the same one while nothing changed, and never an old one after a write, an end or an expiry."""

from dataclasses import replace

import numpy as np
import pytest

from soloist.engine.recall import index as answering
from soloist.engine.recall.arrays import numbered
from soloist.engine.recall.index import FOREVER, Index, Row
from soloist.engine.recall.legs import Mask, Question
from soloist.engine.recall.vectors import whole_numbers
from soloist.engine.recall.views import MOST, Views

MASK = Mask(9, 10**6)


def row(n: int, text: str = "kiln", **given: object) -> Row:
    whole = Row(n, n, FOREVER, "session", "s", "note", text, f"{n:064x}", 0, "Ada", "t", n, "", FOREVER)
    return replace(whole, **given)  # type: ignore[arg-type]  # columns of a row


def index(*rows: Row) -> Index:
    made = Index()
    made.add(rows)
    made.seq = 9
    return made


def test_the_same_view_while_nothing_changed() -> None:
    made, views = index(row(1), row(2)), Views()
    first = views.view(made.moment(), MASK, 0, 0)
    made.seq = 12  # events of other things
    assert views.view(made.moment(), replace(MASK, seq=12), 5, 0) is first


def test_a_write_an_end_and_a_vector_are_seen_at_once() -> None:
    made, views = index(row(1), row(2)), Views()
    assert views.view(made.moment(), MASK, 0, 0).figures.rows == 2
    made.add([row(3)])
    assert views.view(made.moment(), MASK, 0, 0).figures.rows == 3
    made.end([(1, 8)])
    assert views.view(made.moment(), MASK, 0, 0).figures.rows == 2
    made.embed("m", np.array([3]), whole_numbers(np.eye(1, 384)))
    assert views.view(made.moment("m"), MASK, 0, 3).figures.vectors == 1
    made.forget(np.array([2]))
    assert views.view(made.moment("m"), MASK, 0, 3).figures.rows == 1


def test_a_view_holds_until_the_next_row_expires_and_not_before_it_was_made() -> None:
    made, views = index(row(1), row(2, expires=50), row(3, expires=20)), Views()
    shown = [views.view(made.moment(), MASK, now, 0).figures.rows for now in (30, 49, 50, 30, 10)]
    assert shown == [2, 2, 1, 2, 3]


def test_views_of_another_time_or_filter_are_others() -> None:
    made, views = index(row(1), row(2, scope="other"), row(3)), Views()
    assert views.view(made.moment(), MASK, 0, 0).figures.rows == 3
    assert views.view(made.moment(), replace(MASK, seq=2), 0, 0).figures.rows == 2
    assert views.view(made.moment(), replace(MASK, newest=1), 0, 0).figures.rows == 1
    assert views.view(made.moment(), replace(MASK, scopes=("s",)), 0, 0).figures.rows == 2


def test_few_views_are_kept() -> None:
    made, views = index(row(1)), Views()
    first = views.view(made.moment(), MASK, 0, 0)
    for number in range(MOST):
        views.view(made.moment(), replace(MASK, threads=(str(number),)), 0, 0)
    assert views.view(made.moment(), MASK, 0, 0) is not first


@pytest.mark.parametrize("most", [0, 10**6])
def test_rows_asked_about_again_say_the_same_words(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(answering, "SORTED", most)
    made = index(*(row(n, text) for n, text in enumerate(("kiln glaze", "glaze", "photo", "kiln kiln"), 1)))
    shown = answering.view(made.moment(), MASK, 0, 0)
    question = Question((("kiln", 1_000_000), ("glaze", 500_000), ("none", 1)), None, MASK)
    whole = answering.answer(made.moment(), question, shown)
    some = answering.answer(made.moment(), replace(question, among=np.array([1, 3, 4, 77])), shown)
    assert some.n.tolist() == [1, 3, 4]
    assert (some.words.tolist(), some.held.tolist()) == (
        whole.words[[0, 2, 3]].tolist(),
        whole.held[[0, 2, 3]].tolist(),
    )
    assert some.document_frequency == whole.document_frequency == {"kiln": 2, "glaze": 2, "none": 0}


@pytest.mark.parametrize("far", [3, 10**6])
def test_numbers_get_places_in_their_order(far: int) -> None:
    numbers, places = numbered(np.array([far, -1, 1, far], np.int32))
    assert (numbers, places.tolist()) == ([1, far], [1, -1, 0, 1])
    assert numbered(np.zeros(0, np.int32))[0] == []
