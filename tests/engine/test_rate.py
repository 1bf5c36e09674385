"""Rates and breakers: calls over the allowance wait, and a troubled connector is left alone for a while."""

import time

import pytest

from soloist.engine.rate import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Breakers, Rates


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breakers(clock: Clock) -> Breakers:
    return Breakers(clock)


def trip(breakers: Breakers) -> None:
    for _ in range(FAILURES):
        breakers.failed("shop", "no answer")


def test_calls_within_the_allowance_go_at_once() -> None:
    rates = Rates(per_second=3, per_minute=100)
    assert [rates.take("shop") for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_call_over_the_allowance_is_told_how_long_to_wait_and_then_goes() -> None:
    rates = Rates(per_second=2, per_minute=100)
    wait = next(seconds for _ in range(100) if (seconds := rates.take("shop")))
    assert 0 < wait <= 1.0
    time.sleep(wait + 0.02)
    assert rates.take("shop") == 0.0


def test_each_credential_has_its_own_allowance() -> None:
    rates = Rates(per_second=1, per_minute=100)
    assert (rates.take("shop"), rates.take("mail")) == (0.0, 0.0)


def test_the_minute_limit_holds_too() -> None:
    rates = Rates(per_second=50, per_minute=3)
    for _ in range(3):
        rates.take("shop")
    assert 1 < rates.take("shop") <= 60


def test_five_failures_in_a_row_open_the_breaker(breakers: Breakers) -> None:
    trip(breakers)
    assert breakers.state("shop") == "open"
    assert breakers.wait("shop") == FIRST_PAUSE
    assert breakers.why("shop") == "no answer"


def test_a_success_in_between_starts_the_count_again(breakers: Breakers) -> None:
    for _ in range(FAILURES - 1):
        breakers.failed("shop", "x")
    breakers.worked("shop")
    breakers.failed("shop", "x")
    assert breakers.state("shop") == "closed"


def test_a_refused_sign_in_opens_at_once_and_for_long(breakers: Breakers) -> None:
    breakers.failed("shop", "401", auth=True)
    assert breakers.wait("shop") == LONGEST_PAUSE


def test_after_the_pause_one_trial_goes_and_closes_on_success(breakers: Breakers, clock: Clock) -> None:
    trip(breakers)
    clock.now += FIRST_PAUSE
    assert breakers.state("shop") == "half_open"
    assert breakers.wait("shop") == 0.0
    assert breakers.wait("shop") > 0
    breakers.worked("shop")
    assert breakers.state("shop") == "closed"


def test_a_failed_trial_doubles_the_pause(breakers: Breakers, clock: Clock) -> None:
    trip(breakers)
    clock.now += FIRST_PAUSE
    breakers.wait("shop")
    breakers.failed("shop", "again")
    assert breakers.wait("shop") == 2 * FIRST_PAUSE


def test_a_skipped_trial_leaves_the_next_call_as_trial(breakers: Breakers, clock: Clock) -> None:
    trip(breakers)
    clock.now += FIRST_PAUSE
    breakers.wait("shop")
    breakers.skipped("shop")
    assert breakers.wait("shop") == 0.0


def test_connectors_do_not_share_a_breaker(breakers: Breakers) -> None:
    trip(breakers)
    assert breakers.wait("mail") == 0.0


def test_a_reset_closes_at_once(breakers: Breakers) -> None:
    breakers.failed("shop", "401", auth=True)
    breakers.reset("shop")
    assert breakers.wait("shop") == 0.0
