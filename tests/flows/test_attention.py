"""Attention: windows in the operator's zone, a plan that fits the minutes, and leave to interrupt under a cap."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.app import App
from soloist.config import Attention
from soloist.engine.store import tasks
from soloist.engine.store.clock import later
from soloist.flows import attention as flow
from soloist.insight import attention, planning
from soloist.kernel.errors import BadConfig

BERLIN = "Europe/Berlin"
FRIDAY = "2026-11-20T10:00:00.000000Z"  # 11:00 in Berlin, between the two windows
HOUR = 3600.0


def card(ident: str = "c1", **values: Any) -> dict[str, Any]:
    base = {"id": ident, "type": "proposal", "state": "open", "judgement": 0, "deadline": "", "value_minor": 0}
    more = {"currency": "EUR", "estimate": 60, "created": FRIDAY, "snoozed_until": "", "urgency": "", "title": ident}
    return {**base, **more, **values}


def planned(cards: list[dict[str, Any]], now: str = FRIDAY, spent: float = 0.0, **rules: Any) -> planning.Plan:
    usual = lambda row: float(row["estimate"])  # noqa: E731
    return planning.plan(cards, Attention(**rules), BERLIN, now, estimate=usual, spent=spent)


def test_a_window_is_in_the_operators_zone_and_knows_summer_time() -> None:
    first, second = (
        planning.windows(Attention(), BERLIN, at)[0].begins for at in (FRIDAY, "2026-07-03T10:00:00.000000Z")
    )
    assert (first, second) == ("2026-11-20T15:30:00.000000Z", "2026-07-03T14:30:00.000000Z")


def test_after_the_last_window_of_friday_comes_monday() -> None:
    found = planning.windows(Attention(), BERLIN, "2026-11-20T17:00:00.000000Z")[0]
    assert found.begins == "2026-11-23T08:00:00.000000Z"


def test_outside_a_window_all_that_can_wait_waits_for_the_next() -> None:
    plan = planned([card()])
    assert (plan.now, plan.later[0].until) == ((), "2026-11-20T15:30:00.000000Z")


def test_inside_a_window_cards_fit_the_minutes_and_the_rest_goes_on() -> None:
    plan = planned([card(f"c{n}", estimate=600) for n in range(5)], "2026-11-20T15:30:00.000000Z")
    assert [slot.card["id"] for slot in plan.now] == ["c0", "c1", "c2"]
    assert {slot.until for slot in plan.later} == {"2026-11-23T08:00:00.000000Z"}


def test_what_was_spent_today_is_taken_from_today() -> None:
    plan = planned([card(estimate=600)], "2026-11-20T15:30:00.000000Z", spent=1700.0)
    assert (plan.now, plan.seconds_left) == ((), 100.0)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"type": "unknown_outcome"}, "may or may not have happened outside"),
        ({"urgency": "urgent"}, "is marked urgent"),
        ({"deadline": later(FRIDAY, 2 * HOUR)}, "ends before your next window"),
        ({"type": "failure", "value_minor": 150000}, "has money at risk"),
        ({"type": "failure", "value_minor": 5000}, ""),
        ({"value_minor": 150000}, ""),
        ({"deadline": later(FRIDAY, 30 * HOUR)}, ""),
        ({"deadline": later(FRIDAY, 40 * HOUR), "created": FRIDAY}, ""),
    ],
)
def test_only_what_cannot_wait_presses(values: dict[str, Any], why: str) -> None:
    assert planning.pressing(card(**values), Attention(), BERLIN, FRIDAY) == why


def test_what_presses_is_for_now_whatever_the_minutes_say() -> None:
    plan = planned([card("a"), card("b", type="unknown_outcome")], spent=9999.0)
    assert [slot.card["id"] for slot in plan.urgent] == [slot.card["id"] for slot in plan.now] == ["b"]


def test_a_card_waits_no_longer_than_to_the_last_window_before_its_deadline() -> None:
    monday_noon = "2026-11-23T11:00:00.000000Z"
    assert (
        planning.can_wait_until(card(deadline=monday_noon), Attention(), BERLIN, FRIDAY)
        == "2026-11-23T08:00:00.000000Z"
    )


def opened(app: App, ident: str, **values: Any) -> dict[str, Any]:
    app.store.write_now(lambda tx: tasks.open_card(tx, ident, "unknown_outcome", "It may have left", **values) and None)
    return app.store.read_now(lambda conn: tasks.get(conn, ident))


def test_interruptions_stop_at_the_cap_and_one_card_interrupts_once(app: App) -> None:
    idents = [f"u{n}" for n in range(5)]
    for ident in idents:
        opened(app, ident)
    said = [
        app.store.write_now(lambda tx, i=i: flow.interrupt(tx, i, app.settings, via="mail")) for i in ["u0", *idents]
    ]
    assert [leave.given for leave in said] == [True, False, True, True, False, False]
    assert (said[1].why, said[4].why) == ("You were told about it already.", "Your 3 interruptions of today are used.")


def test_what_is_not_urgent_is_told_when_it_can_wait_until(app: App) -> None:
    app.store.write_now(lambda tx: tasks.open_card(tx, "q", "question", "Which one?") and None)
    row = app.store.read_now(lambda conn: tasks.get(conn, "q"))
    leave = app.store.read_now(lambda conn: flow.may_interrupt(conn, FRIDAY, row, app.settings))
    assert (leave.given, leave.until) == (False, "2026-11-20T16:30:00.000000Z")  # the home's zone is UTC


async def test_what_is_set_in_the_console_wins_and_can_be_taken_back(app: App) -> None:
    await flow.adjust(app.desk, {"minutes_per_day": 5, "windows": []}, who="operator")
    rules = lambda: app.store.read_now(lambda conn: attention.rules(conn, app.settings.attention))  # noqa: E731
    assert (rules().minutes_per_day, rules().windows, rules().interruptions_per_day) == (5, [], 3)
    await flow.adjust(app.desk, {}, who="operator")
    assert rules() == app.settings.attention


@pytest.mark.parametrize(
    "value", [{"windows": ["9-10"]}, {"windows": ["09:00-10:00", "09:30-11:00"]}, {"minutes_per_day": "x"}]
)
async def test_settings_that_cannot_be_are_refused_by_name(app: App, value: dict[str, Any]) -> None:
    with pytest.raises(BadConfig, match=next(iter(value))):
        await flow.adjust(app.desk, value, who="operator")
