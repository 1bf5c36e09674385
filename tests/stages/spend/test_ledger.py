"""The ledger on both stores: what is held, settled, refused, extended, and what forks and dead processes leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from soloist import config
from soloist.engine.store import caps, model_calls, spent, tasks, workers
from soloist.engine.store.store import Store
from soloist.engine.store.tables import tasks as task_rows
from soloist.engine.store.tables_agents import releases
from soloist.kernel.errors import BadConfig, CapReached
from soloist.kernel.spend import Actual, Cap, Held, Payer, Worst
from soloist.stages.spend import Refused, Spend, sweep_in
from tests.engine.store import databases

CENT = 10_000
Make = Callable[..., Spend]


@pytest.fixture(params=databases.KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = Store(databases.migrated(request.param, tmp_path), clock=lambda: datetime(2026, 11, 20, 12, tzinfo=UTC))
    yield opened
    opened.close()


@pytest.fixture
def spend(store: Store) -> Make:
    def make(worker: str = "me", **budgets: Any) -> Spend:
        plain = {"run": [], "day": [], "month": []}
        return Spend(store, config.parse({"budgets": {**plain, **budgets}}), worker=worker)

    return make


def pay(n: int = 0, **who: str) -> Payer:
    return Payer(**{"run": "r1", "step": f"s{n}", "agent": "writer", **who})  # type: ignore[arg-type]  # only texts


def worst(cents: int, tokens: int = 100) -> Worst:
    return Worst(cents * CENT, tokens)


def house(store: Store) -> Any:
    return store.read_now(lambda conn: spent.read(conn, [spent.GATE]))[spent.GATE]


def open_cards(store: Store) -> list[dict[str, Any]]:
    return store.read_now(lambda conn: tasks.cards(conn, "open"))


async def test_what_is_held_is_settled_once(store: Store, spend: Make) -> None:
    ledger = spend()
    held = await ledger.reserve(pay(), worst(5))
    assert (house(store).held_micro, house(store).calls, house(store).runs) == (5 * CENT, 1, 1)
    await ledger.settle(held, Actual(2 * CENT, 40, 10))
    await ledger.settle(held, Actual(3 * CENT, 40, 10))
    assert (house(store).held_micro, house(store).spent_micro, house(store).spent_tokens) == (0, 2 * CENT, 50)


async def test_an_answer_without_usage_counts_as_the_worst(store: Store, spend: Make) -> None:
    ledger = spend()
    await ledger.settle(await ledger.reserve(pay(), worst(5, 100)), Actual(None))
    assert (house(store).spent_micro, house(store).spent_tokens) == (5 * CENT, 100)


async def test_another_currency_turns_the_books_and_the_caps_once(store: Store, spend: Make) -> None:
    ledger = spend()
    await ledger.set_cap(Cap("house", "", "month", "money", 100 * CENT), who="operator")
    await ledger.settle(await ledger.reserve(pay(1), worst(5)), Actual(4 * CENT, 40, 10))
    open_ = await ledger.reserve(pay(2), worst(6))
    plain = {"run": [], "day": [], "month": []}
    rich = config.parse({"business": {"currency": "JPY"}, "budgets": {**plain, "rates": {"EUR": "150"}}})
    later = Spend(store, rich, worker="me")
    for _ in range(2):
        store.write_now(later.turn_in)
    assert (house(store).spent_micro, house(store).held_micro) == (600 * CENT, 900 * CENT)
    (cap,) = store.read_now(later.caps)
    assert (cap.most, cap.currency) == (15_000 * CENT, "JPY")
    await later.settle(open_, Actual(None))
    assert (house(store).spent_micro, house(store).held_micro) == (1500 * CENT, 0)
    with pytest.raises(BadConfig, match="counted in JPY so far"):
        spend()


async def test_a_model_that_billed_above_the_worst_is_held_back_with_what_it_billed(store: Store, spend: Make) -> None:
    ledger, row = spend(day="0.30"), {"provider": "m", "model": "x", "price": {"tokens_in": 1, "tokens_out": 4}}
    held = await ledger.begin(pay(1), worst(5), row)
    assert isinstance(held, Held)
    await ledger.settle(held, Actual(12 * CENT, 40, 10))
    again = await ledger.begin(pay(2), worst(5), row)
    assert isinstance(again, Held)
    assert again.worst.micro == 12 * CENT
    await ledger.settle(again, Actual(12 * CENT, 40, 10))
    assert isinstance(await ledger.begin(pay(3, agent="editor"), worst(5), row), Refused)
    dearer = await ledger.begin(pay(4, agent="other"), worst(5), {**row, "price": {"tokens_in": 2, "tokens_out": 4}})
    assert isinstance(dearer, Refused)  # stopped at the cap, whatever its price
    assert store.read_now(lambda conn: spent.times(conn, {**row, "price": {"tokens_in": 2}})) == spent.WITHIN


async def test_the_call_that_would_pass_the_cap_is_not_made_and_there_is_one_card(store: Store, spend: Make) -> None:
    ledger = spend(day="0.10")
    await ledger.reserve(pay(1), worst(6))
    for n in range(2, 5):
        with pytest.raises(CapReached, match=r"0\.10 EUR"):
            await ledger.reserve(pay(n), worst(5))
    assert house(store).held_micro == 6 * CENT
    assert [card["type"] for card in open_cards(store)].count("cap") == 1


async def test_after_a_cap_is_reached_even_a_smaller_call_of_the_agent_waits(store: Store, spend: Make) -> None:
    ledger = spend(agents={"writer": {"day": "0.10"}})
    await ledger.reserve(pay(1), worst(8))
    refused = await ledger.begin(pay(2), worst(5))
    assert isinstance(refused, Refused)
    assert isinstance(await ledger.begin(pay(3), worst(1)), Refused)
    assert isinstance(await ledger.begin(pay(4, agent="editor"), worst(5)), Held)


async def test_the_registry_shows_a_stopped_agent_in_the_same_commit(store: Store, spend: Make) -> None:
    store.write_now(lambda tx: tx.run(releases.insert(), {"kind": "agent", "name": "writer", "version": "1"}))
    ledger = spend(agents={"*": {"day": "0.01"}})
    await ledger.begin(pay(), worst(5))
    state = sa.select(releases.c.state)
    assert store.read_now(lambda conn: conn.execute(state).scalar()) == caps.AT_CAP
    await ledger.extend("agent.day.money.writer", who="operator", percent=1000)
    assert store.read_now(lambda conn: conn.execute(state).scalar()) == ""
    assert isinstance(await ledger.begin(pay(2), worst(5)), Held)


async def test_the_card_extends_with_one_tap(store: Store, spend: Make) -> None:
    ledger = spend(day="0.10", extension=50)
    refused = await ledger.begin(pay(), worst(12))
    assert isinstance(refused, Refused)
    card = store.read_now(lambda conn: tasks.get(conn, refused.card))
    assert [option["name"] for option in card["options"]] == ["extend", "keep", "off"]
    done = store.write_now(lambda tx: ledger.answer(tx, card, "extend", "operator"))
    assert (done["state"], done["until"]) == ("extended", "2026-11-21T00:00:00.000000Z")
    assert isinstance(await ledger.begin(pay(2), worst(12)), Held)


async def test_one_tap_is_enough_for_the_call_that_was_refused(store: Store, spend: Make) -> None:
    ledger = spend(day="0.10")
    refused = await ledger.begin(pay(), worst(40))
    assert isinstance(refused, Refused)
    card = store.read_now(lambda conn: tasks.get(conn, refused.card))
    assert card["options"][0]["label"] == "Allow 0.30 EUR more"
    store.write_now(lambda tx: ledger.answer(tx, card, "extend", "operator"))
    assert isinstance(await ledger.begin(pay(2), worst(40)), Held)


async def test_no_card_asks_about_a_cap_that_was_extended_elsewhere(store: Store, spend: Make) -> None:
    ledger = spend(day="0.10", alerts=[50])
    await ledger.begin(pay(1), worst(6))
    await ledger.begin(pay(2), worst(6))
    assert len(open_cards(store)) == 2
    await ledger.extend("house.day.money", who="operator")
    assert open_cards(store) == []


async def test_tomorrow_it_goes_on_by_itself(tmp_path: Path) -> None:
    url, now = databases.migrated("sqlite", tmp_path), [datetime(2026, 11, 20, 12, tzinfo=UTC)]
    store = Store(url, clock=lambda: now[0])
    ledger = Spend(store, config.parse({"budgets": {"day": "0.10"}}), worker="me")
    assert isinstance(await ledger.begin(pay(1), worst(12)), Refused)
    now[0] = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert isinstance(await ledger.begin(pay(2), worst(4)), Held)
    store.write_now(ledger.renew_in)
    assert open_cards(store) == []
    store.close()


async def test_a_cap_can_be_off_until_its_period_is_over(store: Store, spend: Make) -> None:
    ledger = spend(month="0.10")
    refused = await ledger.begin(pay(), worst(12))
    assert isinstance(refused, Refused)
    card = store.read_now(lambda conn: tasks.get(conn, refused.card))
    store.write_now(lambda tx: ledger.answer(tx, card, "off", "operator"))
    assert isinstance(await ledger.begin(pay(2), worst(500)), Held)


async def test_forked_work_draws_on_its_parent(store: Store, spend: Make) -> None:
    ledger = spend(run="0.10")
    await ledger.reserve(pay(1, run="root"), worst(6))
    child = Payer("child", "s", parents=("root",), agent="writer")
    assert isinstance(await ledger.begin(child, worst(5)), Refused)
    assert isinstance(await ledger.begin(pay(2, run="other"), worst(5)), Held)


async def test_the_parents_of_a_run_are_found_in_its_row(store: Store, spend: Make) -> None:
    ledger = spend(run="0.10")
    store.write_now(lambda tx: (tx.start("root", "f", "x"), tx.start("kid", "f", "x", parent="root")))
    await ledger.reserve(pay(1, run="root"), worst(6))
    assert isinstance(await ledger.begin(pay(2, run="kid"), worst(5)), Refused)


async def test_what_a_dead_process_held_back_counts_as_spent(store: Store, spend: Make) -> None:
    ledger = spend("dead")
    held = await ledger.reserve(pay(), worst(5))
    store.write_now(lambda tx: (workers.begin(tx, "dead", {"kind": "server"}), workers.end(tx, "dead")))
    assert store.write_now(sweep_in) == 1
    assert store.write_now(sweep_in) == 0
    assert (house(store).held_micro, house(store).spent_micro) == (0, 5 * CENT)
    assert store.read_now(lambda conn: model_calls.get(conn, held.call))["state"] == "lost"


@pytest.mark.parametrize(
    ("limits", "allowed"), [("150 tokens", 1), ("2 calls", 2), ("1 runs", 4), (["1 EUR", "3 calls"], 3), ("0.25", 4)]
)
async def test_caps_count_money_tokens_calls_and_runs(spend: Make, limits: Any, allowed: int) -> None:
    ledger = spend(day=limits)
    found = [await ledger.begin(pay(n), worst(6, 100)) for n in range(4)]
    assert sum(isinstance(one, Held) for one in found) == allowed


async def test_a_second_run_passes_a_quota_of_runs(spend: Make) -> None:
    ledger = spend(day="1 runs")
    assert isinstance(await ledger.begin(pay(1), worst(1)), Held)
    assert isinstance(await ledger.begin(pay(2, run="r2"), worst(1)), Refused)


async def test_a_cap_of_single_calls_stops_nobody(store: Store, spend: Make) -> None:
    ledger = spend(call="0.05")
    assert isinstance(await ledger.begin(pay(1), worst(6)), Refused)
    assert isinstance(await ledger.begin(pay(2), worst(5)), Held)
    assert open_cards(store) == []


async def test_each_share_is_told_once(store: Store, spend: Make) -> None:
    ledger = spend(day="1", alerts=[50, 80])
    for n in range(9):
        await ledger.reserve(pay(n), worst(10))
    assert sorted(card["title"][:4] for card in open_cards(store)) == ["50 %", "80 %"]


async def test_a_cap_set_here_takes_the_place_of_the_one_in_the_file(spend: Make) -> None:
    ledger = spend(day="0.10")
    await ledger.set_cap(Cap("house", "", "day", "money", 20 * CENT), who="operator")
    assert isinstance(await ledger.begin(pay(1), worst(15)), Held)
    await ledger.remove_cap("house.day.money", who="operator")
    assert isinstance(await ledger.begin(pay(2), worst(1)), Refused)


async def test_a_refused_call_leaves_a_row_and_costs_nothing(store: Store, spend: Make) -> None:
    await spend(day="0.01").begin(pay(), worst(5))
    rows = store.read_now(lambda conn: model_calls.listed(conn))
    assert [(row["state"], row["fault"], row["cost_micro"]) for row in rows] == [("refused", "cap", 0)]
    assert store.read_now(lambda conn: conn.execute(sa.select(sa.func.count()).select_from(task_rows)).scalar()) == 1


async def test_two_processes_at_once_never_pass_a_cap_together(store: Store) -> None:
    other = Store(store.url, clock=store.clock)
    chosen = config.parse({"budgets": {"day": "0.20", "run": []}})
    ledgers = [Spend(opened, chosen, worker=name) for opened, name in ((store, "one"), (other, "two"))]
    asked = [ledgers[n % 2].begin(pay(n, run=f"r{n}", agent=f"a{n % 5}"), worst(1)) for n in range(60)]
    found = await asyncio.gather(*asked)
    other.close()
    assert sum(isinstance(one, Held) for one in found) == 20
    assert (house(store).held_micro, house(store).calls, house(store).runs) == (20 * CENT, 20, 20)
    assert len([card for card in open_cards(store) if card["type"] == "cap"]) == 1
