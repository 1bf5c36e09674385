"""Invented memories and questions about them: the bars that words alone must reach (the model's are in the bench)."""

import pytest

from tests.stages.memory.labelled import Answer, answers, figures

HALVES = ("development", "held out")


@pytest.fixture(scope="module")
def found() -> list[Answer]:
    return answers()


def test_the_set_is_what_it_says(found: list[Answer]) -> None:
    kinds = [answer.question["kind"] for answer in found]
    assert len(kinds) >= 150
    assert kinds.count("unknown") >= 30
    assert kinds.count("changed") >= 30
    assert kinds.count("as of") >= 10


@pytest.mark.parametrize("half", HALVES)
def test_the_right_item_is_among_the_first_five(found: list[Answer], half: str) -> None:
    assert figures(found, half)["recall@5"] >= 0.92


@pytest.mark.parametrize("half", HALVES)
def test_what_is_not_remembered_is_said_to_be_not_known(found: list[Answer], half: str) -> None:
    assert figures(found, half)["not known"] >= 0.95


@pytest.mark.parametrize("half", HALVES)
def test_most_of_what_is_remembered_is_said_to_be_known(found: list[Answer], half: str) -> None:
    assert figures(found, half)["known"] >= 0.75


def test_nothing_that_has_changed_is_given_as_current(found: list[Answer]) -> None:
    assert [a.question["q"] for a in found if a.overtaken_as_current(10)] == []


def test_an_earlier_day_is_answered_with_what_was_so_then(found: list[Answer]) -> None:
    then = [answer for answer in found if answer.question["kind"] == "as of"]
    assert [answer.question["q"] for answer in then if answer.recall(5) < 1] == []
