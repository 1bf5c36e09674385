from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soloist.plugins.skills.understand import understand

NOW = "2026-11-21T10:00:00+00:00"


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="aé ,.:?\n>-0123456789€$kMWmärzbudget/", max_size=300))
def test_any_text_is_read_and_spans_are_verbatim(text):
    seen = understand.call({"text": text, "now": NOW})
    own = seen["own_text"]
    claimed = [*seen["questions"], *seen["kind_words"]]
    claimed += [item["span"] for item in (*seen["dates"], *seen["budgets"])]
    assert all(item["text"] == own[item["start"] : item["end"]] for item in claimed)


UNITS = [
    "budget 1.000 ",
    "1 ",
    "2-3k budget ",
    "on may ",
    "seo ",
    "we need a ",
    "? ",
    "in two ",
    "a" * 50,
    "könnten sie ",
    "A B ",
]


@pytest.mark.parametrize("unit", UNITS)
def test_long_hostile_text_is_read_in_time(unit):
    started = time.process_time()
    understand.call({"text": unit * (100_000 // len(unit)), "now": NOW})
    assert time.process_time() - started < 6


def test_a_zone_moves_the_day():
    late = {"text": "tomorrow", "now": "2026-11-21T23:30:00+00:00"}
    assert understand.call(late)["dates"][0]["day"] == "2026-11-22"
    assert understand.call({**late, "timezone": "Europe/Berlin"})["dates"][0]["day"] == "2026-11-23"
