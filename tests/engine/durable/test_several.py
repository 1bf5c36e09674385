"""Several processes on one Postgres: each run in one of them, the dead are taken over, a lost lock lets nothing out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from soloist.engine import processes
from soloist.engine.lock import DatabaseLock
from soloist.engine.store import workers
from soloist.engine.store.store import Store
from soloist.kernel.errors import StoreTrouble
from tests.engine.durable.rig import (
    Child,
    Steps,
    among_others,
    counted,
    decide,
    ended,
    looked,
    outside,
    present,
    start,
    states,
    until,
)
from tests.engine.store import databases

RUNS = 60


@pytest.fixture
def kind() -> str:
    return "postgres"


@pytest.fixture
def peers(url: str, store: Store) -> Iterator[list[Child]]:
    """Two processes that see each other."""
    made = [Child(url, peer=True) for _ in range(2)]
    until(lambda: len(store.read_now(workers.living)) == 2, 60)
    yield made
    for child in made:
        child.kill()


def sql(url: str, statement: str) -> list[tuple]:
    with databases.engine(url).begin() as conn:
        return [tuple(row) for row in conn.exec_driver_sql(statement)]


def _both_work(store: Store, url: str) -> bool:
    """Whether each of the two has carried out a run; one that is only starting may not be cut off."""
    start(store, "straight", f"warm {time.monotonic()}")
    time.sleep(0.3)
    return len(sql(url, "SELECT DISTINCT executor_id FROM dbos.workflow_status WHERE status='SUCCESS'")) == 2


def test_each_run_is_carried_out_by_one_process(
    peers: list[Child], store: Store, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    idents, shares = list[str](), [0]
    for turn in range(20):  # on a busy machine one of them may sleep through a turn
        idents += start(store, "straight", *(f"{turn}.{n}" for n in range(RUNS)))
        until(lambda asked=tuple(idents): states(store, *asked) == {"done"})  # type: ignore[misc]
        shares = [counted(store, f"process {child.process.pid}") for child in peers]
        if min(shares):
            break
    assert {counted(store, f"entered {ident} {step}") for ident in idents for step in ("one", "two")} == {1}
    with capsys.disabled():
        print(f"\n{len(idents)} runs of two steps by two processes: {shares[0]} and {shares[1]} steps")
    assert sum(shares) == 2 * len(idents)
    assert min(shares) > 0


def test_parked_runs_of_a_dead_process_wake_in_another(
    peers: list[Child], store: Store, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    idents = start(store, "parked", *map(str, range(12)))
    until(lambda: all(counted(store, f"done {ident} before") for ident in idents))
    peers[0].kill()
    began = time.monotonic()
    boots = {
        child.process.pid: row["boot"]
        for child in peers
        for row in store.read_now(workers.newest)
        if row["pid"] == child.process.pid
    }
    until(lambda: boots[peers[0].process.pid] not in {row["boot"] for row in store.read_now(workers.living)})
    seen = time.monotonic() - began
    dead = boots[peers[0].process.pid]
    until(lambda: sql(url, f"SELECT count(*) FROM dbos.workflow_status WHERE executor_id='{dead}'") == [(0,)])
    moved = time.monotonic() - began
    console = outside(url)
    for ident in idents:
        decide(console, ident)
    until(lambda: states(store, *idents) == {"done"})
    console.close()
    with capsys.disabled():
        print(f"\ndeath seen after {seen:.1f} s, its runs moved after {moved:.1f} s")
    assert seen < 60
    assert {counted(store, f"done {ident} {step}") for ident in idents for step in ("before", "after")} == {1}


def test_every_connection_is_cut_again_and_again(peers: list[Child], store: Store, url: str) -> None:
    """As when Postgres is restarted: runs wait for it, none of them fails, and a wake-up that got lost is made up."""
    until(lambda: _both_work(store, url), 60)
    first = start(store, "straight", "first") + start(store, "parked", "1")
    until(lambda: counted(store, "done parked:1 before") and states(store, first[0]) == {"done"}, 60)
    idents = first + start(store, "straight", *map(str, range(RUNS)))
    others = "datname=current_database() AND pid<>pg_backend_pid()"
    for _ in range(4):
        time.sleep(0.4)
        sql(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    console = outside(url)
    decide(console, "parked:1")
    until(lambda: states(console, *idents) <= {"done", "failed"}, 60)
    assert sql(url, "SELECT id, error FROM runs WHERE state='failed'") == []
    assert {counted(console, f"done {ident} {step}") for ident in idents[2:] for step in ("one", "two")} == {1}
    until(lambda: console.read_now(workers.unheld) == [])
    assert len(console.read_now(workers.living)) == 2
    console.close()


def test_message_wakes_a_run_in_another_process_at_once(
    peers: list[Child], store: Store, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console, took = outside(url), []
    for ident in start(store, "parked", *map(str, range(6))):
        until(lambda ident=ident: counted(store, f"done {ident} look") or counted(store, f"done {ident} before"))  # type: ignore[misc]
        time.sleep(0.3)
        began = time.monotonic()
        decide(console, ident)
        until(lambda ident=ident: counted(store, f"done {ident} after"))  # type: ignore[misc]
        took.append(time.monotonic() - began)
    console.close()
    with capsys.disabled():
        print(f"\ndecided to next step done in another process: median {sorted(took)[3] * 1000:.0f} ms")
    assert sorted(took)[3] < 4  # a lost wake-up is made up for after five


async def test_run_of_a_process_that_left_in_order_goes_on(store: Store, url: str) -> None:
    steps, other = Steps(store), Store(url)
    async with among_others(store, steps.flows(), steps.finish):
        (ident,) = start(store, "parked", "1")
        await looked(store, ident)
    async with among_others(other, Steps(other).flows(), Steps(other).finish):
        await asyncio.to_thread(decide, other, ident)
        assert await ended(other, ident) == {"done"}
    other.close()


async def test_lost_lock_fences_until_it_is_back(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "TICK", 0.05)
    presence, lost = present(store, "here"), []
    await presence.begin("worker")
    presence.watch(_nothing, lambda: lost.append(1))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype='advisory' AND objsubid=1"
    thief = DatabaseLock(url, workers.number("here"))
    await asyncio.to_thread(lambda: (sql(url, cut), until(thief.held)))
    await asyncio.to_thread(until, lambda: presence.fenced)
    thief.release()
    await asyncio.to_thread(until, lambda: not presence.fenced)
    assert (lost, presence.lost) == ([], False)
    await presence.end()


async def test_process_that_was_taken_for_dead_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "TICK", 0.05)
    presence, lost = present(store, "here"), []
    await presence.begin("worker")
    await store.write(lambda tx: workers.end(tx, "here"))
    presence.watch(_nothing, lambda: lost.append(1))
    await asyncio.to_thread(until, lambda: lost)
    assert presence.lost
    assert presence.fenced
    await presence.end()


async def test_living_process_is_not_seized(store: Store, url: str) -> None:
    presence = present(store, "here")
    await presence.begin("worker")
    assert not await store.write(lambda tx: workers.seize(tx, "here"))
    assert store.read_now(workers.unheld) == []
    presence._lock.release()
    await asyncio.to_thread(until, lambda: store.read_now(workers.unheld))
    assert await store.write(lambda tx: workers.seize(tx, "here"))
    assert not await store.write(lambda tx: workers.seize(tx, "here"))


async def test_worker_with_other_keys_is_refused(store: Store) -> None:
    server, worker = present(store, "server"), present(store, "worker")
    await server.begin("server")
    worker._mark = "other"
    with pytest.raises(StoreTrouble, match="keys of this home are not those of the server"):
        await worker.begin("worker")
    await server.end()
    await worker.end()


async def _nothing(_executors: object) -> None:
    """Nobody to recover."""
