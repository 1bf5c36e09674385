"""The journal: one sequence without gaps over several processes, and a check that finds every change."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.engine.store import events, journal
from soloist.engine.store.store import Store
from soloist.engine.store.tables import checkpoints, journal_head
from soloist.engine.store.tables import events as table
from tests.engine.store import databases
from tests.engine.store.conftest import Opener

Damage = Callable[[sa.Connection], Any]


def sign(data: bytes) -> bytes:
    return hashlib.sha256(b"key" + data).digest()


def check(data: bytes, signature: bytes) -> bool:
    return signature == sign(data)


def verify(store: Store) -> journal.Report:
    return store.read_now(lambda c: journal.verify(c, check))


def fill(store: Store, count: int) -> None:
    def work(tx: Any) -> None:
        for n in range(count):
            tx.append("thing.done", subject=f"subject {n}", payload={"n": n}, run="run", actor="outside")

    store.write_now(work)


def damage(store: Store, *works: Damage) -> None:
    with databases.engine(store.url).begin() as conn:
        for work in works:
            work(conn)


def row_of(place: int, /, **values: Any) -> Damage:
    return lambda conn: conn.execute(table.update().where(table.c.seq == place).values(**values))


def test_whole_chain_has_no_fault(opener: Opener) -> None:
    store = opener(sign=sign)
    fill(store, 5)
    report = verify(store)
    assert (report.faults, report.events, report.checkpoints, report.erased) == ([], 5, 1, 0)
    assert report.head == store.read_now(lambda c: c.execute(sa.select(journal_head.c.hash)).scalar())


def test_empty_journal_has_no_fault(store: Store) -> None:
    assert verify(store) == journal.Report()


def test_two_processes_share_one_sequence(opener: Opener) -> None:
    stores = [opener(), opener()]

    def write(store: Store) -> None:
        futures = [store.writer.submit(lambda tx: tx.append("thing.done", payload={"n": 1})) for _ in range(150)]
        for future in futures:
            future.result(30)

    threads = [threading.Thread(target=write, args=(store,)) for store in stores for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    report = verify(stores[0])
    assert (report.events, report.faults) == (600, [])


@pytest.mark.parametrize("column", ["id", "source", "external_id", "kind", "subject", "run", "actor", "at"])
def test_changed_field_is_found(store: Store, column: str) -> None:
    fill(store, 4)
    damage(store, row_of(3, **{column: "forged"}))
    assert [f for f in verify(store).faults if f.startswith("Event 3")]


@pytest.mark.parametrize("column", ["body_hash", "hash"])
def test_changed_hash_is_found(store: Store, column: str) -> None:
    fill(store, 4)
    damage(store, row_of(2, **{column: "0" * 64}))
    assert verify(store).faults


@pytest.mark.parametrize("values", [{"body": '{"n":9}'}, {"body": ""}, {"salt": b"0" * 16}, {"salt": None}])
def test_changed_content_is_found(store: Store, values: dict[str, Any]) -> None:
    fill(store, 4)
    damage(store, row_of(2, **values))
    assert verify(store).faults == ["Event 2 (thing.done) has another content than when it was written."]


def test_rewritten_event_with_a_fitting_body_hash_is_found(store: Store) -> None:
    fill(store, 4)
    damage(store, row_of(2, body="{}", salt=b"s", body_hash=journal.body_hash(b"s", b"{}")))
    assert verify(store).faults == ["Event 2 (thing.done) does not follow from the one before it."]


def test_deleted_event_is_found(store: Store) -> None:
    fill(store, 4)
    damage(store, lambda c: c.execute(table.delete().where(table.c.seq == 2)))
    assert verify(store).faults[0] == "Event 2 is missing: the journal goes from 1 to 3."


def test_deleted_first_event_is_found(store: Store) -> None:
    fill(store, 3)
    damage(store, lambda c: c.execute(table.delete().where(table.c.seq == 1)))
    assert verify(store).faults[0] == "Event 1 is missing: the journal goes from 0 to 2."


def test_swapped_events_are_found(store: Store) -> None:
    fill(store, 4)
    damage(store, row_of(2, seq=99), row_of(3, seq=2), row_of(99, seq=3))
    faults = verify(store).faults
    assert [f[:7] for f in faults] == ["Event 2", "Event 3", "Event 4"]


def test_cut_tail_is_found(store: Store) -> None:
    fill(store, 4)
    damage(store, lambda c: c.execute(table.delete().where(table.c.seq > 2)))
    assert verify(store).faults == ["The journal ends at event 2, but event 4 had been written."]


def test_tail_cut_with_its_head_is_found_by_the_checkpoint(opener: Opener) -> None:
    store = opener(sign=sign)
    fill(store, 4)
    head = store.read_now(lambda c: c.execute(sa.select(table.c.hash).where(table.c.seq == 2)).scalar())
    damage(
        store,
        lambda c: c.execute(table.delete().where(table.c.seq > 2)),
        lambda c: c.execute(journal_head.update().values(seq=2, hash=head)),
    )
    assert verify(store).faults == ["Checkpoint 4 is signed, but that event is gone."]


def test_added_event_is_found(store: Store) -> None:
    fill(store, 2)
    damage(
        store,
        lambda c: c.execute(table.insert(), {"seq": 3, "id": "x", "source": "s", "external_id": "x", "body": "{}"}),
    )
    assert verify(store).faults


@pytest.mark.parametrize(
    "values", [{"hash": "0" * 64}, {"signature": sign(b"other").hex()}, {"signature": "not hexadecimal"}, {"seq": 1}]
)
def test_forged_checkpoint_is_found(opener: Opener, values: dict[str, Any]) -> None:
    store = opener(sign=sign)
    fill(store, 4)
    damage(store, lambda c: c.execute(checkpoints.update().values(**values)))
    assert verify(store).faults


def test_lost_head_is_found(store: Store) -> None:
    fill(store, 2)
    damage(store, lambda c: c.execute(journal_head.delete()))
    assert verify(store).faults == ["The place where the journal remembers its end is gone."]


def test_erased_body_is_accepted_when_an_erasure_names_it(store: Store) -> None:
    fill(store, 3)
    ident = store.read_now(lambda c: c.execute(sa.select(table.c.id).where(table.c.seq == 2)).scalar())
    damage(store, row_of(2, body=None, salt=None))
    assert verify(store).faults == ["Event 2 has lost its content and no erasure names it."]
    store.write_now(lambda tx: tx.append(journal.ERASED, payload={"ids": [ident]}))
    report = verify(store)
    assert (report.faults, report.erased) == ([], 1)
    assert store.read_now(lambda c: events.get(c, ident))["payload"] is None


def test_erasure_that_was_edited_is_found(store: Store) -> None:
    """Someone deletes a body and edits an erasure so that it names it, or spoils it so that it cannot be read."""
    fill(store, 2)
    store.write_now(lambda tx: tx.append(journal.ERASED, payload={"ids": []}))
    ident = store.read_now(lambda c: c.execute(sa.select(table.c.id).where(table.c.seq == 1)).scalar())
    damage(store, row_of(1, body=None, salt=None), row_of(3, body=f'{{"ids":["{ident}"]}}'))
    assert verify(store).faults
    damage(store, row_of(3, body="[not json"))
    assert len(verify(store).faults) == 2


def test_checkpoints_come_every_thousand_events_and_every_hour(opener: Opener) -> None:
    moment = [datetime(2026, 11, 21, 9, 0, tzinfo=UTC)]
    store = opener(sign=sign, clock=lambda: moment[0])
    for count, minutes in ((1, 0), (998, 30), (1, 1), (1, 1), (1, 59), (1, 1)):
        moment[0] += timedelta(minutes=minutes)
        fill(store, count)
    marks = store.read_now(
        lambda c: c.execute(sa.select(checkpoints.c.seq).order_by(checkpoints.c.seq)).scalars().all()
    )
    assert marks == [1, 1000, 1002]
    assert verify(store).faults == []


def test_bodies_with_the_same_text_have_different_hashes(store: Store) -> None:
    """An erased text cannot be guessed from its hash."""
    store.write_now(lambda tx: [tx.append("thing.done", payload={"n": 1}) for _ in range(2)] and None)
    hashes = store.read_now(lambda c: c.execute(sa.select(table.c.body_hash)).scalars().all())
    assert len(set(hashes)) == 2


def test_many_pages_are_checked(store: Store) -> None:
    fill(store, 2100)
    assert verify(store).events == 2100
    damage(store, row_of(2050, body="{}"))
    assert len(verify(store).faults) == 1
