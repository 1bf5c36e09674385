"""What a service says of our allowance is obeyed, and near the limit what a person just decided goes first."""

import asyncio
import time

import pytest

from soloist.engine.rate import Rates, begin, limits_of, lines_of, reserve, retry_after

NOW = 1_795_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rates(clock: Clock) -> Rates:
    return Rates(clock=clock)


SAID = {
    "seconds": ({"retry-after": "7"}, 7.0),
    "a date by the server's clock": (
        {"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"},
        30.0,
    ),
    "nothing": ({}, 30.0),
    "a reset in seconds": ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, 12.0),
    "a reset in unix seconds": ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + 9:.0f}"}, 9.0),
    "a reset in milliseconds": ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{(NOW + 4) * 1000:.0f}"}, 4.0),
    "the newer header": ({"ratelimit": '"default";r=0;t=5'}, 5.0),
    "its older form": ({"ratelimit": "limit=100, remaining=0, reset=6"}, 6.0),
    "the plain form": ({"ratelimit-limit": "10", "ratelimit-remaining": "0", "ratelimit-reset": "3"}, 3.0),
    "something absurd": ({"retry-after": "999999999999"}, 86_400.0),
}


@pytest.mark.parametrize("how", SAID)
def test_a_429_is_obeyed_to_the_second(rates: Rates, clock: Clock, how: str) -> None:
    headers, seconds = SAID[how]
    rates.heard("shop", 429, headers)
    assert rates.take("shop") == pytest.approx(seconds)
    clock.now += seconds - 0.001
    assert rates.take("shop") > 0
    clock.now += 0.002
    assert rates.take("shop") == 0.0


@pytest.mark.parametrize("status", [200, 201, 503])
def test_an_answer_that_says_nothing_changes_nothing(rates: Rates, status: int) -> None:
    rates.heard("shop", status, {})
    assert rates.take("shop") == 0.0


def test_the_last_share_is_kept_for_what_is_urgent(rates: Rates) -> None:
    rates.heard("shop", 200, {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "22", "x-ratelimit-reset": "60"})
    by_itself = [rates.take("shop", urgent=False) for _ in range(4)]
    assert by_itself == [0.0, 0.0, 60.0, 60.0]
    assert [rates.take("shop") for _ in range(20)] == [0.0] * 20
    assert rates.take("shop") == 60.0


def test_our_own_limit_keeps_a_share_too(rates: Rates) -> None:
    rates.declare("shop", limits_of("10/m"))
    bulk = [rates.take("shop", urgent=False) == 0.0 for _ in range(9)]
    assert bulk == [True] * 8 + [False]
    assert [rates.take("shop") == 0.0 for _ in range(3)] == [True, True, False]


def test_a_small_allowance_keeps_no_share() -> None:
    assert [reserve(amount) for amount in (1, 4, 5, 100)] == [0, 0, 1, 20]


def test_a_new_count_begins_at_the_reset(rates: Rates, clock: Clock) -> None:
    rates.heard("shop", 200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "10"})
    clock.now += 10.1
    assert rates.take("shop") == 0.0
    assert rates.allowance("shop").left is None


def test_connections_with_one_credential_keep_the_strictest_limit(rates: Rates) -> None:
    rates.declare("shop", limits_of("10/s, 100/m"), "shop")
    rates.declare("shop", limits_of("3/s, 500/m"), "shop-eu")
    assert rates.allowance("shop").limits == ("3 per second", "100 per minute")
    rates.declare("shop", limits_of("50/s"), "shop-eu")
    assert rates.allowance("shop").limits == ("10 per second", "100 per minute")


async def test_what_waits_urgently_goes_before_what_waits_by_itself(rates: Rates, clock: Clock) -> None:
    went = list[str]()
    rates.heard("shop", 429, {"retry-after": "1"})

    async def call(name: str, urgent: bool) -> None:
        assert await rates.taken("shop", urgent=urgent, at_most=60.0) == 0.0
        went.append(name)

    waiting = [asyncio.create_task(call(f"bulk {n}", False)) for n in range(2)]
    await asyncio.sleep(0.05)
    waiting.append(asyncio.create_task(call("urgent", True)))
    await asyncio.sleep(0.05)
    assert went == []
    clock.now += 2.0  # the service lets go only when all three wait
    await asyncio.gather(*waiting)
    assert went[0] == "urgent"


async def test_a_wait_that_is_too_long_takes_nothing(rates: Rates) -> None:
    rates.heard("shop", 429, {"retry-after": "60"})
    begun = time.monotonic()
    assert await rates.taken("shop", urgent=True, at_most=2.0) == pytest.approx(60.0)
    assert time.monotonic() - begun < 1.9
    assert (rates.allowance("shop").held_back_urgent, rates.allowance("shop").held_back) == (1, 0)


def test_a_limit_that_allows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one call"):
        limits_of("0/s")


def test_retry_after_that_cannot_be_read_is_not_said() -> None:
    assert retry_after({"retry-after": "soon"}, NOW) is None


def test_a_home_has_one_set_of_lines(tmp_path) -> None:
    made = begin(tmp_path)
    assert lines_of(tmp_path) is made
    assert begin(tmp_path) is not made
