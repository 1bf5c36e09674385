"""A process that lost its lock or was taken for dead lets nothing leave; an answer outlives a database that is away."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import effects, workers
from soloist.kernel.errors import StoreTrouble
from soloist.sdk import Plan
from soloist.stages.effects import steps
from tests.stages.effects.rig import FakeDoor, Rig


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of a second are not under test."""
    monkeypatch.setattr(steps, "PATIENCE", 0.01)
    monkeypatch.setattr(steps, "DRAINING", 0.01)


async def test_process_that_was_taken_for_dead_begins_no_attempt(rig: Rig) -> None:
    ident = await rig.intended("A")
    rig.store.write_now(lambda tx: workers.end(tx, "boot-1"))
    assert await rig.advance(ident) == "intended"
    assert rig.world.calls == {}


async def test_process_without_its_lock_begins_no_attempt(rig: Rig) -> None:
    ident = await rig.intended("A")
    rig.stage.fenced = lambda: True
    assert await rig.advance(ident) == "intended"
    rig.stage.fenced = lambda: False
    assert await rig.advance(ident) == "succeeded"


async def test_only_what_the_dead_left_is_swept(rig: Rig) -> None:
    """Another process lives and calls: its effect stays as it is."""
    ident = await rig.intended("A")
    row = {"kind": "worker", "executor": "w", "host": "here", "pid": 2}
    rig.store.write_now(lambda tx: workers.begin(tx, "w", row))
    rig.store.write_now(lambda tx: effects.move(tx, rig.row(ident), "claimed", boot="w"))
    assert await rig.stage.sweep() == 0
    rig.store.write_now(lambda tx: workers.end(tx, "w"))
    assert await rig.stage.sweep() == 1
    assert rig.row(ident)["state"] == "intended"


class Calling(FakeDoor):
    """Something happens while the call is under way."""

    def __init__(self, rig: Rig, meanwhile: Any) -> None:
        super().__init__(rig.world)
        self.meanwhile = meanwhile

    async def execute(self, connector: str, plan: Plan, *, urgent: bool = False) -> Any:
        answer = await super().execute(connector, plan)
        await self.meanwhile()
        return answer


async def test_answer_outlives_a_database_that_is_away(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ident, write, faults = await rig.intended("A"), rig.store.write, [3]

    async def away() -> None:
        async def refuse(work: Any, **given: Any) -> Any:
            faults[0] -= 1
            if faults[0] >= 0:
                raise StoreTrouble("The disk is full.")
            return await write(work, **given)

        monkeypatch.setattr(rig.store, "write", refuse)

    rig.stage._door = Calling(rig, away)
    assert await rig.advance(ident) == "succeeded"
    assert faults == [-1]


async def test_answer_of_a_zombie_is_not_written(rig: Rig) -> None:
    """Others took the process for dead while it called: the outcome is theirs to find out."""
    ident = await rig.intended("B")

    async def taken_over() -> None:
        rig.store.write_now(lambda tx: workers.end(tx, "boot-1"))
        await rig.stage.sweep()

    rig.stage._door = Calling(rig, taken_over)
    assert await rig.advance(ident) == "unknown"
    assert rig.row(ident)["provider_ref"] == ""


class Forgetful:
    """A database that keeps a commit and does not say so, once."""

    def __init__(self, store: Any, *, at: int = 1) -> None:
        self.write, self.left = store.write, at

    async def __call__(self, work: Any, **more: Any) -> Any:
        answer = await self.write(work, **more)
        self.left -= 1
        if self.left == 0:
            raise StoreTrouble("The line to the database broke.")
        return answer


async def test_an_attempt_that_was_kept_in_silence_is_begun_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ident = await rig.intended("C")
    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "write", Forgetful(rig.store))
        with pytest.raises(StoreTrouble):
            await rig.stage.attempt("run", ident)
    assert rig.row(ident)["state"] == "attempting"
    assert rig.world.calls == {}
    assert (await rig.stage.look("run", ident))["do"] == "attempt"
    assert await rig.advance(ident) == "succeeded"
    assert rig.row(ident)["attempts"] == 2


async def test_a_call_whose_answer_could_not_be_kept_is_never_taken_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is being ended while the database is away: the next start makes it unknown."""
    ident = await rig.intended("C")

    async def away(effect: Any, outcome: Any) -> Any:
        raise StoreTrouble("The database is away.")

    with monkeypatch.context() as patch:
        patch.setattr(rig.stage, "_keep", away)
        with pytest.raises(StoreTrouble):
            await rig.stage.attempt("run", ident)
    called = dict(rig.world.calls)
    assert (await rig.stage.attempt("run", ident))["state"] == "attempting"
    assert (await rig.stage.look("run", ident))["do"] == "wait"
    assert rig.world.calls == called
