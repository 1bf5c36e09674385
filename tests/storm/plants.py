"""Faults planted on purpose into a process of the product, so that the storm shows that it would see them.

They are put in by ``tests/acceptance/nursery.py`` when ``SOLOIST_PLANT`` names one; the product knows nothing of them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import secrets
import time
from typing import Any

PAUSE = 0.25
"""Seconds between a deed and the commit that should have come first, so that a kill falls in between."""


def plant(name: str) -> None:
    """Break one rule in this process; KeyError for a name that is not planted."""
    {**PLANTS, "record": _record}[name]()


def _no_intent_row() -> None:
    """Call inside the transaction that says that it will be called, before its commit."""
    from soloist.stages.effects.steps import Effects

    begin, attempt = Effects._begin, Effects.attempt
    outcomes: dict[str, Any] = {}

    async def attempt_planted(self: Any, run: str, effect_id: str) -> Any:
        self.planted_loop = asyncio.get_running_loop()
        return await attempt(self, run, effect_id)

    def begin_planted(self: Any, tx: Any, effect_id: str) -> Any:
        effect, plan = begin(self, tx, effect_id)
        if plan is not None:
            call = real(self._door, effect["connector"], plan)
            outcomes[plan.key] = asyncio.run_coroutine_threadsafe(call, self.planted_loop).result(30)
            time.sleep(PAUSE)
        return effect, plan

    from soloist.engine.outbound import Door

    real = Door.execute

    async def execute_planted(self: Any, connector: str, plan: Any, **named: Any) -> Any:
        return outcomes.pop(plan.key)

    Effects.attempt, Effects._begin, Door.execute = attempt_planted, begin_planted, execute_planted


def _blind_retry() -> None:
    """Try again whatever is unknown, whether the provider knows keys or not."""
    from soloist.stages.effects import decide

    real = decide.next_move

    def planted(effect: Any, operation: Any, **given: Any) -> Any:
        move = real(effect, operation, **given)
        return decide.Move("attempt") if move.do == "ask" else move

    decide.next_move = planted


def _fresh_key() -> None:
    """A new key for every attempt."""
    from soloist.engine.outbound import Door

    real = Door.execute

    async def planted(self: Any, connector: str, plan: Any, **named: Any) -> Any:
        data = dict(plan.data)
        if "Idempotency-Key" in data.get("headers", {}):
            data["headers"] = {**data["headers"], "Idempotency-Key": secrets.token_hex(13)}
            plan = dataclasses.replace(plan, data=data)
        return await real(self, connector, plan, **named)

    Door.execute = planted


def _early_answer() -> None:
    """Answer whoever waits for a commit before it is made."""
    from soloist.engine import failpoint
    from soloist.engine.durable import Engine
    from soloist.engine.store.writer import Writer

    one = Writer._one
    answer = Writer._answer

    def one_planted(self: Any, unit: Any, tx: Any) -> Any:
        result = one(self, unit, tx)
        answer(self, [result])
        return result

    def answer_planted(self: Any, results: Any) -> None:
        answer(self, [result for result in results if not result[0].answer.done()])

    hit, launch = failpoint.hit, Engine.launch
    launched: list[bool] = []

    def slow(name: str) -> None:
        if name == "before commit" and launched:
            time.sleep(PAUSE)
        hit(name)

    async def launch_planted(self: Any) -> None:
        await launch(self)
        launched.append(True)

    Writer._one, Writer._answer, failpoint.hit, Engine.launch = one_planted, answer_planted, slow, launch_planted


def _record() -> None:
    """No fault: write down every fail point that is reached, so that a test can go through all of them."""
    from soloist.engine import failpoint

    out = os.open(os.environ["SOLOIST_POINTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(name: str) -> None:
        os.write(out, f"{name}\n".encode())

    failpoint.hit = note


PLANTS = {
    "no intent row": _no_intent_row,
    "blind retry": _blind_retry,
    "fresh key per attempt": _fresh_key,
    "answer before commit": _early_answer,
}
