"""The durable engine in one process: parks, wakes at once, starts what is pending, keeps its doors shut."""

from __future__ import annotations

import asyncio
import base64
import json
import statistics
import threading
import time
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import _serialization as serialization
from dbos._sys_db import SystemDatabase
from dbos._sys_db_sqlite import SQLiteSystemDatabase

from soloist.engine.durable import engine as engine_module
from soloist.engine.durable import fastwake
from soloist.engine.store import base, events, runs, settings, tasks
from soloist.engine.store.store import Store
from soloist.flows.troubles import Troubles
from soloist.kernel.errors import SoloistError, StoreTrouble
from soloist.sdk.flow import Flow, Verbs
from tests.engine.durable.rig import (
    Steps,
    counted,
    decide,
    ended,
    looked,
    outside,
    parked,
    running,
    start,
    states,
    system,
    until,
)
from tests.engine.store import databases

BOTH = pytest.mark.parametrize("kind", databases.KINDS)


@BOTH
async def test_message_wakes_a_parked_run_at_once(
    store: Store, steps: Steps, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stock poller is set to half a minute, so that only a real wake-up can be in time."""
    took = []
    async with running(store, steps.flows(), steps.finish):
        system()._notification_listener_polling_interval_sec = 30.0
        for ident in start(store, "parked", *map(str, range(12))):
            await parked(ident)
            before = time.monotonic()
            await asyncio.to_thread(decide, store, ident)
            await asyncio.to_thread(until, lambda ident=ident: counted(store, f"done {ident} after"))  # type: ignore[misc]
            took.append(time.monotonic() - before)
    with capsys.disabled():
        print(
            f"\n[{kind}] decided to next step done: median {statistics.median(took) * 1000:.0f} ms, "
            f"slowest {max(took) * 1000:.0f} ms of {len(took)}"
        )
    assert statistics.median(took) < 15
    assert max(took) < 5


async def test_message_of_another_process_wakes_as_well(store: Store, steps: Steps, url: str) -> None:
    console = outside(url)
    async with running(store, steps.flows(), steps.finish):
        system()._notification_listener_polling_interval_sec = 30.0
        (ident,) = start(store, "parked", "1")
        await looked(store, ident)
        await asyncio.to_thread(decide, console, ident)
        assert await ended(store, ident, seconds=5) == {"done"}
    console.close()


async def test_wake_up_survives_a_fault_of_its_own(store: Store, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """One failing look (a locked or full disk) must not end the thread that wakes everyone."""
    real, failed = fastwake._wake, []

    def fail_once(*args: Any) -> int:
        if not failed:
            failed.append(1)
            raise base.sqlite_module().OperationalError("disk I/O error")
        return real(*args)

    monkeypatch.setattr(fastwake, "_wake", fail_once)
    async with running(store, steps.flows(), steps.finish):
        (ident,) = start(store, "parked", "1")
        await parked(ident)
        await asyncio.to_thread(decide, store, ident)
        assert await ended(store, ident, seconds=5) == {"done"}
    assert failed


def test_private_names_are_there() -> None:
    """What the faster wake-up replaces and reads in the pinned version."""
    assert callable(SQLiteSystemDatabase._notification_listener)
    assert isinstance(SystemDatabase._notification_fallback_polling_interval, float)
    assert callable(SystemDatabase.run_notification_listener)
    assert {"serialize", "deserialize"} <= set(vars(serialization.DefaultSerializer))


async def test_names_of_the_running_engine_are_there(store: Store, steps: Steps) -> None:
    async with running(store, steps.flows(), steps.finish):
        assert system()._run_background_processes is True
        assert callable(system().notifications_map.get)
        columns = {c["name"] for c in sa.inspect(databases.engine(store.url)).get_columns("notifications")}
        assert {"destination_uuid", "topic", "consumed"} <= columns


def test_another_version_of_the_library_is_refused(store: Store, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "version", lambda _name: "3.5.0")
    with pytest.raises(SoloistError, match=r"dbos 3\.5\.0 is installed.*exactly 3\.4\.0"):
        engine_module.Engine(store, steps.flows(), executor="test", finish=steps.finish)


class Planted:
    """What somebody who can write the database would like to have run."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> Any:
        return Path.touch, (self.proof,)


async def test_row_marked_as_pickle_is_refused(store: Store, steps: Steps, tmp_path: Path) -> None:
    planted = base64.b64encode(ForkingPickler.dumps(Planted(tmp_path / "proof"))).decode()
    async with running(store, steps.flows(), steps.finish):
        (ident,) = start(store, "parked", "1")
        await looked(store, ident)
    change = sa.text("UPDATE workflow_status SET inputs=:i, serialization='py_pickle', status='PENDING'")
    with databases.engine(store.url).begin() as conn:
        assert conn.execute(change, {"i": planted}).rowcount == 1
    async with running(store, steps.flows(), steps.finish):
        await asyncio.sleep(0.5)
    assert not (tmp_path / "proof").exists()
    ForkingPickler.loads(base64.b64decode(planted))  # the trap is a real one
    assert (tmp_path / "proof").exists()


def everything(conn: sa.Connection) -> tuple[set[str], list[Any]]:
    """How the engine wrote its values, and every row of every table."""
    kinds = set(conn.exec_driver_sql("SELECT serialization FROM workflow_status").scalars())
    tables = sa.inspect(conn).get_table_names()
    return kinds, [row for table in tables for row in conn.exec_driver_sql(f'SELECT * FROM "{table}"')]


async def test_nothing_is_stored_as_pickle(store: Store, steps: Steps) -> None:
    async with running(store, steps.flows(), steps.finish):
        idents = start(store, "parked", "1") + start(store, "straight", "2") + start(store, "failing", "3")
        await looked(store, idents[0])
        await asyncio.to_thread(decide, store, idents[0], {"answer": "yes"})
        await ended(store, *idents)
    kinds, rows = store.read_now(everything)
    assert not [row for row in rows for value in row if str(value).startswith(("gAS", "b'\\x80"))]
    assert len(rows) > 20
    assert kinds == {"portable_json"}


async def test_pending_rows_start_at_launch(store: Store, steps: Steps) -> None:
    idents = start(store, "straight", "1", "2", "3")
    async with running(store, steps.flows(), steps.finish):
        assert await ended(store, *idents) == {"done"}
    assert [counted(store, f"done {ident} two") for ident in idents] == [1, 1, 1]


async def test_rows_of_another_process_are_found(store: Store, steps: Steps, url: str) -> None:
    other = Store(url)
    async with running(store, steps.flows(), steps.finish):
        idents = start(other, "straight", "1")
        assert await ended(store, *idents) == {"done"}
    other.close()


async def test_parked_runs_do_not_hold_up_others(store: Store, steps: Steps) -> None:
    async with running(store, steps.flows(), steps.finish):
        waiting = start(store, "parked", *map(str, range(200)))
        await parked(*waiting)
        before = time.monotonic()
        assert await ended(store, *start(store, "straight", "next")) == {"done"}
        assert time.monotonic() - before < 60
        assert not counted(store, f"done {waiting[0]} after")


async def test_only_so_many_are_busy_at_once(store: Store, steps: Steps) -> None:
    async with running(store, steps.flows(), steps.finish):
        await ended(store, *start(store, "slow", *map(str, range(40))))
    assert steps.most == engine_module.BUSY


async def test_decision_before_the_run_begins_is_not_lost(store: Store, steps: Steps, url: str) -> None:
    """The message goes nowhere, and need not: the run reads the row when it begins."""
    console = outside(url)
    (first,) = start(store, "parked", "first")
    decide(console, first)  # on a home where the engine never ran
    async with running(store, steps.flows(), steps.finish):
        assert await ended(store, first) == {"done"}
    (second,) = start(store, "parked", "second")
    decide(console, second)  # now its tables are there
    async with running(store, steps.flows(), steps.finish):
        assert await ended(store, second) == {"done"}
    console.close()


@BOTH
async def test_run_cannot_begin_while_its_message_is_being_written(store: Store, steps: Steps, url: str) -> None:
    """Else it would read its row too early, and the message would have been for nobody."""
    async with running(store, steps.flows(), steps.finish):
        (ident,) = start(store, "straight", "makes the tables")
        await ended(store, ident)
    console, inside, go = outside(url), threading.Event(), threading.Event()
    store.write_now(lambda tx: tx.start("parked:1", "parked", "1"))

    def work(tx: Any) -> None:
        tx.send("parked:1", "decided", "yes")
        inside.set()
        go.wait(60)

    sent = console.writer.submit(work)
    inside.wait(60)
    began = store.writer.submit(lambda tx: runs.begin(tx, "parked:1"))
    await asyncio.sleep(0.2)
    assert not began.done()
    go.set()
    assert (sent.result(60), began.result(60)) == (None, None)
    console.close()


async def test_message_of_a_failed_unit_wakes_nobody(store: Store, steps: Steps) -> None:
    def fail(tx: Any) -> None:
        tx.send("parked:1", "decided", "yes")
        raise ValueError("no")

    async with running(store, steps.flows(), steps.finish):
        (ident,) = start(store, "parked", "1")
        await looked(store, ident)
        with pytest.raises(ValueError, match="no"):
            await store.write(fail)
        await asyncio.sleep(0.3)
        assert not counted(store, f"done {ident} after")


async def test_parked_run_survives_a_change_of_its_code(store: Store, steps: Steps) -> None:
    """A run that began before the change goes on as it began; a new one takes the new way."""
    flows = steps.flows()
    old = [type(flow)("parked", steps.parked, parks=True) for flow in flows[:1]]
    new = [type(flow)("parked", steps.patched, parks=True) for flow in flows[:1]]
    async with running(store, old, steps.finish):
        (before,) = start(store, "parked", "before")
        await parked(before)
    async with running(store, new, steps.finish):
        (after,) = start(store, "parked", "after")
        await looked(store, after)
        for ident in (before, after):
            await asyncio.to_thread(decide, store, ident)
        assert await ended(store, before, after) == {"done"}
    assert [counted(store, f"done {i} check") for i in (before, after)] == [0, 1]
    assert [counted(store, f"entered {i} before") for i in (before, after)] == [1, 1]


async def test_failing_flow_becomes_one_card(store: Store, steps: Steps) -> None:
    async with running(store, steps.flows(), Troubles(store).finished):
        (ident,) = start(store, "failing", "event-7")
        assert await ended(store, ident) == {"failed"}
    (card,) = store.read_now(lambda c: tasks.cards(c, "open"))
    row = store.read_now(lambda c: runs.get(c, ident))
    assert (card["run"], card["detail"]["input"]) == (ident, "event-7")
    assert "the price list has no line for this" in card["why"]
    assert "Traceback" in row["error"]
    assert "tests/engine/durable/rig.py" in row["error"]
    kinds = [event["kind"] for event in store.read_now(lambda c: events.after(c, 0, 99))]
    assert (kinds.count("run.failed"), kinds.count("card.opened")) == (1, 1)


async def test_run_begins_and_ends_although_the_disk_is_full_for_a_while(
    store: Store, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine would remember such a run as failed, and our own row would wait for ever."""
    monkeypatch.setattr(engine_module, "PATIENCE", 0.01)
    faults = {"begin": 2, "finish": 2}

    def full(name: str) -> None:
        faults[name] -= 1
        if faults[name] >= 0:
            raise StoreTrouble("The disk is full.")

    real_begin = engine_module.begin
    monkeypatch.setattr(engine_module, "begin", lambda tx, run: (full("begin"), real_begin(tx, run))[1])

    async def finish(run: str, error: Exception | None) -> None:
        full("finish")
        await steps.finish(run, error)

    async with running(store, steps.flows(), finish):
        idents = start(store, "straight", "1")
        assert await ended(store, *idents) == {"done"}
    assert counted(store, "entered straight:1 one") == 1
    assert faults == {"begin": -1, "finish": -1}


async def test_fault_that_says_retry_is_tried_again(store: Store, steps: Steps) -> None:
    async with running(store, steps.flows(), steps.finish):
        (ident,) = start(store, "stubborn", "1")
        assert await ended(store, ident) == {"done"}
    assert counted(store, f"tries {ident}") == 3


async def test_same_id_runs_once(store: Store, steps: Steps) -> None:
    async with running(store, steps.flows(), steps.finish):
        for _ in range(3):
            await ended(store, *start(store, "straight", "1"))
    assert counted(store, "entered straight:1 one") == 1


async def test_answer_is_json_as_it_was_sent(store: Store, steps: Steps) -> None:
    said = {"answer": "ja", "edits": {"text": "Grüße, “Mara”"}, "n": [1, None, True]}
    async with running(store, steps.flows(), steps.finish):
        (ident,) = start(store, "parked", "1")
        await parked(ident)
        await asyncio.to_thread(decide, store, ident, said)
        await ended(store, ident)
    step = store.read_now(lambda c: runs.steps_of(c, ident))[-1]
    assert step["input"] == said
    assert json.loads(store.read_now(lambda c: settings.value(c, "decided 1"))) == said


async def test_run_in_the_middle_of_a_step_when_the_engine_ends_goes_on(store: Store, steps: Steps) -> None:
    """The step fails since the engine is gone under it; that is no fault of the run."""
    began = asyncio.Event()

    async def slow(_run: str) -> None:
        began.set()
        await asyncio.sleep(0.3)

    async def body(do: Verbs, _value: str) -> None:
        await do.step("slow", slow)
        await do.step("one", steps.tick, "one")

    async with running(store, [Flow("straight", body)], steps.finish):
        (ident,) = start(store, "straight", "1")
        await began.wait()
    await asyncio.sleep(0.6)
    assert states(store, ident) == {"running"}
    async with running(store, [Flow("straight", body)], steps.finish):
        assert await ended(store, ident) == {"done"}
