"""Erasing a person from a home of 100,000 items: how long it takes, and what is left of them in any byte."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figures import Figure
from soloist.app import App
from soloist.engine.store import memories, snapshots
from soloist.flows.erasing import Erasing
from soloist.flows.indexing import Indexing
from soloist.kernel.memory import NewMemory
from tests.flows import person

ITEMS = 100_000
THEIRS = 300
WORDS = (
    "invoice project website offer meeting deadline draft logo colour budget contract call friday studio client "
    "hosting photo text layout print delivery payment reminder question answer page shop order ceramic harbour"
).split()


def run() -> list[Figure]:
    """Erase Zebulon Quartzmire; the second figure is a search of its own through every file."""
    with tempfile.TemporaryDirectory(prefix="soloist-erase-") as folder:
        app = App(Path(folder))
        app.store.writer.send = lambda *_: None
        made = _fill(app)
        began = time.perf_counter()
        named = app.store.write_now(lambda tx: snapshots.make(tx, "before", actor="operator"))
        making = time.perf_counter() - began
        began = time.perf_counter()
        same = app.store.read_now(lambda conn: snapshots.verify(conn, named["id"]))["same"]
        comparing = time.perf_counter() - began
        began, cpu = time.perf_counter(), time.process_time()
        done = Erasing.of(app.desk).erase_now(made["person"], who="operator")
        spent, used = time.perf_counter() - began, time.process_time() - cpu
        left, faults = person.left(app), app.verify_journal().faults
        proof = done["proof"]
        app.close()
    size = f"{proof['files']} files, {proof['bytes'] / 1e6:.0f} MB, {used:.1f} s CPU"
    return [
        Figure("a snapshot of 100,000 items", making, "s", "< 1", f"compared in {comparing:.2f} s: {same}"),
        Figure("a person erased at 100,000 items", spent, "s", "< 5", size),
        Figure("texts of them left in any file", float(proof["hits"] + len(left)), "", "< 1"),
        Figure("faults of the journal afterwards", float(len(faults)), "", "< 1"),
        Figure("of that, files and the search through every byte", proof["seconds"], "s"),
    ]


def _fill(app: App) -> dict[str, str]:
    """Other people's memories, some of the person's, and the person everywhere else."""
    made, chance = person.plant(app), random.Random(5)

    def some(count: int, **more: Any) -> list[NewMemory]:
        return [
            NewMemory(" ".join(chance.choices(WORDS, k=22)) + f" {chance.random():.9f}", **more) for _ in range(count)
        ]

    for _ in range(ITEMS // 1000):
        app.store.write_now(lambda tx: memories.add(tx, some(1000), actor="soloist"))
    named = [NewMemory(f"{item.text} {person.NAME}", record=made["person"]) for item in some(THEIRS)]
    app.store.write_now(lambda tx: memories.add(tx, named, actor="soloist"))
    asyncio.run(Indexing(app.store).catch_up(60))
    return made
