"""Work by morning: cheap hours, batches of a provider on this machine, restarts, and nights that were slept through."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.app import App
from soloist.engine.store import model_calls, night_jobs, spent
from soloist.engine.store.tables import tasks
from soloist.flows import spending
from soloist.flows.night import Night
from soloist.kernel.spend import Payer
from soloist.stages.runtime.models import Question
from soloist.stages.spend import sweep_in
from tests.engine.store import databases

_AT = Path(__file__).parents[1] / "stages/models/batch_provider.py"
_SPEC = importlib.util.spec_from_file_location("batch_provider", _AT)
assert _SPEC is not None
assert _SPEC.loader is not None
batch_provider: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(batch_provider)

TOML = """
[business]
timezone = "Europe/Berlin"
[night]
late = "{late}"
[budgets]
day = "{day}"
[models.m]
base_url = "{url}"
model = "tiny"
allow_private_network = true
batch = {batch}
price = {{ input = "1", output = "4", currency = "EUR" }}
{more}
"""
EVENING = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
"""18:00 in Berlin; the night of the house begins at 21:00 UTC, the morning is at 06:00 UTC."""


class Clock:
    def __init__(self) -> None:
        self.now = EVENING

    def __call__(self) -> datetime:
        return self.now

    def to(self, hours: float) -> None:
        self.now = EVENING + timedelta(hours=hours)


class Run:
    """A parked run: its steps are remembered, its messages come from the store."""

    def __init__(self, house: House, run: str) -> None:
        self.run, self._house, self._kept = run, house, dict[str, Any]()

    async def step(self, name: str, work: Any, *args: Any) -> Any:
        if name not in self._kept:
            self._kept[name] = await work(self.run, *args)
        return self._kept[name]

    async def wait_for(self, topic: str, seconds: float) -> Any:
        told = await self._house.box.setdefault((self.run, topic), asyncio.Queue()).get()
        await self._house.app.store.write(lambda _tx: None)  # what it was told with is committed then
        return told

    async def sleep(self, seconds: float) -> None: ...


class House:
    def __init__(self, root: Path, provider: Any, **more: Any) -> None:
        self.root, self.provider, self.clock = databases.home(root), provider, Clock()
        given = {"late": "now", "batch": "true", "day": "2", "more": "", "url": provider.url, **more}
        (root / "soloist.toml").write_text(TOML.format(**given))
        self.box: dict[tuple[str, str], asyncio.Queue[Any]] = {}
        self.tasks: list[asyncio.Task[Any]] = []
        self.open()

    def open(self) -> None:
        self.app = App(self.root, clock=self.clock)
        self.app.store.writer.send = self._send
        self.night = Night(self.app.desk)

    def _send(self, _conn: Any, run: str, topic: str, message: Any) -> None:
        self.box.setdefault((run, topic), asyncio.Queue()).put_nowait(message)

    def again(self) -> None:
        """The process ends and another begins."""
        for task in self.tasks:
            task.cancel()
        self.app.close()
        self.open()

    async def ask(self, n: int = 1, lane: str = "morning") -> asyncio.Task[Any]:
        question = Question("Be short.", f"A summary of thing {n}, please.", lane=lane, skill="summary")
        run, before = Run(self, f"run{n}"), len(self.jobs())
        task = asyncio.create_task(self.app.desk.models.ask(question, Payer(f"run{n}", "ask", agent="writer"), run))
        self.tasks.append(task)
        for _ in range(6000):  # the first question loads the library
            await asyncio.sleep(0.01)
            if len(self.jobs()) > before or task.done():
                break
        return task

    def jobs(self) -> list[dict[str, Any]]:
        return self.app.store.read_now(night_jobs.open_)

    def states(self) -> list[str]:
        return [job["state"] for job in self.jobs()]

    def calls(self) -> list[dict[str, Any]]:
        return self.app.store.read_now(lambda conn: model_calls.listed(conn))

    @property
    def sums(self) -> Any:
        return self.app.store.read_now(lambda conn: spent.read(conn, [spent.GATE])[spent.GATE])

    def cards(self) -> list[Any]:
        query = sa.select(tasks).where(tasks.c.type == "night")
        return self.app.store.read_now(lambda conn: [dict(row) for row in conn.execute(query).mappings()])


@pytest.fixture
def provider() -> Iterator[Any]:
    with batch_provider.serving(batch_provider.BatchProvider()) as served:
        yield served


@pytest.fixture
def make(tmp_path: Path, provider: Any) -> Iterator[Any]:
    houses: list[House] = []

    def build(**more: Any) -> House:
        houses.append(House(tmp_path, provider, **more))
        return houses[-1]

    yield build
    for house in houses:
        house.app.close()


async def done(task: asyncio.Task[Any]) -> Any:
    return await asyncio.wait_for(task, 60)


def cost(tokens: list[int], share: float = 1.0) -> int:
    return int((tokens[0] + 4 * tokens[1]) * share)


def test_the_night_is_reread_and_another_currency_waits_for_the_next_start(make: Any) -> None:
    house = make()
    before = house.app.settings
    later, night = before.night.model_copy(update={"ready": "09:00"}), house.night
    first = night.due("2026-11-20T12:00:00.000000Z")
    yen = before.model_copy(update={"business": before.business.model_copy(update={"currency": "JPY"}), "night": later})
    spending.take(house.app.desk, yen)
    assert (night.due("2026-11-20T12:00:00.000000Z"), house.app.desk.spend.currency) == (first, "EUR")
    spending.take(house.app.desk, before.model_copy(update={"night": later}))
    assert night.due("2026-11-20T12:00:00.000000Z") != first


async def test_a_batch_answers_at_its_price_and_the_run_takes_the_recording(make: Any, provider: Any) -> None:
    house = make()
    asked = [await house.ask(n) for n in (1, 2)]
    await house.night.look()
    assert house.states() == ["sent", "sent"]
    assert len(provider.batches) == 1
    assert house.sums.held_micro > 0
    provider.end()
    await house.night.look()
    answers = [await done(one) for one in asked]
    assert [one.recorded for one in answers] == [True, True]
    assert provider.at_once == []
    sums = house.sums
    assert (sums.held_micro, sums.spent_micro) == (0, sum(one.cost_micro for one in answers))
    assert abs(sums.spent_micro - cost(provider.night, 0.5)) <= 2
    assert abs(sums.saved_micro - cost(provider.night, 0.5)) <= 2


async def test_a_batch_survives_the_end_of_the_process(make: Any, provider: Any) -> None:
    house = make()
    await house.ask()
    await house.night.look()
    house.again()
    house.app.store.write_now(lambda tx: sweep_in(tx))
    assert house.sums.held_micro > 0
    provider.end()
    await house.night.look()
    assert house.states() == []
    assert [queue.get_nowait() for queue in house.box.values() if queue.qsize()] == [{"how": "batch"}]
    assert house.sums.held_micro == 0


async def test_a_batch_whose_sending_was_cut_is_found_and_not_sent_twice(make: Any, provider: Any) -> None:
    house = make()
    await house.ask()
    provider.down = {"after:/batches"}
    await house.night.look()
    assert (house.states(), len(provider.batches)) == (["sending"], 1)
    provider.down = set()
    house.again()
    await house.night.look()
    assert (house.states(), len(provider.batches)) == (["sent"], 1)


async def test_one_that_was_never_taken_waits_for_its_hours_and_costs_nothing(make: Any, provider: Any) -> None:
    house = make()
    asked = await house.ask()
    provider.down = {"/files"}
    await house.night.look()
    await house.night.look()
    assert (house.states(), house.sums.held_micro, house.sums.spent_micro) == (["waiting"], 0, 0)
    house.clock.to(4.1)
    await house.night.look()
    assert not (await done(asked)).recorded
    assert len(provider.at_once) == 1


@pytest.mark.parametrize("status", ["expired", "failed"])
async def test_what_a_batch_did_not_answer_is_asked_at_once(make: Any, provider: Any, status: str) -> None:
    house = make()
    asked = [await house.ask(n) for n in (1, 2)]
    await house.night.look()
    provider.end(status, only=1)
    await house.night.look()
    assert sorted([(await done(one)).recorded for one in asked]) == [False, True]
    assert house.sums.held_micro == 0
    assert abs(house.sums.spent_micro - cost(provider.night, 0.5) - cost(provider.day)) <= 2


async def test_an_error_of_one_line_is_that_of_one_question(make: Any, provider: Any) -> None:
    house = make()
    asked = [await house.ask(n) for n in (1, 2)]
    await house.night.look()
    provider.end(fail=1)
    await house.night.look()
    assert sorted([(await done(one)).recorded for one in asked]) == [False, True]
    assert any("no luck" in row["said"] for row in house.calls())


async def test_a_slow_batch_is_left_before_the_morning_and_settled_when_it_ends(make: Any, provider: Any) -> None:
    house = make()
    asked = await house.ask()
    await house.night.look()
    house.clock.to(12.1)
    await house.night.look()
    assert not (await done(asked)).recorded
    assert (house.states(), next(iter(provider.batches.values()))["status"]) == (["left"], "cancelling")
    assert house.sums.held_micro > 0
    provider.end()
    await house.night.look()
    assert (house.states(), house.sums.held_micro) == ([], 0)
    assert abs(house.sums.spent_micro - cost(provider.night, 0.5) - cost(provider.day)) <= 2


async def test_a_provider_that_says_nothing_any_more_is_counted_as_paid(make: Any, provider: Any) -> None:
    house = make()
    asked = await house.ask()
    await house.night.look()
    held = house.sums.held_micro
    provider.batches.clear()
    house.clock.to(12.1)
    await house.night.look()
    assert not (await done(asked)).recorded
    house.clock.to(60)
    await house.night.look()
    assert (house.states(), house.sums.held_micro) == ([], 0)
    assert house.sums.spent_micro == held + cost(provider.day)


async def test_a_cap_is_found_before_a_batch_and_no_run_is_stuck(make: Any, provider: Any) -> None:
    house = make(day="0.000001")
    asked = await house.ask()
    await house.night.look()
    with pytest.raises(Exception, match="cap"):
        await done(asked)
    assert (provider.batches, house.states()) == ({}, [])


async def test_without_batches_it_waits_for_the_hours_of_the_provider_and_pays_their_price(
    make: Any, provider: Any
) -> None:
    house = make(batch="false", more='off_peak = { begin = "23:30", end = "05:00", share = "0.25" }')
    asked = await house.ask()
    assert house.states() == ["waiting"]
    house.clock.to(5.4)
    await house.night.look()
    assert house.states() == ["waiting"]
    house.clock.to(5.6)
    await house.night.look()
    assert abs((await done(asked)).cost_micro - cost(provider.day, 0.25)) <= 2


async def test_work_for_now_and_work_at_night_wait_for_nothing(make: Any) -> None:
    house = make(batch="false")
    assert not (await done(await house.ask(1, lane="now"))).recorded
    house.clock.to(6)
    assert not (await done(await house.ask(2))).recorded
    house.clock.to(12.5)
    assert not (await done(await house.ask(3))).recorded
    assert house.jobs() == []


async def test_a_night_that_was_slept_through_is_done_at_waking(make: Any) -> None:
    house = make(batch="false")
    asked = await house.ask()
    house.clock.to(12.5)  # 05:30 UTC: the night ended at 05:00, the morning is at 06:00
    await house.night.look()
    assert not (await done(asked)).recorded
    assert house.cards() == []


async def test_what_is_late_is_done_at_once_and_said_in_one_card(make: Any) -> None:
    house = make(batch="false")
    asked = [await house.ask(n) for n in (1, 2, 3)]
    house.clock.to(20)
    await house.night.look()
    for one in asked:
        await done(one)
    assert [card["title"] for card in house.cards()] == ["Late: 3 pieces of work for the morning of 2026-11-21"]


async def test_or_the_operator_is_asked(make: Any) -> None:
    house = make(batch="false", late="ask")
    asked = [await house.ask(n) for n in (1, 2)]
    house.clock.to(20)
    await house.night.look()
    await house.night.look()
    card, states = house.cards()[0], house.states()
    assert (len(house.cards()), states) == (1, ["asked", "asked"])
    await house.app.desk.decide_card(card["id"], "tonight", digest="", who="operator", via="console")
    assert house.states() == ["waiting", "waiting"]
    house.clock.to(30)
    await house.night.look()
    for one in asked:
        await done(one)


async def test_words_of_a_job_are_gone_when_it_is_over(make: Any) -> None:
    house = make(batch="false")
    asked = await house.ask()
    ident = house.jobs()[0]["id"]
    house.clock.to(5)
    await house.night.look()
    await done(asked)
    row = house.app.store.read_now(lambda conn: night_jobs.get(conn, ident))
    assert (row["state"], row["request"]) == ("woken", {})
    assert house.app.store.read_now(lambda conn: night_jobs.figures(conn, ""))["done"] == 1
