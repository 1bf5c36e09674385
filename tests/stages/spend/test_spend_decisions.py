"""What a call may cost, which caps meet it, and forecasts: pure."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from soloist.kernel.errors import BadConfig
from soloist.kernel.model import Price
from soloist.kernel.model_settings import Budgets
from soloist.kernel.spend import Actual, Cap, Payer, Worst, limit
from soloist.stages import spend
from soloist.stages.spend import decide

BERLIN = ZoneInfo("Europe/Berlin")
PRICE = Price("EUR", 1_000_000, 4_000_000, 100_000)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2 EUR", ("money", 2_000_000, "EUR")),
        ("0.5", ("money", 500_000, "EUR")),
        ("3.25 USD", ("money", 3_250_000, "USD")),
        ("200k tokens", ("tokens", 200_000, "")),
        ("2M tokens", ("tokens", 2_000_000, "")),
        ("50 calls", ("calls", 50, "")),
        ("10 runs", ("runs", 10, "")),
    ],
)
def test_limits_are_read_as_they_are_written(text: str, found: object) -> None:
    assert limit(text, "EUR") == found


@pytest.mark.parametrize("text", ["", "many", "-1", "1.5 tokens", "2k EUR", "2 eur", "1e9", "2 EUR a day"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a"):
        limit(text, "EUR")


def test_cached_tokens_cost_less_and_sums_are_rounded_up() -> None:
    assert decide.cost(PRICE, 1000, 100) == 1000 + 400
    assert decide.cost(PRICE, 1000, 0, 1000) == 100
    assert decide.cost(Price("EUR", 1, 1), 1, 0) == 1


@pytest.mark.parametrize(
    ("actual", "found"),
    [
        (Actual(None, 100, 10), (140, 110)),
        (Actual(7, 100, 10), (7, 110)),
        (Actual(None), (900, 500)),
        (Actual(None, 100, None), (900, 500)),
        (Actual(0, 0, 0), (0, 0)),
    ],
)
def test_what_is_not_said_counts_as_the_worst(actual: Actual, found: tuple[int, int]) -> None:
    assert decide.settled(PRICE, Worst(900, 500), actual) == found


def test_days_and_months_are_those_of_the_operator() -> None:
    when = spend.moment("2026-11-30T23:30:00.000000Z", BERLIN)
    assert (when.day, when.month, when.total) == ("2026-12-01", "2026-12", "")
    assert spend.end_of("day", "2026-11-30T22:30:00.000000Z", BERLIN) == "2026-11-30T23:00:00.000000Z"
    assert spend.end_of("month", "2026-03-10T12:00:00.000000Z", BERLIN) == "2026-03-31T22:00:00.000000Z"
    assert spend.end_of("total", "2026-03-10T12:00:00.000000Z", BERLIN).startswith("9999")


def test_a_cap_for_one_agent_takes_the_place_of_that_for_each() -> None:
    caps = [Cap("agent", "", "day", "money", 5), Cap("agent", "writer", "day", "money", 9)]
    when = decide.When("2026-11-20", "2026-11")
    found = {agent: decide.held_against(caps, Payer("r", "s", agent=agent), ["r"], when) for agent in ("writer", "ed")}
    assert {agent: [held.cap.most for held in helds] for agent, helds in found.items()} == {"writer": [9], "ed": [5]}


def test_a_run_is_held_against_every_run_it_came_from() -> None:
    caps = [Cap("run", "", "total", "money", 5)]
    found = decide.held_against(caps, Payer("c", "s"), ["c", "b", "a"], decide.When("d", "m"))
    assert [held.key for held in found] == [("run", "c", ""), ("run", "b", ""), ("run", "a", "")]


def test_caps_in_another_currency_need_its_rate() -> None:
    with pytest.raises(BadConfig, match=r"\[budgets.rates\] JPY"):
        spend.configured(Budgets(day="100 JPY"), "EUR")
    found = spend.configured(Budgets(day="100 JPY", rates={"JPY": "0.006"}), "EUR")
    assert [cap.most for cap in found if cap.span == "day"] == [600_000]


def test_a_month_is_what_is_spent_and_the_usual_weekdays_that_are_left() -> None:
    days = {f"2026-10-{day:02}": 700 if day % 7 == 5 else 100 for day in range(1, 32)}  # Mondays are dear
    days |= {f"2026-11-{day:02}": 700 if day in (2, 9) else 100 for day in range(1, 11)}
    found = spend.forecast(days, "2026-11-11", 30)
    assert abs(found.likely - (2200 + 100 + 3 * 700 + 16 * 100)) < 100
    assert 2200 <= found.low < found.likely < found.high < 2 * found.likely
    assert found.days >= found.enough


def test_few_days_make_a_wide_span_and_none_makes_none() -> None:
    one = spend.forecast({"2026-11-10": 100, "2026-11-11": 50}, "2026-11-11", 30)
    many = spend.forecast({f"2026-10-{day:02}": 100 for day in range(1, 32)}, "2026-11-11", 30)
    assert (one.days, one.days < one.enough) == (1, True)
    assert (one.high - one.low) / one.likely > (many.high - many.low) / max(many.likely, 1)
    assert spend.forecast({}, "2026-11-11", 30) == spend.Forecast(0, 0, 0, 0)
    assert spend.forecast({"2026-11-11": 50}, "2026-11-11", 30).likely == 50
