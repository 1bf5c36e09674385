"""What 1,000 proposals that wait for a decision cost, and how soon an approved one goes on."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from typing import Any

import sqlalchemy as sa

from bench import world
from bench.figures import Figure, Stopwatch, both, memory
from soloist.app import App
from soloist.engine.store.tables import effects, runs
from soloist.kernel.proposal import api_proposal_id
from soloist.stages.approvals import Decision

PARKED = 1000
WARM = 500
"""Proposals parked before memory is first read: they fill the page caches and start the threads."""
DECIDED = 60
IDLE = 8.0


def run() -> list[Figure]:
    """Park, watch, approve."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    """All on one home with its engine running."""
    async with world.running() as app:
        hashes = await _park(app, 0, WARM)
        before = _settled_memory()
        with Stopwatch() as parking:
            hashes |= await _park(app, WARM, WARM + PARKED)
        after = _settled_memory()
        await asyncio.sleep(6)  # a run counts as waiting a moment before it is parked
        with Stopwatch() as idle:
            await asyncio.sleep(IDLE)
        woken = await _approve(app, hashes)
        logging.disable()  # the library complains once for each run that is still parked when it ends
    each = (after - before) * 1024 / PARKED
    spent = f"{PARKED / parking.wall:.0f}/s, {1000 * parking.cpu / PARKED:.1f} ms CPU each"
    rate = f"{PARKED} parked beyond the first {WARM}, {spent}"
    return [
        Figure("memory of a parked proposal", each, "KB", "< 25", f"{rate}; process {after:.0f} MB"),
        Figure(f"CPU with {PARKED + WARM} parked", idle.cpu / idle.wall * 100, "% of a core", "", f"over {IDLE:.0f} s"),
        *both(
            "approval to the run's next line", woken, p50="< 50", note="from the call of decide, its commit included"
        ),
    ]


async def _park(app: App, first: int, last: int) -> dict[int, str]:
    """Propose, and wait until every run waits; the payload hash of each."""
    hashes = {}
    for start in range(first, last, 25):
        numbers = range(start, min(start + 25, last))
        made = await asyncio.gather(
            *(app.desk.propose_over_api(world.mail_proposal(n), actor="token:bench") for n in numbers)
        )
        hashes |= {number: row["payload_hash"] for number, row in zip(numbers, made, strict=True)}
    count = sa.select(sa.func.count()).where(runs.c.state == "waiting")
    for _ in range(1200):
        if await app.store.read(lambda conn: conn.execute(count).scalar() or 0) >= last:
            return hashes
        await asyncio.sleep(0.1)
    raise TimeoutError("not every run waited within two minutes")


def _settled_memory() -> float:
    """Resident MB after a collection of garbage."""
    gc.collect()
    return memory()


async def _approve(app: App, hashes: dict[int, str]) -> list[float]:
    """Milliseconds from each decision's call until its run enters its next step, one decision at a time."""
    entered: asyncio.Queue[float] = asyncio.Queue()
    intend = app.desk.effects.intend

    async def noted(*args: Any) -> Any:
        entered.put_nowait(time.perf_counter())
        return await intend(*args)

    app.desk.effects.intend = noted  # type: ignore[method-assign]  # what the run does next is a step that calls this
    woken = []
    for done, number in enumerate(list(hashes)[:DECIDED], 1):
        decision = Decision("approve", hashes[number], "operator", "bench")
        begun = time.perf_counter()
        await app.desk.approvals.decide(api_proposal_id("bench", str(number)), decision)
        woken.append((await asyncio.wait_for(entered.get(), 60) - begun) * 1e3)
        await _effects_ended(app, done)
    return woken


async def _effects_ended(app: App, count: int) -> None:
    """Wait until what was approved has been sent, so that it is not in the way of the next decision."""
    ended = sa.select(sa.func.count()).where(effects.c.state == "succeeded")
    for _ in range(200):
        if await app.store.read(lambda conn: conn.execute(ended).scalar() or 0) >= count:
            return
        await asyncio.sleep(0.02)
