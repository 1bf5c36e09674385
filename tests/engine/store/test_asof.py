"""As of: a sequence number reads what was there when it was the newest; any history, both stores."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.engine.store import asof, journal, memories, records, snapshots
from soloist.engine.store.store import Store
from soloist.engine.store.tables import record_versions
from soloist.engine.store.tables_memory import facts
from soloist.engine.store.tables_memory import memories as rows
from soloist.kernel.errors import BadInput, NotFound
from soloist.kernel.memory import NewMemory

State = dict[str, Any]


def state_now(conn: Any) -> State:
    """Everything that is live, read without any as-of."""
    heads = {row["id"]: (row["version"], row["body"]) for row in conn.execute(sa.select(records.records)).mappings()}
    return {
        "records": heads,
        "memories": set(conn.execute(sa.select(rows.c.id).where(rows.c.ended == "")).scalars()),
        "facts": set(conn.execute(sa.select(facts.c.id).where(facts.c.ended == "")).scalars()),
    }


def state_at(conn: Any, seq: int) -> State:
    """The same, read as of a sequence number."""
    found = {row["id"]: (row["version"], row["body"]) for row in asof.records_of(conn, "", seq)}
    known = {row["id"] for ident in found for row in asof.facts_of(conn, ident, seq)}
    return {"records": found, "memories": {row["id"] for row in asof.memories_at(conn, seq)}, "facts": known}


class History:
    """A random history; after each step what is live is written down beside the sequence it ended with."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.chance = store, random.Random(seed)
        self.known: dict[int, State] = {}
        self.idents: list[str] = []

    def go(self, steps: int) -> None:
        for number in range(steps):
            acts = (self.create, self.change, self.say, self.forget, self.learn, self.unlearn)
            act = self.create if not self.idents else self.chance.choice(acts)
            self.store.write_now(lambda tx, act=act, n=number: act(tx, n))
            self.known[self.store.read_now(journal.head)] = self.store.read_now(state_now)

    def create(self, tx: Any, n: int) -> None:
        self.idents.append(records.create(tx, "person", f"P {n}", {"n": n}, why="test"))

    def change(self, tx: Any, n: int) -> None:
        row = records.get(tx.conn, self.chance.choice(self.idents))
        records.write(tx, row["id"], row["version"], {"n": n}, why="test")

    def say(self, tx: Any, n: int) -> None:
        memories.add(tx, [NewMemory(f"said {n} {k}") for k in range(self.chance.randint(1, 3))], actor="operator")

    def forget(self, tx: Any, n: int) -> None:
        live = sorted(tx.conn.execute(sa.select(rows.c.id).where(rows.c.ended == "")).scalars())
        memories.end(tx, live[: self.chance.randint(0, 2)], why="test", actor="operator")

    def learn(self, tx: Any, n: int) -> None:
        event = tx.append("fact.known")
        row = {"id": tx.new_id(), "record": self.chance.choice(self.idents), "attribute": "size", "value": n}
        tx.run(facts.insert(), {**row, "event": event.id})

    def unlearn(self, tx: Any, n: int) -> None:
        live = sorted(tx.conn.execute(sa.select(facts.c.id).where(facts.c.ended == "")).scalars())
        if live:
            event = tx.append("fact.ended")
            tx.run(facts.update().where(facts.c.id == live[0]).values(ended=event.id))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_as_of_is_the_state_that_was_recorded(store: Store, seed: int) -> None:
    history = History(store, seed)
    history.go(40)
    for seq, then in history.known.items():
        assert store.read_now(lambda conn, s=seq: state_at(conn, s)) == then, seq


def test_before_the_first_event_is_refused(store: Store) -> None:
    History(store, 1).go(2)
    for asked in ("2001-01-01T00:00:00Z", "0", "999", "yesterday", "1e3"):
        with pytest.raises(BadInput) as refused:
            store.read_now(lambda conn, a=asked: asof.sequence(conn, a))
        assert refused.value.field == "as_of"


def test_an_instant_without_a_zone_is_utc(store: Store) -> None:
    History(store, 1).go(2)
    at = store.read_now(lambda conn: asof.instant(conn, 1))
    assert store.read_now(lambda conn: asof.sequence(conn, at.rstrip("Z"))) == 1


def test_a_record_that_was_not_there_yet(store: Store) -> None:
    history = History(store, 1)
    history.go(1)
    store.write_now(lambda tx: history.create(tx, 5))
    with pytest.raises(NotFound):
        store.read_now(lambda conn: asof.record(conn, history.idents[1], 1))


def test_a_snapshot_stays_true_while_life_goes_on(store: Store) -> None:
    history = History(store, 4)
    history.go(15)
    made = store.write_now(lambda tx: snapshots.make(tx, "before the trip", actor="operator"))
    history.go(15)
    found = store.read_now(lambda conn: snapshots.verify(conn, made["id"]))
    assert found["same"]
    assert found["now"] == made["counts"]
    again = store.write_now(lambda tx: snapshots.make(tx, "the same", seq=made["seq"], actor="operator"))
    assert again["root"] == made["root"]


@pytest.mark.parametrize("table", [record_versions, rows, facts])
def test_a_snapshot_notices_a_changed_row(store: Store, table: Any) -> None:
    history = History(store, 4)
    history.go(30)
    made = store.write_now(lambda tx: snapshots.make(tx, "x", actor="operator"))
    changed = {"record_versions": {"body": {"n": -1}}, "memories": {"hash": "0"}, "facts": {"value": -1}}[table.name]
    store.write_now(lambda tx: tx.run(table.update().values(**changed)))
    found = store.read_now(lambda conn: snapshots.verify(conn, made["id"]))
    assert not found["same"]
    assert found["gone"] == {"collections": 0, "erasures": 0}


def test_the_tree_tells_a_leaf_from_a_branch() -> None:
    leaves = [bytes([n]) * 32 for n in range(5)]
    roots = {snapshots.merkle(leaves[:n]) for n in range(6)}
    assert len(roots) == 6
    assert snapshots.merkle(leaves[::-1]) != snapshots.merkle(leaves)
