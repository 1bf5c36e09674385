"""Every life of an effect, walked at random: claims match the world, and nothing happens twice without a word.

The same walk has to notice each of the classic faults when it is planted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from soloist.sdk import Done, Plan, Receipt
from soloist.stages.effects import Effects, decide
from tests.stages.effects import rig as rigs
from tests.storm.effect_walk import Lives
from tests.storm.size import scale

pytestmark = pytest.mark.storm

SEQUENCES = scale(20_000, 80)
STEPS = 30
CAUGHT_WITHIN = scale(2_000, 300)
"""Sequences in which a planted fault has to be noticed."""


def walk(sequences: int, template: Path, stage: type[Effects] = Effects) -> None:
    """Walk so many sequences; the first that breaks an invariant is raised."""
    Lives.empty, Lives.stage = template, stage
    Lives.TestCase.settings = settings(
        max_examples=sequences,
        stateful_step_count=STEPS,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    Lives.TestCase("runTest").debug()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rigs.template(tmp_path_factory.mktemp("walk"))


def test_every_walk_keeps_the_promises(template: Path) -> None:
    Lives.walks.clear()
    begun = time.monotonic()
    walk(SEQUENCES, template)
    counts = Lives.walks
    print(
        f"P5: {counts['sequences']:,} walks, {counts['steps']:,} steps, {counts['calls']:,} calls, "
        f"{counts['deaths']:,} deaths in {time.monotonic() - begun:.0f} s, 0 done twice, 0 false claims"
    )
    assert counts["sequences"] >= SEQUENCES


class NoIntentRow(Effects):
    """Calls first and writes down afterwards that it did."""

    async def attempt(self, run: str, effect_id: str) -> dict[str, Any]:
        if (await self.look(run, effect_id))["do"] != "attempt":
            return {}
        plan = await self._store.read(lambda conn: self._plan(conn, effect_id))
        outcome = await self._door.execute("fake", plan)
        effect, again = await self._store.write(lambda tx: self._begin(tx, effect_id))
        return await self._keep(effect, outcome) if again else {}


class EarlyAcknowledgement(Effects):
    """Says that it is done before it is."""

    async def attempt(self, run: str, effect_id: str) -> dict[str, Any]:
        effect, plan = await self._store.write(lambda tx: self._begin(tx, effect_id))
        if plan is None:
            return {}
        done = await self._keep(effect, Done(Receipt("soon")))
        await self._door.execute("fake", plan)
        return done


class FreshKey(Effects):
    """Makes a new key for each attempt."""

    def _plan(self, conn: Any, effect_id: str) -> Plan:
        plan = super()._plan(conn, effect_id)
        tried = len(self._store.read_now(lambda c: rigs.effects.attempts_of(c, effect_id)))
        return Plan(plan.operation, f"{plan.key}{tried or ''}", plan.request, plan.preview, plan.data)


def blind(effect: Any, operation: Any, now: Any) -> decide.Move:
    """Tries again whatever the class."""
    return decide.Move("attempt")


@pytest.mark.parametrize("fault", [NoIntentRow, EarlyAcknowledgement, FreshKey], ids=lambda f: f.__name__)
def test_a_planted_fault_is_noticed(fault: type[Effects], template: Path) -> None:
    assert noticed(lambda: walk(CAUGHT_WITHIN, template, fault)), fault.__name__


def test_blind_retry_is_noticed(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "_after_unknown", blind)
    assert noticed(lambda: walk(CAUGHT_WITHIN, template))


def noticed(work: Callable[[], None]) -> bool:
    """Whether a walk broke an invariant."""
    before = Lives.walks["sequences"]
    try:
        work()
    except (AssertionError, ExceptionGroup):
        print(f"P2: a planted fault was noticed after {Lives.walks['sequences'] - before} walks")
        return True
    return False
