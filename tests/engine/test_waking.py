"""Waking: sleep and jumps told apart by their clocks, everyone called in order, and late timers looked at again."""

from __future__ import annotations

import asyncio
import threading
import time as real_time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from dbos import _sys_db
from dbos._utils import LoopAwareEvent

from soloist.engine import waking
from soloist.engine.durable import rechecking
from soloist.engine.durable.rechecking import recheck
from soloist.engine.store import events
from soloist.engine.store.store import Store
from soloist.engine.waking import Gap, Reading, Waking, compare
from soloist.kernel.errors import WorkerTrouble
from tests.engine.durable.rig import Steps, counted, parked, running, start, until
from tests.engine.store import databases

HOURS = 8 * 3600.0
START = Reading(100.0, 1_700_000_000.0, 500.0)


def after(process: float = 2.0, wall: float = 2.0, boot: float | None = 2.0) -> Reading:
    """The clocks that many seconds later."""
    since_boot = None if boot is None or START.boot is None else START.boot + boot
    return Reading(START.process + process, START.wall + wall, since_boot)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(databases.migrated("sqlite", tmp_path))
    yield opened
    opened.close()


def told(store: Store) -> list[tuple[str, dict[str, int]]]:
    rows = store.read_now(lambda conn: events.after(conn, 0, limit=100))
    return [(row["kind"], row["payload"]) for row in rows if row["kind"] in (waking.WOKE, waking.JUMPED)]


@pytest.mark.parametrize(
    ("name", "now", "gap"),
    [
        ("nothing", after(), Gap()),
        ("a busy machine", after(9, 9, 9), Gap()),
        ("Linux asleep", after(2, 2 + HOURS, 2 + HOURS), Gap(slept=HOURS)),
        ("stopped and gone on", after(2 + 60, 2 + 60, 2 + 60), Gap(slept=60)),
        ("clock set forward", after(2, 2 + 3600, 2), Gap(jumped=3600)),
        ("clock set back", after(2, 2 - 600, 2), Gap(jumped=-600)),
        ("asleep, then set forward", after(2, 2 + HOURS + 90, 2 + HOURS), Gap(HOURS, 90)),
        ("the time service at work", after(2, 3, 2), Gap()),
    ],
)
def test_what_happened_is_told_by_the_clocks(name: str, now: Reading, gap: Gap) -> None:
    assert compare(START, now, every=2.0) == gap, name


@pytest.mark.parametrize(
    ("now", "gap"), [(after(2, 2 + HOURS, None), Gap(slept=HOURS)), (after(2, -598, None), Gap(jumped=-600))]
)
def test_without_a_clock_since_boot_the_wall_clock_tells(now: Reading, gap: Gap) -> None:
    assert compare(Reading(START.process, START.wall, None), now, every=2.0) == gap


async def test_after_a_sleep_it_is_written_down_and_everyone_is_called_in_order(store: Store) -> None:
    called: list[tuple[str, float]] = []

    async def pull(slept: float) -> None:
        called.append(("pull", slept))
        raise WorkerTrouble

    async def look(slept: float) -> None:
        called.append(("look", slept))

    watch = Waking(store, [pull, look])
    await watch.look(START, after(2, 2 + HOURS, 2 + HOURS))
    assert called == [("pull", HOURS), ("look", HOURS)]
    assert told(store) == [("machine.woke", {"slept_seconds": 28800})]


async def test_a_callback_that_hangs_keeps_nobody_asleep(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "PATIENCE", 0.05)
    called = asyncio.Event()

    async def hang(_slept: float) -> None:
        await asyncio.sleep(60)

    async def look(_slept: float) -> None:
        called.set()

    await Waking(store, [hang, look]).look(START, after(2, -598, 2))
    assert called.is_set()
    assert told(store) == [("clock.jumped", {"seconds": -600})]


async def test_the_task_ticks_and_ends(store: Store) -> None:
    readings = iter([START, after(), after(4 + 60, 4 + 60, 4 + 60)])
    woke = asyncio.Event()

    async def note(_slept: float) -> None:
        woke.set()

    def clocks() -> Reading:
        return next(readings, after(4 + 60, 4 + 60, 4 + 60))

    watch = Waking(store, [note], clocks=clocks, every=0.01)
    watch.start()
    await asyncio.wait_for(woke.wait(), 60)
    await watch.stop()
    assert watch.woke == 1


async def test_a_time_box_that_ended_in_sleep_is_noticed_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(store)
    async with running(store, steps.flows(), steps.finish):
        over, open_still = start(store, "parked", "a"), start(store, "parked", "b")
        for ident in (*over, *open_still):
            await parked(ident)
        await recheck()
        await asyncio.sleep(0.3)
        assert counted(store, f"done {over[0]} after") == 0
        slept = SimpleNamespace(**{**vars(real_time), "time": lambda: real_time.time() + 400})
        monkeypatch.setattr(_sys_db, "time", slept)
        await asyncio.sleep(0.3)
        assert counted(store, f"done {over[0]} after") == 0
        await recheck()
        for ident in (*over, *open_still):
            await asyncio.to_thread(until, lambda ident=ident: counted(store, f"done {ident} after"))  # type: ignore[misc]


async def test_runs_are_woken_one_after_the_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    woken, paused = list[str](), list[tuple[float, int]]()
    events_ = [LoopAwareEvent() for _ in range(4)]
    keys = [(str(n), None, SimpleNamespace(_lock=threading.Lock(), _waiters={e})) for n, e in enumerate(events_)]
    system = SimpleNamespace(notifications_map=SimpleNamespace(snapshot=lambda: keys))
    monkeypatch.setattr(rechecking, "_get_dbos_instance", lambda: SimpleNamespace(_sys_db=system))
    turn = asyncio.sleep

    async def wait(event: LoopAwareEvent) -> None:
        assert not await event.wait_async(300)
        woken.append("woken")

    async def pause(seconds: float) -> None:
        for _ in range(20):  # turns of the loop in which whoever was woken goes on
            await turn(0)
        paused.append((seconds, len(woken)))

    waiting = [asyncio.create_task(wait(event)) for event in events_]
    await asyncio.sleep(0)
    monkeypatch.setattr(rechecking, "asyncio", SimpleNamespace(sleep=pause))
    await recheck()
    await asyncio.gather(*waiting)
    assert paused == [(rechecking.PACE, n) for n in (1, 2, 3, 4)]
