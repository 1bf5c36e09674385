"""Asking: what a question asks for, noted down without understanding it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from soloist.stages.memory import asking


def said(text: str) -> list[str]:
    return [word.text for word in asking.read(text).words]


def test_words_that_say_nothing_are_left_out() -> None:
    assert said("When did we send the offer to Ada?") == ["send", "offer", "ada"]


def test_a_question_of_small_words_alone_keeps_them() -> None:
    assert said("Who is it?") == ["who", "is", "it"]


def test_a_word_counts_by_its_stem_in_its_own_language_and_in_english() -> None:
    asked = asking.read("Wann wurden die Rechnungen bezahlt?")
    assert ("rechnung", asking.MILLION) in asked.stems
    assert ("rechnungen", asking.MILLION) in asked.stems


def test_the_name_of_a_writer_weighs_nothing_beside_other_words() -> None:
    weights = dict(asking.read("What did Ada dream?", actors=["ada"]).stems)
    assert (weights["ada"], weights["dream"]) == (0, asking.MILLION)
    assert dict(asking.read("Ada?", actors=["ada"]).stems) == {"ada": asking.MILLION}


@pytest.mark.parametrize(
    ("text", "months", "years", "days"),
    [
        ("What did we agree in March 2026?", (3,), (2026,), ()),
        ("Was war am 9. März?", (3,), (), (9,)),
        ("What happened on 2026-05-02?", (5,), (2026,), (2,)),
        ("May I ask who paid?", (), (), ()),
        ("Who came in May?", (5,), (), ()),
        ("Invoice 12 of 2025", (), (2025,), ()),
        ("Le rendez-vous du 3 août", (8,), (), (3,)),
        ("on 5 Dec", (12,), (), (5,)),
    ],
)
def test_named_dates(text: str, months: tuple[int, ...], years: tuple[int, ...], days: tuple[int, ...]) -> None:
    asked = asking.read(text)
    assert (asked.months, asked.years, asked.days) == (months, years, days)


def test_yesterday_is_told_from_the_askers_now() -> None:
    asked = asking.read("What did Jonas write yesterday?", "2026-03-10T09:00:00Z")
    day = datetime(2026, 3, 9, tzinfo=UTC).timestamp()
    assert asked.spans == ((day, day + 86_400),)


def test_yesterday_of_no_instant_is_no_time() -> None:
    assert asking.read("What did Jonas write yesterday?").spans == ()


def test_names_phrases_and_codes() -> None:
    asked = asking.read('Did Ada’s mail say "two weeks late" about RE-2026-014?')
    assert asked.names[0] == "ada"
    assert asked.phrases == ("two weeks late",)
    assert "re2026014" in asked.codes


def test_an_address_names_its_person_and_house() -> None:
    assert asking.of_actor("ada@okafor-ceramics.example") == {"ada", "okafor", "ceramics"}


@given(some.text(max_size=300))
def test_any_text_can_be_asked(text: str) -> None:
    asked = asking.read(text, "2026-03-10T09:00:00Z")
    assert asked == asking.read(text, "2026-03-10T09:00:00Z")
    assert len(asked.stems) <= asking.STEMS
