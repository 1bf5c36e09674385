"""Taking over 10,000 dirty rows: dry run, taking and undo in CPU seconds, and how long other writes wait meanwhile."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figures import Figure, Stopwatch, quantile
from soloist.app import App
from soloist.engine.store import imports, records, tasks
from soloist.engine.worker import Worker
from soloist.flows.importing import Importing
from tests.flows import dirty

ROWS = 10_000
EVERY = 0.02


def run() -> list[Figure]:
    """The whole way of one file in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="soloist-takeover-") as folder:
        return asyncio.run(_run(Path(folder)))


async def _run(folder: Path) -> list[Figure]:
    app, worker = App(folder), Worker()
    app.store.writer.send = lambda *_: None
    app.desk.intake.ask_many = worker.call_many  # type: ignore[method-assign]
    work, figures = Importing(app.desk), list[Figure]()
    ident = await work.begin("alt.csv", dirty.table(ROWS), who="operator", run=False)
    figures.append(await _timed("read and mapped", work.step("", ident, "read")))
    row = await app.store.read(lambda conn: imports.get(conn, ident))
    await work.map(ident, row["kind"], row["mapping"]["fields"], who="operator", run=False)
    figures.append(await _timed("dry run", work.step("", ident, "check"), "< 6"))
    cards = await app.store.read(lambda conn: len(tasks.cards(conn, "open")))
    await work.take(ident, who="operator", run=False)
    waits: list[float] = []
    beside = asyncio.create_task(_beside(app, waits))
    figures.append(await _timed("taken over", work.work(ident), "< 15"))
    beside.cancel()
    made = await app.store.read(lambda conn: len(records.listed(conn, "person", before=None, limit=20_000)))
    await work.undo(ident, who="operator", run=False)
    figures.append(await _timed("taken back", work.unwork(ident), "< 30"))
    worker.close()
    app.close()
    return [
        *figures,
        Figure(
            "another write waits meanwhile, p95", quantile(waits, 0.95) * 1000, "ms", "< 500", f"{len(waits)} times"
        ),
        Figure("cards it made", float(cards), "", "< 2", f"{made} people from {ROWS} rows"),
    ]


async def _timed(name: str, work: Any, target: str = "") -> Figure:
    """CPU seconds of all threads of this process."""
    with Stopwatch() as spent:
        await work
    return Figure(f"{ROWS} rows {name}", spent.cpu, "s CPU", target, f"{spent.wall:.1f} s on the clock")


async def _beside(app: App, waits: list[float]) -> None:
    """Small writes as mail would make them."""
    while True:
        began = time.perf_counter()
        await app.store.write(lambda tx: tx.append("bench.beside"))
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(EVERY)
