"""Estimates: what settled calls say of the next one of the same skill."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from soloist.kernel.spend import Payer
from soloist.stages.runtime.models import Models, Question, usual


def test_nothing_is_learned_from_nothing() -> None:
    assert usual.learned([]) is None
    assert usual.learned([(0, 10, 5)]) is None


def test_one_call_says_how_many_bytes_a_token_has_and_how_long_an_answer_is() -> None:
    found = usual.learned([(400, 100, 50)])
    assert found is not None
    assert (found.asked.at(800), found.answered.at(800)) == (200, 50)


def test_an_answer_that_follows_its_question_is_told_from_one_that_does_not() -> None:
    luck = random.Random(3)
    sizes = [luck.randint(300, 4000) for _ in range(40)]
    follows = usual.learned([(n, n // 4 + 60, n // 8 + luck.randint(-9, 9)) for n in sizes])
    own = usual.learned([(n, n // 4 + 60, luck.randint(90, 110)) for n in sizes])
    assert follows is not None
    assert own is not None
    assert abs(follows.answered.at(2000) - 250) < 15
    assert abs(follows.asked.at(2000) - 560) < 15
    assert 95 <= own.answered.at(4000) <= 105


def test_no_answer_is_expected_longer_than_any_there_was() -> None:
    found = usual.learned([(n, n, n) for n in (100, 200, 300, 400, 500)])
    assert found is not None
    assert found.answered.at(100_000) == 500


async def test_the_next_estimate_is_near_what_the_last_calls_came_to(
    house: Callable[..., Models], provider: Any
) -> None:
    models = house()
    provider.reply = " ".join(f"word{n}" for n in range(80))

    def question(n: int) -> Question:
        return Question("You write short answers.", f"Question {n}. " + "Tell me more about it. " * n, skill="draft")

    first = models.estimate(question(5))["micro"]
    for n in range(1, 9):
        await models.ask(question(n), Payer(f"r{n}", "draft"))
    told = models.estimate(question(12))
    came = await models.ask(question(12), Payer("r", "draft"))
    assert abs(first - came.cost_micro) > 0.2 * came.cost_micro
    assert abs(told["micro"] - came.cost_micro) <= 0.1 * came.cost_micro
    assert told["worst_micro"] >= came.cost_micro
