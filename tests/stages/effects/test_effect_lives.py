"""Every life of an effect, walked at random: claims match the world, and nothing happens twice without a word."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from soloist.engine.store import effects, tasks
from soloist.kernel.errors import Conflict
from soloist.kernel.lives import EFFECT
from tests.stages.effects.rig import LAG, WINDOW, Rig

HOW = ("done", "refused", "auth", "later", "unknown_before", "unknown_after", "crash_before", "crash_after")
TIMES = (0.4, LAG, 60.0, WINDOW * 0.7, WINDOW * 1.1)
WORDS = ("happened", "did_not_happen", "send_again")
CLASSES = ("A", "B", "B'", "C")


class Lives(RuleBasedStateMachine):
    """Providers that fail in every way, a process that dies, an operator who stops, undoes and answers."""

    empty: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.rig = Rig(Path(self.folder.name), self.empty)
        self.words: Counter[str] = Counter()
        self.states: dict[str, str] = {}

    def wait(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def some(self, pick: int, *states: str) -> str | None:
        found = [row["id"] for row in self.rig.rows() if not states or row["state"] in states]
        return found[pick % len(found)] if found else None

    @precondition(lambda self: self.rig.made < 5)
    @rule(class_=st.sampled_from(CLASSES), hold=st.sampled_from((0.0, 30.0)))
    def approve(self, class_: str, hold: float) -> None:
        self.wait(self.rig.intended(class_, hold=hold))

    @precondition(lambda self: self.rig.made)
    @rule(pick=st.integers(0, 7), how=st.sampled_from(HOW), times=st.integers(1, 3))
    def advance(self, pick: int, how: str, times: int) -> None:
        for _ in range(times):
            self.wait(self.rig.advance(str(self.some(pick)), how))

    @precondition(lambda self: self.rig.made)
    @rule(seconds=st.sampled_from(TIMES))
    def time_passes(self, seconds: float) -> None:
        self.rig.clock.add(seconds)

    @precondition(lambda self: self.rig.made)
    @rule()
    def restart(self) -> None:
        self.wait(self.rig.restart())

    @precondition(lambda self: self.rig.made)
    @rule(on=st.booleans())
    def stop_button(self, on: bool) -> None:
        self.wait(self.rig.stage.stop(on, who="operator"))

    @precondition(lambda self: self.rig.made)
    @rule(again=st.booleans())
    def sign_in(self, again: bool) -> None:
        self.rig.store.write_now(lambda tx: self.rig.stage.sign_in_in(tx, "fake", again=again, who="operator"))

    @precondition(lambda self: self.rig.made)
    @rule(pick=st.integers(0, 7))
    def undo(self, pick: int) -> None:
        if ident := self.some(pick, "intended", "succeeded"):
            row = self.rig.row(ident)
            if row["undoes"] or (row["state"] == "intended" and row["attempts"]):
                return
            self.rig.store.write_now(lambda tx: self.rig.stage.undo_in(tx, ident, who="operator"))

    @precondition(lambda self: self.rig.made)
    @rule(pick=st.integers(0, 7), word=st.sampled_from(WORDS))
    def answer(self, pick: int, word: str) -> None:
        if ident := self.some(pick, "needs_human"):
            self.words[ident] += 1
            row = self.rig.row(ident)
            self.wait(self.rig.stage.resolve(ident, word, row["payload_hash"], who="operator"))

    @invariant()
    def nothing_twice_without_a_word(self) -> None:
        for row in self.rig.rows():
            assert self.rig.world.done[row["key"]] <= 1 + self.words[row["id"]], row
            if row["class"] in ("B'", "C") and not row["undoes"]:
                most = sum(a["outcome"] not in ("refused", "slowed", "sign-in") for a in self.attempts(row["id"]))
                assert most <= 1 + self.words[row["id"]], row

    @invariant()
    def claims_match_the_world(self) -> None:
        for row in (r for r in self.rig.rows() if not self.words[r["id"]] and not r["undoes"]):
            happened = self.rig.world.done[row["key"]] > 0
            if row["state"] in ("succeeded", "compensating", "compensated", "compensation_failed"):
                assert happened, row
            if row["state"] in ("failed", "resolved_not_done"):
                assert not happened, row

    @invariant()
    def every_doubt_is_on_a_card(self) -> None:
        for row in self.rig.rows():
            card = self.rig.store.read_now(lambda conn, i=row["id"]: tasks.open_for(conn, i))
            assert (row["state"] == "needs_human") == bool(card and card["type"] == "unknown_outcome"), row

    @invariant()
    def only_declared_moves(self) -> None:
        for row in self.rig.rows():
            path = ["intended", *(note["state"] for note in row["evidence"])]
            for old, new in zip(path, path[1:], strict=False):
                assert old == new or new in EFFECT.moves[old], (row["id"], path)

    def attempts(self, ident: str) -> list[dict[str, Any]]:
        return self.rig.store.read_now(lambda conn: effects.attempts_of(conn, ident))

    def teardown(self) -> None:
        self.rig.close()
        self.loop.close()
        self.folder.cleanup()


def test_lives(template: Path) -> None:
    Lives.empty = template
    Lives.TestCase.settings = settings(max_examples=25, stateful_step_count=30)
    Lives.TestCase("runTest").debug()


@pytest.mark.parametrize("class_", ["B", "C"])
async def test_a_step_that_runs_again_after_a_death_does_not_call_again(rig: Rig, class_: str) -> None:
    ident = await rig.intended(class_)
    assert await rig.advance(ident, "crash_after") == "unknown"
    assert sum(rig.world.calls.values()) == 1


async def test_a_look_that_runs_again_is_no_second_look_after_the_lag(rig: Rig) -> None:
    ident = await rig.intended("B")
    await rig.advance(ident, "unknown_after")
    for _ in range(3):
        await rig.stage.look_up("run", ident)
    assert rig.row(ident)["state"] == "reconciling"
    rig.clock.add(LAG)
    assert await rig.advance(ident) == "succeeded"


async def test_an_undeclared_move_is_refused(rig: Rig) -> None:
    row = rig.row(await rig.intended("C"))
    for state in EFFECT.states - EFFECT.moves["intended"]:
        with pytest.raises(Conflict, match="cannot become"):
            rig.store.write_now(lambda tx, s=state: effects.move(tx, row, s))


async def test_a_row_that_moved_meanwhile_is_a_conflict(rig: Rig) -> None:
    row = rig.row(await rig.intended("C"))
    rig.store.write_now(lambda tx: effects.move(tx, row, "claimed"))
    with pytest.raises(Conflict, match="someone else"):
        rig.store.write_now(lambda tx: effects.move(tx, row, "claimed"))
