"""A year of 500 events a day on a small scale: how large the home grows, and that memory is flat after retention."""

from __future__ import annotations

import random
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.figures import Figure
from soloist.app import App
from soloist.engine.store import contexts, erased, journal, memories, retrievals
from soloist.engine.store.clock import utc_now
from soloist.engine.store.tables import run_steps, runs
from soloist.flows.keeping import Keeping
from soloist.kernel.memory import NewMemory

DAYS, MESSAGES, SCALE = 365, 100, 10
"""A hundred messages a day with five events of the journal each; one message of ``SCALE`` is really written, and every
figure is told for all of them."""
WORDS = (
    "invoice project website offer meeting deadline draft logo colour budget contract call client photo text".split()
)
MEGABYTE = 1_000_000


class Calendar:
    """A clock that the simulation turns on."""

    def __init__(self) -> None:
        """A year ago."""
        self.now = utc_now() - timedelta(days=DAYS)

    def __call__(self) -> datetime:
        """The simulated instant."""
        return self.now


def run() -> list[Figure]:
    """Live through the year, collecting once a week; the size of the file and the rows of memory each quarter."""
    with tempfile.TemporaryDirectory(prefix="soloist-growth-") as folder:
        clock = Calendar()
        app = App(Path(folder), clock=clock)
        app.store.writer.send = lambda *_: None
        keeping, chance = Keeping.of(app.desk), random.Random(3)
        sizes, rows, embeddings = [], [], 384
        for day in range(1, DAYS + 1):
            clock.now += timedelta(days=1)
            app.store.write_now(lambda tx: _day(tx, chance))
            if day % 7 == 0:
                keeping.collect_now(who="soloist")
            if day % 91 == 0:
                erased.compact(app.store.url, app.store.write_now)
                sizes.append(app.home.database.stat().st_size * SCALE / MEGABYTE)
                rows.append(app.store.read_now(_live) * SCALE)
        app.close()
    year = sizes[-1] + rows[-1] * embeddings / MEGABYTE
    quarters = ", ".join(f"{size:.0f}" for size in sizes)
    return [
        Figure("a year at 500 events a day", year, "MB", "< 500", f"with vectors; file by quarter {quarters} MB"),
        Figure("growth of the last quarter", (sizes[-1] - sizes[-2]) * 4, "MB a year", "< 500"),
        Figure(
            "rows of memory, last quarter to the one before", rows[-1] / rows[-2], "times", "< 1.1", f"{rows[-1]} rows"
        ),
    ]


def _live(conn: Any) -> int:
    return int(conn.exec_driver_sql("SELECT count(*) FROM memories").scalar())


def _day(tx: Any, chance: random.Random) -> None:
    """One day: a mail is five events, a run with four steps, two memories, a look-up, and now and then a context."""
    for _ in range(MESSAGES // SCALE):
        text = " ".join(chance.choices(WORDS, k=60))
        event = tx.append("mail.received", payload={"text": text, "from": "a@b.example"})
        for kind in ("message.received", "record.changed", "card.opened"):
            tx.append(kind, subject=event.id, payload={"title": text[:60], "why": "a message"})
        run = f"intake:{event.id}"
        tx.run(runs.insert(), {"id": run, "flow": "intake", "state": "done", "started": tx.now, "ended": tx.now})
        for n in range(4):
            step = {"run": run, "step": f"step {n}", "n": 0, "output": {"text": text[:200]}, "ended": tx.now}
            tx.run(run_steps.insert(), {**step, "started": tx.now})
        items = [NewMemory(text), NewMemory(text[:120], tier="ephemeral")]
        kept = memories.add(tx, items, actor="soloist")
        hits = [{"n": n, "memory": kept[0], "score": 1000 - n, "parts": {"words": 1, "meaning": 2}} for n in range(12)]
        asked = {"run": run, "step": "recall", "actor": "soloist", "query": text[:80], "vector": b"\x01" * 768}
        asked |= {"model": "m", "scope": "", "parameters": {"k": 12}, "seq": journal.head(tx.conn) or 1, "newest": 1}
        asked |= {"behind": 0, "at": tx.now, "k": 12, "hits": hits, "hits_hash": "0" * 64, "detail": {}}
        found = retrievals.add(tx, asked)
        if chance.random() < 0.2:
            row = {"run": run, "records": [], "messages": [], "hash": "0" * 64, "parameters": {"as_of_seq": 1}}
            pieces = [{"memory": kept[0], "retrieval": found, "n": n, "hash": "0" * 64, "rank": n} for n in range(6)]
            contexts.add(tx, {**row, "retrieval": found}, pieces)
