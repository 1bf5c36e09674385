"""Four writers on the same records: each write carries the version it read, and none overwrites what it has not seen.

The history is checked against a register: the accepted writes of a record form one chain of versions, a read never
shows less than what was written before it began, and who loses is told both versions.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from soloist.engine.store import records
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import StaleVersion
from tests.engine.store import databases
from tests.storm.size import scale

pytestmark = pytest.mark.storm
STEPS, WRITERS, RECORDS, SEED = scale(50_000, 1_000), 4, 5, 20261121


@dataclass
class History:
    """What the writers saw, put down under one lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    written: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    newest: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: 1))
    faults: list[str] = field(default_factory=list)
    lost: int = 0

    def wrote(self, record: str, version: int, token: str) -> None:
        """A write was accepted."""
        with self.lock:
            if version in self.written[record]:
                self.faults.append(f"version {version} of {record} was written twice")
            self.written[record][version] = token
            self.newest[record] = max(self.newest[record], version)

    def refused(self, expected: int, error: StaleVersion) -> None:
        """A write was refused: the loser must see both versions."""
        with self.lock:
            self.lost += 1
            now = error.extra.get("current", {}).get("version", 0)
            if error.extra.get("expected") != expected or now <= expected:
                self.faults.append(f"a loser at {expected} was not told both versions: {error.extra}")


def write_away(url: str, number: int, idents: list[str], history: History) -> None:
    """One writer with a store of its own, as another process would have; every third write rests on an old look."""
    store, chance = Store(url, sign=lambda data: data[:8]), random.Random(SEED + number)
    seen: dict[str, int] = {}
    try:
        for step in range(STEPS // WRITERS):
            ident = chance.choice(idents)
            with history.lock:
                least = history.newest[ident]
            if ident not in seen or chance.random() < 0.66:
                seen[ident] = store.read_now(lambda conn, i=ident: records.get(conn, i)["version"])
                if seen[ident] < least:
                    history.faults.append(f"{ident}: read {seen[ident]} after {least} was written")
            token, version = f"{number}-{step}", seen[ident]

            def change(tx: Tx, ident: str = ident, version: int = version, token: str = token) -> None:
                records.write(tx, ident, version, {"token": token}, why="a test")

            try:
                store.write_now(change, full=False)
                history.wrote(ident, version + 1, token)
                seen[ident] = version + 1
            except StaleVersion as error:
                history.refused(version, error)
                del seen[ident]
    finally:
        store.close()


@pytest.fixture(params=databases.KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return databases.migrated(request.param, tmp_path)


def test_no_update_is_lost(url: str) -> None:
    store, history = Store(url, sign=lambda data: data[:8]), History()
    idents = [
        store.write_now(lambda tx, n=n: records.create(tx, "lead", f"Lead {n}", {"token": ""}, why="a test"))
        for n in range(RECORDS)
    ]
    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(write_away, url, n, idents, history) for n in range(WRITERS)]:
            done.result()
    faults = [*history.faults, *unlike(store, idents, history)]
    kind = "Postgres" if url.startswith("postgres") else "SQLite"
    accepted = sum(len(chain) for chain in history.written.values())
    print(f"P9 {kind}: {STEPS} writes by {WRITERS} writers (seed {SEED}), {accepted} accepted,", end=" ")
    print(f"{history.lost} refused with both versions, {len(faults)} lost or out of order")
    store.close()
    assert faults == []
    assert accepted + history.lost == STEPS // WRITERS * WRITERS
    assert history.lost > STEPS // 50


def unlike(store: Store, idents: list[str], history: History) -> list[str]:
    """Where the records and their histories are not the chain of the accepted writes."""
    found = []
    for ident in idents:
        chain = history.written[ident]
        kept = store.read_now(lambda conn, i=ident: records.history(conn, i))
        tokens = {row["version"]: row["body"]["token"] for row in kept if row["version"] > 1}
        now = store.read_now(lambda conn, i=ident: records.get(conn, i))
        if tokens != chain or sorted(chain) != list(range(2, len(chain) + 2)):
            found.append(f"{ident}: its history is not what was accepted")
        if chain and now["body"]["token"] != chain[max(chain)]:
            found.append(f"{ident}: it does not hold the last write")
    return found
