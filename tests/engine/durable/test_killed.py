"""Runs in processes that are killed: they go on in the next one, and nothing is done twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from soloist.engine.lock import ServerLock
from soloist.engine.store.store import Store
from soloist.kernel.errors import StoreTrouble
from tests.engine.durable.rig import ROOT, Child, Steps, counted, decide, ended, looked, outside, running, start, until
from tests.engine.store import databases

BOTH = pytest.mark.parametrize("kind", databases.KINDS)
HOLD = """
import sys
from pathlib import Path
from soloist.engine.lock import ServerLock
lock = ServerLock(Path(sys.argv[1]), sys.argv[2])
lock.take()
print("held", flush=True)
sys.stdin.read()
"""


@BOTH
async def test_parked_run_of_a_killed_process_goes_on_in_a_new_one(store: Store, url: str, steps: Steps) -> None:
    child = Child(url)
    (ident,) = start(store, "parked", "1")
    await looked(store, ident)
    child.kill()
    console = outside(url)
    await asyncio.to_thread(decide, console, ident)  # nobody is there to hear it
    async with running(store, steps.flows(), steps.finish):
        assert await ended(store, ident) == {"done"}
    assert [counted(store, f"done {ident} {step}") for step in ("before", "after")] == [1, 1]
    console.close()


async def test_step_that_was_cut_off_after_its_commit_returns_its_answer(store: Store, url: str, steps: Steps) -> None:
    """Its commit is on the disk, the engine's note of it is not: it runs again and does nothing again."""
    idents = start(store, "straight", "1")
    assert await asyncio.to_thread(Child(url, die="one").died) == 137
    async with running(store, steps.flows(), steps.finish):
        assert await ended(store, *idents) == {"done"}
    assert counted(store, "entered straight:1 one") == 2
    assert [counted(store, f"done straight:1 {step}") for step in ("one", "two")] == [1, 1]


async def test_finished_step_is_not_run_again(store: Store, url: str, steps: Steps) -> None:
    start(store, "straight", "1")
    assert await asyncio.to_thread(Child(url, die="two").died) == 137
    async with running(store, steps.flows(), steps.finish):
        assert await ended(store, "straight:1") == {"done"}
    assert [counted(store, f"entered straight:1 {step}") for step in ("one", "two")] == [1, 2]


@pytest.fixture
def holder(tmp_path: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of this home."""
    words = [sys.executable, "-c", HOLD, str(tmp_path / "soloist.lock"), url]
    process = subprocess.Popen(
        words, env={"PYTHONPATH": str(ROOT / "src")}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait(10)


@BOTH
def test_second_server_is_refused_until_the_first_is_gone(
    holder: subprocess.Popen[str], tmp_path: Path, url: str
) -> None:
    lock = ServerLock(tmp_path / "soloist.lock", url)
    with pytest.raises(StoreTrouble, match=rf"process {holder.pid}\)\. Nothing was started"):
        lock.take()
    assert lock.held()
    holder.kill()
    holder.wait(10)
    assert not lock.held()
    until(lambda: _taken(lock))
    lock.release()


def _taken(lock: ServerLock) -> bool:
    """Postgres needs a moment to see that the other end is gone."""
    try:
        lock.take()
    except StoreTrouble:
        return False
    return True


@pytest.mark.parametrize("kind", ["postgres"])
def test_second_home_on_one_database_is_refused(holder: subprocess.Popen[str], tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreTrouble, match="Another Soloist server uses this database"):
        ServerLock(tmp_path / "another.lock", url).take()
