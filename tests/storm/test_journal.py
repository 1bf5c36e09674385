"""P10: any single edited, deleted, swapped or cut row is found, back to the last checkpoint that left the house."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.engine.store import journal
from soloist.engine.store.store import Store
from soloist.engine.store.tables import checkpoints, journal_head
from soloist.engine.store.tables import events as table
from soloist.engine.vault import Vault
from soloist.kernel.hashing import body_hash, chain_hash
from tests.engine.store import databases
from tests.storm.size import scale

pytestmark = pytest.mark.storm

EVENTS = 240
FIELDS = ("id", "source", "external_id", "kind", "subject", "run", "actor", "at", "body", "salt", "body_hash", "hash")
HOLDER = ("edited", "deleted", "swapped", "cut", "rewritten", "rewritten and signed")


class Written:
    """A journal on one kind of store with its exported checkpoints; each damage is undone after the look."""

    def __init__(self, kind: str, folder: Path) -> None:
        moment = [datetime(2026, 11, 21, 9, 0, tzinfo=UTC)]
        self.vault = Vault(folder / "keys")
        self.store = Store(databases.migrated(kind, folder), sign=self.vault.sign, clock=lambda: moment[0])
        for number in range(EVENTS // 20):
            moment[0] += timedelta(minutes=20)
            self.store.write_now(lambda tx, n=number: [tx.append("thing.done", payload={"n": n}) for _ in range(20)])
        self.marks = self.store.read_now(lambda conn: journal.marks_after(conn, 0))
        self.last = self.marks[-1].seq
        self.engine = databases.engine(self.store.url)

    def faults(self, damage: Any) -> list[str]:
        """What the check says of a journal with one damage."""
        with self.engine.connect() as conn:
            if damage is not None:
                damage(conn)
            found = journal.verify(conn, self.vault.verify, self.marks).faults
            conn.rollback()
        return found

    def damage(self, how: str, dice: random.Random) -> Any:
        """One random damage at or before the last exported checkpoint."""
        place = dice.randint(1, self.last)
        if how == "edited":
            column = dice.choice(FIELDS)
            return lambda conn: conn.execute(
                table.update().where(table.c.seq == place).values({column: _other(column)})
            )
        if how == "deleted":
            return lambda conn: conn.execute(table.delete().where(table.c.seq == place))
        if how == "swapped":
            other = dice.choice([n for n in range(1, self.last + 1) if n != place])
            return lambda conn: _swap(conn, place, other)
        if how == "cut":
            return lambda conn: _cut(conn, place)
        return lambda conn: _rewrite(conn, place, self.vault.sign if how.endswith("signed") else None)

    def close(self) -> None:
        self.engine.dispose()
        self.store.close()


def _other(column: str) -> Any:
    return b"other salt" if column == "salt" else "forged"


def _swap(conn: Any, one: int, two: int) -> None:
    """Two rows change places."""
    for old, new in ((one, 10**6), (two, one), (10**6, two)):
        conn.execute(table.update().where(table.c.seq == old).values(seq=new))


def _cut(conn: Any, place: int) -> None:
    """Everything from a row on is gone, and the head and the checkpoints are made to fit."""
    before = conn.execute(sa.select(table.c.hash).where(table.c.seq == place - 1)).scalar() or ""
    conn.execute(table.delete().where(table.c.seq >= place))
    conn.execute(checkpoints.delete().where(checkpoints.c.seq >= place))
    conn.execute(journal_head.update().values(seq=place - 1, hash=before))


def _rewrite(conn: Any, place: int, sign: Any) -> None:
    """One row is another, and every later link, the head and the checkpoints are made anew, with the real key too."""
    body = '{"n":99}'
    previous = conn.execute(sa.select(table.c.hash).where(table.c.seq == place - 1)).scalar() or ""
    rows = conn.execute(sa.select(table).where(table.c.seq >= place).order_by(table.c.seq)).all()
    conn.execute(checkpoints.delete().where(checkpoints.c.seq >= place))
    for row in rows:
        values = {"body": body, "body_hash": body_hash(row.salt, body.encode())} if row.seq == place else {}
        previous = chain_hash(previous, journal._fields(row, row.seq), values.get("body_hash", row.body_hash))
        conn.execute(table.update().where(table.c.seq == row.seq).values(**values, hash=previous))
        if sign is not None and row.seq % 60 == 0:
            made = sign(journal.signed_bytes(row.seq, previous)).hex()
            conn.execute(checkpoints.insert().values(seq=row.seq, hash=previous, at=row.at, signature=made))
    conn.execute(journal_head.update().values(seq=rows[-1].seq, hash=previous))


@pytest.fixture(params=databases.KINDS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Written]:
    made = Written(request.param, tmp_path)
    yield made
    made.close()


def test_every_single_damage_is_found(written: Written, request: pytest.FixtureRequest) -> None:
    trials, dice = scale(1000, 120), random.Random(3)
    assert written.faults(None) == []
    found: Counter[str] = Counter()
    for number in range(trials):
        how = HOLDER[number % len(HOLDER)] if number % 12 < 6 else HOLDER[number % 4]
        found[how] += bool(written.faults(written.damage(how, dice)))
    print(f"P10 {request.node.callspec.id}: {trials} damages, {found.total()} found: {dict(found)}")
    assert found.total() == trials


def test_without_what_left_the_house_a_holder_of_the_key_is_not_found(written: Written) -> None:
    """A negative control, and the limit: what is newer than the last export can be rewritten by who holds the key."""
    damage = written.damage("rewritten and signed", random.Random(1))
    kept, written.marks = written.marks, []
    assert written.faults(damage) == []
    written.marks = kept
    assert written.faults(damage)
