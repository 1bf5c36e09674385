"""Retention: what has had its time leaves in steps, what a decision rested on keeps its hash, replays stay whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from soloist.config import Home
from soloist.engine.store import assets, journal, memories, records, retention
from soloist.engine.store.clock import iso, utc_now
from soloist.engine.store.store import Store
from soloist.engine.store.tables import run_steps as steps
from soloist.engine.store.tables import runs, sessions
from soloist.engine.store.tables_memory import context_memories, retrievals
from soloist.engine.store.tables_memory import memories as rows
from soloist.flows.keeping import Keeping
from soloist.kernel.errors import BadInput, NotFound
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import retaining
from tests.engine.store import databases


class Calendar:
    """A clock that a test turns on."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def on(self, days: float) -> None:
        self.now += timedelta(days=days)


@pytest.fixture(params=databases.KINDS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    clock = Calendar()
    store = Store(databases.migrated(request.param, tmp_path), clock=clock)
    yield Rig(store, Keeping(store, Home(tmp_path)), clock)
    store.close()


class Rig:
    """A store, its keeping and its clock."""

    def __init__(self, store: Store, keeping: Keeping, clock: Calendar) -> None:
        self.store, self.keeping, self.clock = store, keeping, clock

    def say(self, *texts: str, **more: Any) -> list[str]:
        items = [NewMemory(text, **more) for text in texts]
        return self.store.write_now(lambda tx: memories.add(tx, items, actor="operator"))

    def collect(self) -> dict[str, int]:
        return {name: part["rows"] for name, part in self.keeping.collect_now(who="operator")["counts"].items()}

    def of(self, ident: str) -> dict[str, Any]:
        return self.store.read_now(lambda conn: memories.get(conn, ident))

    def there(self) -> int:
        return self.store.read_now(lambda conn: conn.execute(rows.select()).fetchall().__len__())

    def write(self, work: Callable[[Any], Any]) -> Any:
        return self.store.write_now(work)


def test_it_expires_then_leaves_the_disk(rig: Rig) -> None:
    day, week, lately = (rig.say("x", tier=tier)[0] for tier in ("ephemeral", "working", "session"))
    kept, pinned = rig.say("for good", tier="canonical")[0], rig.say("mine", pinned=True)[0]
    rig.clock.on(2)
    assert rig.collect() == {"ephemeral memories end": 1}
    assert rig.of(day)["ended_why"] == "expired"
    rig.clock.on(89)
    assert rig.collect() == {"working memories end": 1, "session memories end": 1, "memories leave": 1}
    assert [rig.of(ident)["ended"] == "" for ident in (week, lately, kept, pinned)] == [False, False, True, True]
    rig.clock.on(31)
    assert rig.collect() == {"memories leave": 2}
    assert rig.there() == 2
    assert rig.collect() == {}


def test_what_a_replay_needs_stays_until_the_look_up_goes(rig: Rig) -> None:
    ident = rig.say("seen", tier="ephemeral")[0]
    rig.clock.on(1.5)
    at = rig.store.read_now(journal.head)
    asked = {"id": "r1", "query": "q", "seq": at, "created": iso(rig.clock.now), "hits": []}
    rig.write(lambda tx: tx.run(retrievals.insert(), asked))
    rig.collect()
    rig.clock.on(100)
    assert "memories leave" not in rig.collect()
    assert rig.of(ident)["text"] == "seen"
    rig.clock.on(100)
    assert rig.collect() == {"memories leave": 1, "look-ups leave": 1}


def test_what_a_decision_rested_on_is_emptied_and_keeps_its_hash(rig: Rig) -> None:
    ident = rig.say("the budget is 4,000", tier="working")[0]
    row = rig.of(ident)
    cited = {"context": "c", "place": 0, "memory": ident, "n": row["n"], "hash": row["hash"]}
    rig.write(lambda tx: tx.run(context_memories.insert(), cited))
    rig.clock.on(8)
    rig.collect()
    rig.clock.on(31)
    assert rig.collect() == {"memories of decisions are emptied": 1}
    assert (rig.of(ident)["text"], rig.of(ident)["hash"]) == ("", row["hash"])
    assert rig.collect() == {}


def test_a_dry_run_deletes_nothing_and_counts_the_same(rig: Rig) -> None:
    rig.say("a", "b", tier="ephemeral")
    rig.clock.on(2)
    seen = {row["name"]: row for row in asyncio.run(rig.keeping.preview()) if row["rows"]}
    assert {name: row["rows"] for name, row in seen.items()} == {"ephemeral memories end": 2}
    assert seen["ephemeral memories end"]["examples"] == ["a", "b"]
    tried = {row["name"]: row["rows"] for row in asyncio.run(rig.keeping.preview({"memory.ephemeral": 3}))}
    assert tried["ephemeral memories end"] == 2, "an item's own end counts whatever the policy says"
    dry = asyncio.run(rig.keeping.collect(who="operator", dry=True))
    assert (dry["dry"], dry["event"], dry["counts"]["ephemeral memories end"]["rows"]) == (1, "", 2)
    assert rig.collect() == {"ephemeral memories end": 2}


def test_a_longer_policy_reaches_what_was_written_before(rig: Rig) -> None:
    ident = rig.say("x", tier="working")[0]
    asyncio.run(rig.keeping.put({"memory.working": 30}, who="operator", why="longer jobs"))
    rig.clock.on(6)
    rig.collect()
    rig.clock.on(10)
    assert rig.collect() == {}
    assert rig.of(ident)["expires"] > iso(rig.clock.now)
    rig.clock.on(15)
    assert rig.collect() == {"working memories end": 1}


def test_the_policy_has_versions_and_the_law_a_word(rig: Rig) -> None:
    put = lambda **days: asyncio.run(rig.keeping.put(days["days"], who="operator"))  # noqa: E731
    assert put(days={"retrievals": 90})["version"] == 1
    assert put(days={"retrievals": 90})["version"] == 1
    assert put(days={"retrievals": 0})["version"] == 2
    for wrong in (
        {"records.invoice": 365},
        {"nonsense": 1},
        {"retrievals": -1},
        {"retrievals": 1.5},
        {"retrievals": True},
    ):
        with pytest.raises(BadInput) as refused:
            put(days=wrong)
        assert refused.value.field == f"rules.{next(iter(wrong))}"
    assert rig.store.read_now(rig.keeping.rules)[0] == 2


def test_a_dead_process_s_part_is_told_with_the_next(rig: Rig) -> None:
    rig.say(*"abc", tier="ephemeral")
    rig.clock.on(2)
    at = rig.store.read_now(rig.keeping._moment)
    job = retention.jobs([])[0]
    assert rig.keeping._step(job, at) == 3
    assert rig.collect() == {"ephemeral memories end": 3}
    assert rig.collect() == {}


def test_runs_are_emptied_and_closed_records_leave(rig: Rig) -> None:
    asyncio.run(rig.keeping.put({"records.lead": 100}, who="operator"))
    ended = iso(rig.clock.now)

    def work(tx: Any) -> tuple[str, str]:
        tx.run(runs.insert(), {"id": "r", "flow": "intake", "state": "done", "ended": ended})
        tx.run(steps.insert(), {"run": "r", "step": "read", "n": 0, "output": {"text": "long"}})
        return tuple(records.create(tx, "lead", s, {"name": s}, state=s, why="x") for s in ("closed", "open"))

    closed, still = rig.write(work)
    rig.clock.on(181)
    assert rig.collect() == {"runs are emptied": 1, "lead records leave": 1}
    assert rig.store.read_now(lambda conn: records.get(conn, still))["title"]
    with pytest.raises(NotFound):
        rig.store.read_now(lambda conn: records.get(conn, closed))
    assert rig.collect() == {}


def test_files_that_nothing_points_at_leave(rig: Rig) -> None:
    folder = rig.keeping.home.assets
    large, small = b"x" * 100_000, b"kept"
    path = assets.write_file(folder, large)
    used = rig.write(
        lambda tx: (assets.keep(tx, large, "text/plain", path), assets.keep(tx, small, "text/plain", ""))[1]
    )
    rig.write(lambda tx: records.create(tx, "custom", "x", {"file": used}, why="x"))
    rig.clock.on(31)
    assert rig.collect() == {"files that nothing points at leave": 1}
    assert not (folder / path).exists()
    assert rig.store.read_now(lambda conn: assets.load(conn, folder, used)) == small


def test_a_sign_in_that_is_used_stays(rig: Rig) -> None:
    used = iso(rig.clock.now + timedelta(days=60))
    rows_ = [{"id": "live", "used": used}, {"id": "idle", "used": iso(rig.clock.now)}, {"id": "new", "used": ""}]
    rig.write(lambda tx: [tx.run(sessions.insert(), {"csrf": "", "agent": "x", "ended": "", **row}) for row in rows_])
    rig.clock.on(91)
    assert rig.collect() == {"sign-ins leave": 1}


def test_every_night_once(rig: Rig) -> None:
    zone = rig.clock.now.tzinfo
    rig.clock.now = rig.clock.now.replace(hour=3)
    assert asyncio.run(rig.keeping.due(zone))
    rig.collect()
    assert not asyncio.run(rig.keeping.due(zone))
    rig.clock.on(1)
    assert asyncio.run(rig.keeping.due(zone))
    rig.clock.now = rig.clock.now.replace(hour=12)
    assert not asyncio.run(rig.keeping.due(zone))


@pytest.mark.parametrize(
    ("days", "said"), [(0, "for good"), (1, "1 day"), (90, "90 days"), (365, "1 year"), (14, "2 weeks")]
)
def test_days_in_words(days: int, said: str) -> None:
    assert retaining.words(days) == said
