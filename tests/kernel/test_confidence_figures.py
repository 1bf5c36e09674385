"""Thresholds from decisions: the largest set whose lower bound meets the target, and when nothing is proved."""

from __future__ import annotations

import random

import pytest

from soloist.kernel.confidence import WHOLE, Label, Threshold, alike, drifted, missing, threshold, wilson_lower


def labels(*parts: tuple[int, int, int]) -> list[Label]:
    """(confidence, how many right, how many wrong) as labels."""
    return [Label(c, ok) for c, right, wrong in parts for ok in (True,) * right + (False,) * wrong]


def test_a_new_skill_proves_nothing_and_says_how_many_are_missing() -> None:
    assert threshold([], 0.95) == Threshold("uncalibrated", WHOLE, 0, 0, 0, 52, 0)
    found = threshold(labels((9000, 40, 0)), 0.95)
    assert (found.state, found.labels, found.more) == ("uncalibrated", 40, 12)
    assert not found.passes(WHOLE)


def test_straight_decisions_prove_it() -> None:
    found = threshold(labels((9000, 52, 0)), 0.95)
    assert (found.state, found.value, found.bound >= 9500) == ("alone", 9000, True)
    assert found.passes(9000)
    assert not found.passes(8999)


def test_the_largest_set_is_taken_and_ties_are_in_or_out_together() -> None:
    found = threshold(labels((9900, 60, 0), (9000, 100, 1), (5000, 3, 17)), 0.95)
    assert (found.state, found.value, found.labels, found.right, found.of) == ("alone", 9000, 161, 160, 181)
    tied = threshold(labels((9000, 60, 20)), 0.95)
    assert tied.state == "asks", "the right ones of a tie cannot be had without the wrong ones"


def test_wrong_answers_make_it_ask() -> None:
    assert threshold(labels((9000, 30, 10)), 0.95).state == "asks"
    assert threshold(labels((9000, 5, 3)), 0.95).state == "uncalibrated", "eight decisions speak for nothing"


@pytest.mark.parametrize(("right", "of"), [(0, 0), (51, 51), (52, 52), (90, 95), (500, 520)])
def test_what_is_missing_is_just_enough(right: int, of: int) -> None:
    more = missing(right, of, 0.95)
    assert wilson_lower(right + more, of + more) >= 0.95
    assert more == 0 or wilson_lower(right + more - 1, of + more - 1) < 0.95


def test_drift_is_what_chance_does_not_explain() -> None:
    proved = threshold(labels((9000, 100, 0)), 0.95)
    assert not drifted(proved, 9, 10)
    assert not drifted(proved, 0, 0)
    assert drifted(proved, 5, 10)
    assert not drifted(Threshold(), 0, 10)


def test_the_bound_holds_on_streams_like_the_labelled_one() -> None:
    """Of 200 skills that are right as often as their confidence says, few that were let go are below the target."""
    draw, below, let = random.Random(5), 0, 0
    for _ in range(200):
        seen = [Label(c, draw.random() < c / WHOLE) for c in (draw.randint(7000, WHOLE) for _ in range(300))]
        found = threshold(seen, 0.9)
        if found.state == "alone":
            let += 1
            below += (found.value + WHOLE) / 2 / WHOLE < 0.9
    assert let > 150
    assert below <= 0.1 * let


def test_what_nobody_answers_is_alike() -> None:
    assert alike("spam", "other")
    assert alike("enquiry", "enquiry")
    assert not alike("enquiry", "other")
    assert not alike("client", "enquiry")
