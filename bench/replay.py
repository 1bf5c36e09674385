"""Replay of a recorded day: messages take the real way to their cards and are decided, then every run is done again.

Between the two the world moves on: the house book is another, more mails of the same people are there. A difference is
explained only by a version that changed; none did, so none may come out otherwise.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from functools import cache
from typing import Any

import sqlalchemy as sa

from bench import world
from bench.figures import Figure
from soloist.app import App
from soloist.engine.store import calls as kept
from soloist.engine.store import proposals, runs, tables, trials
from soloist.flows.replaying import Asked, Replaying
from soloist.kernel.errors import Conflict, SoloistError
from soloist.sdk import Arrival, Page, Stream
from soloist.stages.approvals import Decision
from tests.flows.by_step import through
from tests.story import scoring

RUNS = int(os.environ.get("SOLOIST_BENCH_RUNS", "1000"))
PAGE, TOGETHER = 50, 4
"""Messages of one page, and runs that are under way at once: their commits share a write to the disk."""
STRIDE = 47
"""A step through the set that takes every message once before any comes again, kinds and languages mixed."""
_OF = tables.runs.c
_PENDING = sa.select(_OF.id, _OF.input).where(_OF.state == "pending", _OF.flow == "intake").order_by(_OF.started)
_cases = cache(scoring.cases)


async def day(app: App, count: int) -> Counter[str]:
    """Take in so many messages and decide what they led to: how many runs, approved, edited, rejected and failed."""
    told = Counter[str]()
    for at in range(0, count, PAGE):
        numbers = range(at, min(at + PAGE, count))
        page = Page(tuple(Arrival(str(n), "mail", _mail(n)) for n in numbers), str(numbers[-1]))
        await app.desk.intake.accept_page("mail", Stream("inbox"), page)
        mine = app.store.read_now(lambda conn: conn.execute(_PENDING).all())
        for first in range(0, len(mine), TOGETHER):
            await asyncio.gather(*(_one(app, *asked, told) for asked in mine[first : first + TOGETHER]))
    return told


def _mail(n: int) -> bytes:
    """A message of the labelled set; from the second round on with an id of its own."""
    cases = _cases()
    case, turn = cases[n * STRIDE % len(cases)], n // len(cases)
    return scoring.raw(case).replace(f"<{case.id}@".encode(), f"<{case.id}-{turn}@".encode(), 1)


async def _one(app: App, run: str, event: str, told: Counter[str]) -> None:
    """One run, and the operator's word on what it proposed."""
    try:
        await through(app, run, event)
    except SoloistError:
        await app.store.write(lambda tx: runs.move(tx, run, "failed"), full=False)
        told["failed"] += 1
    told["runs"] += 1
    await _decide(app, run, told)


async def _decide(app: App, run: str, told: Counter[str]) -> None:
    """The operator's word on what a run proposed: mostly yes, some changed, some not at all."""
    for made in app.store.read_now(lambda conn: trials.of_run(conn, run))["proposals"]:
        row = app.store.read_now(lambda conn, made=made: proposals.get(conn, made["id"]))
        if row["state"] != "waiting":
            continue
        said, more = "approved", {"decision": "approve"}
        if told["runs"] % 7 == 3:
            said, more = "rejected", {"decision": "reject", "reason": "not for us"}
        elif told["runs"] % 5 == 1:
            said, more = "edited", {"decision": "approve", "edits": {"body": f"{row['payload']['body']}\nSee you soon"}}
        decision = Decision(payload_hash=row["payload_hash"], who="operator", via="bench", **more)
        try:
            await app.desk.approvals.decide(row["id"], decision)
            told[said] += 1
        except Conflict:  # a newer message of the same thread took it back meanwhile
            told["overtaken"] += 1


def _moved_on(app: App) -> None:
    """What must not matter for a run of yesterday."""
    book = app.home.path(app.settings.intake.house_book)
    book.write_text(book.read_text(encoding="utf-8").replace("EUR", "CHF"), encoding="utf-8")


async def again(app: App) -> dict[str, Any]:
    """Every run done again; the totals of the trial."""
    replaying = Replaying(app.desk)
    ident = await replaying.begin(Asked("run"), who="bench")
    return dict((await replaying.through(ident))["totals"])


def odd(app: App) -> list[dict[str, Any]]:
    """Rows of the newest trial that nobody can explain."""

    def look(conn: Any) -> list[dict[str, Any]]:
        newest = trials.listed(conn, limit=1)[0]["id"]
        return [row for row in trials.rows_of(conn, newest, limit=5000) if row["outcome"] != "same"]

    return app.store.read_now(look)


def run() -> list[Figure]:
    """A day is recorded, the world moves on, the day is replayed."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with world.home() as app:
        begun = time.process_time()
        told = await day(app, RUNS)
        recorded = time.process_time() - begun
        _moved_on(app)
        begun = time.process_time()
        found = await again(app)
        took = time.process_time() - begun
        size = app.store.read_now(kept.size)
        done = sum(int(found[name]) for name in ("same", "better", "worse", "differs", "cannot"))
        cases = ", ".join(f"{value} {name}" for name, value in told.items())
        why = "; ".join(str(row["detail"].get("unexplained") or row["detail"].get("cannot")) for row in odd(app)[:3])
        return [
            Figure("replay: runs of a recorded day done again", done, "", f">= {RUNS}", cases),
            Figure("replay: unexplained differences", found["unexplained"], "", "< 1", why[:200]),
            Figure("replay: runs that came out otherwise", found["differs"] + found["worse"], "", "< 1"),
            Figure("replay: runs that could not be done again", found["cannot"], "", "< 1"),
            Figure("replay: CPU of one run then", 1000 * recorded / RUNS, "ms", "", "without the reading process"),
            Figure("replay: CPU of one run again", 1000 * took / max(1, done), "ms", "", "without the reading process"),
            Figure("replay: kept of one run", size / 1024 / RUNS, "KB", "", "inputs and outputs of its skills"),
        ]
