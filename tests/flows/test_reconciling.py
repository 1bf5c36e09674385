"""Comparing a shelf with what this home holds: rows that open, close and open again, and doubts that are settled."""

from datetime import UTC, datetime, timedelta

import pytest

from soloist.engine.store import settings, tables, tasks
from soloist.flows.reconciling import Reconciling, compared, everything_since
from soloist.sdk import Trouble
from tests.flows import shelf


@pytest.fixture
def stock(app):
    return shelf.Stock(app)


async def look(stock) -> list[dict]:
    return await Reconciling(stock.desk).now("shelf")


async def test_what_agrees_is_matched_and_opens_nothing(stock):
    await stock.effect()
    found = await look(stock)
    assert [one["matched"] for one in found] == [1, 0, 0]
    assert stock.kinds() == []


async def test_what_is_taken_away_opens_and_closes_when_it_is_back(stock):
    await stock.effect()
    away = stock.shelf.things.pop("put-1")
    await look(stock)
    (row,) = stock.all()
    assert (row["kind"], row["title"], row["inside"]["fields"]["name"]) == ("missing_outside", "bowl 1", "bowl 1")
    stock.shelf.things["put-1"] = away
    await look(stock)
    assert stock.kinds("gone") == ["missing_outside"]
    del stock.shelf.things["put-1"]
    await look(stock)
    assert [again["id"] for again in stock.all()] == [row["id"]]


async def test_a_list_that_fails_is_a_trouble_and_closes_nothing(stock):
    await stock.effect()
    stock.shelf.things.clear()
    await look(stock)
    stock.shelf.trouble = Trouble("unavailable", "The shelf does not answer.")
    assert (await look(stock))[0]["trouble"] == "The shelf does not answer."
    kept = stock.app.store.read_now(lambda conn: compared(conn, "shelf"))["put"]
    assert (kept["trouble"], kept["mismatches"]) == ("The shelf does not answer.", 1)
    assert kept["good"] < kept["at"]
    assert stock.kinds() == ["missing_outside"]


async def test_a_rate_limit_is_waited_for(stock):
    stock.shelf.trouble = Trouble("rate_limited", "Slowly.", retry_after=7.0)
    assert (await Reconciling(stock.desk).step("r", "shelf", "put"))["again"] == 7.0


async def test_nearly_everything_missing_is_rather_another_list(stock):
    for _ in range(21):
        await stock.effect()
    stock.shelf.things.clear()
    assert "0 of 21 things" in (await look(stock))[0]["trouble"]
    assert stock.kinds() == []


@pytest.mark.parametrize(("state", "now"), [("unknown", "succeeded"), ("needs_human", "resolved_done")])
async def test_a_doubt_that_the_list_settles_is_done_with_its_evidence(stock, state, now):
    effect = await stock.effect(state)
    stock.lay(effect, "put-found")
    await look(stock)
    row = stock.row("effects", effect["id"])
    assert (row["state"], row["provider_ref"]) == (now, "put-found")
    assert "the list of shelf shows it" in row["evidence"][-1]["note"]
    assert stock.app.store.read_now(lambda conn: tasks.open_for(conn, effect["id"])) is None


async def test_the_night_asks_once_for_each_connection(stock):
    await stock.effect()
    own = Reconciling(stock.desk)
    assert await own.ask_due() == 0  # the day the home was made
    stock.app.store.write_now(lambda tx: settings.put(tx, "reconcile.day", "2020-01-01"))
    stock.app.store.clock = lambda: datetime(2030, 1, 5, 12, tzinfo=UTC)
    assert await own.ask_due() == 1  # nothing was ever sent by the folder for mail
    assert await own.ask_due() == 0


async def test_after_a_restore_what_happened_is_not_sent_again(stock):
    done, open_one = await stock.effect("intended"), await stock.effect("intended")
    unclear = await stock.effect("needs_human")
    stock.lay(done, "put-done")
    stock.lay(unclear, "put-unclear")
    approved_later = await stock.proposed()
    key = stock.desk.effects.key_of(shelf.derived("effect", approved_later["id"], "all"))
    stock.lay({"proposal": approved_later["id"], "key": key}, "put-later")
    stock.lay({"proposal": approved_later["id"], "key": "b3" * 13}, "put-foreign")
    found = await everything_since(stock.desk, datetime.now(UTC) - timedelta(hours=2))
    assert (found.looked, found.found, found.absent, found.withdrawn, found.foreign) == (3, 2, 1, 1, 2)
    assert stock.row("effects", done["id"])["state"] == "succeeded"
    assert stock.row("effects", open_one["id"])["state"] == "intended"
    assert stock.row("proposals", approved_later["id"])["state"] == "withdrawn"


async def test_what_cannot_be_asked_after_a_restore_stays_open_and_is_told(stock):
    effect = await stock.effect("intended")
    stock.shelf.trouble = Trouble("unavailable", "The shelf does not answer.")
    found = await everything_since(stock.desk, datetime.now(UTC))
    assert (found.unclear, found.found) == (1, 0)
    assert found.troubles == ["shelf: The shelf does not answer."] * 3
    assert stock.row("effects", effect["id"])["state"] == "intended"


async def test_a_flood_is_counted_and_only_its_beginning_written_down(stock):
    effect = await stock.effect()
    for number in range(510):
        stock.lay(effect, f"put-x{number}", key="", name=f"order {number}")
    found = (await look(stock))[0]
    assert (found["mismatches"], found["opened"]) == (510, 500)


async def test_what_a_restart_left_in_doubt_is_compared_at_once(stock):
    await stock.effect("needs_human")
    await Reconciling(stock.desk)._after_restart()
    runs = stock.app.store.read_now(lambda c: c.execute(tables.runs.select()).mappings().all())
    assert [row["input"] for row in runs if row["flow"] == "reconcile"] == ["shelf"]
