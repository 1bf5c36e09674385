"""Second: what the text of a hit says about itself, in four languages."""

import pytest

from soloist.stages.memory import asking, second


@pytest.mark.parametrize("text", ["Is it?", 'He said "when?"', "Kommen Sie? [shares a photo: a door]"])
def test_a_text_that_asks(text: str) -> None:
    assert second.asks(text)


@pytest.mark.parametrize("text", ["Is it? It is.", "", "No!"])
def test_a_text_that_does_not_ask(text: str) -> None:
    assert not second.asks(text)


@pytest.mark.parametrize("text", ["last week", "am 3. März", "hier soir", "el martes", "at 15:30", "in 2024", "since"])
def test_a_text_that_names_a_time(text: str) -> None:
    assert second.names_a_time(text)


def test_a_text_that_names_none() -> None:
    assert not second.names_a_time("The glaze is green, marching on.")


def test_counting() -> None:
    assert second.counts("zwei Entwürfe")
    assert not second.counts("Entwürfe")


@pytest.mark.parametrize("text", ["The talk has moved.", "freitags nun doch", "au lieu de 82", "el rosado ya no sale"])
def test_a_text_that_says_a_change(text: str) -> None:
    assert second.says_a_change(text)


def test_the_words_that_lead_on_are_the_texts_own() -> None:
    found = second.shared(["the green bowl", "a bowl of Ada"], [5, 3], asking.read("green?"), frozenset(["ada"]))
    assert found == {"bowl": 8}


def test_the_newest_correction_counts() -> None:
    texts = [
        "Rate 650 EUR a day",
        "Rate now 720 EUR a day, instead of 650",
        "Rate 800 a day instead of 650 EUR or 720 EUR",
    ]
    one = frozenset([1])
    assert second.overtaken(texts, [(1, 1), (2, 2), (3, 3)], [one, one, one]) == {0: 2, 1: 2}


def test_an_older_text_corrects_nothing() -> None:
    texts = ["Rate now 720 EUR a day, instead of 650", "Rate 650 EUR a day"]
    assert second.overtaken(texts, [(1, 1), (2, 2)], [frozenset([1])] * 2) == {}
