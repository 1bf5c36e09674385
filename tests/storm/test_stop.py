"""The stop button: nothing begins to leave a second after it was pressed, in whatever way and under whatever load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.nursery import Nursery
from tests.storm.size import scale
from tests.storm.stopping import WAYS, WITHIN, Burst

pytestmark = pytest.mark.storm


@pytest.fixture
def burst(tmp_path: Path, nursery: Nursery) -> Iterator[Burst]:
    made = Burst(tmp_path, nursery, seed=7)
    yield made
    made.end()


def test_nothing_begins_to_leave_a_second_after_the_press(burst: Burst) -> None:
    trials = scale(200, 6)
    worst = dict.fromkeys(WAYS, 0.0)
    for number in range(trials):
        way = WAYS[number % len(WAYS)]
        worst[way] = max(worst[way], burst.trial(way, restart=number % 8 == 5))
    told = ", ".join(f"{way} {seconds * 1000:.0f} ms" for way, seconds in worst.items())
    print(f"Stop: {trials} presses during a burst, the last call after a press at worst: {told}")
    assert max(worst.values()) <= WITHIN
    burst.settled()
    doubled = {ref: count for ref, count in burst.providers.deeds().items() if count != 1}
    print(f"Stop: {len(burst.approved)} approved effects, all done once after the release, {len(doubled)} doubled")
    assert not doubled


def test_the_check_of_lateness_can_fail(burst: Burst) -> None:
    """A negative control: with nobody pressing, calls do begin later than a second."""
    burst.press = lambda way: None  # type: ignore[method-assign]  # nobody presses
    burst.release = lambda way: None  # type: ignore[method-assign]  # nobody pressed
    assert any(burst.trial("api") > WITHIN for _ in range(30))  # a slow machine may call nobody in one of them
