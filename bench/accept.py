"""Accepted events a second, ours against the same rows written by plain SQLAlchemy Core; alternating in one run."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench import world
from bench.figures import Figure, Stopwatch
from soloist.engine.store import base, events
from soloist.engine.store.store import Store
from soloist.engine.store.tables import events as events_table
from soloist.engine.store.tables import metadata
from soloist.engine.store.tables import runs as runs_table
from soloist.engine.store.tx import Tx

SIZES = {1: 60, 10: 60, 100: 20, 1000: 4}
"""Events that share a commit, and how many such commits a round has."""
ROUNDS = 5


def run() -> list[Figure]:
    """Rates and ratios at each batch size; every round measures both sides, one after the other."""
    with world.folder() as place:
        store = world.new_store(place / "ours.db")
        plain = _plain_database(place / "plain.db")
        try:
            return [figure for size in SIZES for figure in _compare(store, plain, size)]
        finally:
            store.close()
            plain.dispose()


def _compare(store: Store, plain: sa.Engine, size: int) -> list[Figure]:
    """Both sides at one batch size."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_accepting(store, size))
        theirs.append(_copying(store, plain, size))
    count = size * SIZES[size]
    wall = median(b.wall / a.wall for a, b in zip(ours, theirs, strict=True))
    cpu = median(b.cpu / a.cpu for a, b in zip(ours, theirs, strict=True))
    rate, plain_rate = (count / median(w.wall for w in side) for side in (ours, theirs))
    spent, plain_spent = (1e6 * median(w.cpu for w in side) / count for side in (ours, theirs))
    name = f"accept, {size} in a commit"
    note = f"{rate:,.0f} against {plain_rate:,.0f} events/s, {spent:.0f} against {plain_spent:.0f} us CPU each"
    return [
        Figure(f"{name}: rate", rate, "events/s"),
        Figure(f"{name}: ratio to plain SQL", wall, "x", ">= 0.5", note),
        Figure(f"{name}: ratio by CPU", cpu, "x", "", f"median of {ROUNDS} alternating rounds"),
    ]


def _accepting(store: Store, size: int) -> Stopwatch:
    """Units as intake makes them, ``size`` of them waiting together whenever the writer looks."""
    batches = [[_unit() for _ in range(size)] for _ in range(SIZES[size])]
    _set_aside()
    with Stopwatch() as watch:
        for batch in batches:
            gate = _hold(store) if size > 1 else threading.Event()
            answers = [store.writer.submit(unit) for unit in batch]
            gate.set()
            for answer in answers:
                answer.result()
    return watch


def _set_aside() -> None:
    """Keep the garbage collector from going through what was prepared before the clock runs."""
    gc.collect()
    gc.freeze()


def _hold(store: Store) -> threading.Event:
    """Keep the writer busy with a unit that writes nothing, until the event that is returned is set."""
    gate = threading.Event()
    store.writer.submit(lambda _tx: gate.wait(), full=False)
    return gate


def _unit() -> Callable[[Tx], Any]:
    """One enquiry over the API: the event and its run, in one transaction, after a look for the same event."""
    name, payload = world.enquiry()

    def work(tx: Tx) -> Any:
        event, new = events.accept(tx, "api", name, "message.received", payload, actor="token:bench")
        if new:
            tx.start(f"intake:{event.id}", "intake", event.id, subject=event.id, fresh=True)
        return event, new

    return work


def _plain_database(path: Path) -> sa.Engine:
    """Identical tables in another file, with the same settings."""
    engine = base.writer(base.sqlite_url(path), full=True)
    metadata.create_all(engine)
    return engine


def _copying(store: Store, plain: sa.Engine, size: int) -> Stopwatch:
    """The rows that were just accepted, written again by two executemany statements a commit."""
    count = size * SIZES[size]
    accepted, started = (
        _newest(store, table, order, count)
        for table, order in ((events_table, events_table.c.seq), (runs_table, runs_table.c.id))
    )
    _set_aside()
    with Stopwatch() as watch:
        for first in range(0, count, size):
            with plain.begin() as conn:
                conn.execute(events_table.insert(), accepted[first : first + size])
                conn.execute(runs_table.insert(), started[first : first + size])
    return watch


def _newest(store: Store, table: sa.Table, order: sa.Column[Any], count: int) -> list[dict[str, Any]]:
    """The newest rows of a table as dicts, oldest of them first."""
    query = sa.select(table).order_by(order.desc()).limit(count)
    return [dict(row) for row in reversed(store.read_now(lambda conn: conn.execute(query).mappings().all()))]
