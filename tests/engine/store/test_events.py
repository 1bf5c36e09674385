"""Events from outside are accepted once; the same name with other content is a conflict that names both hashes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.engine.store import events
from soloist.engine.store.store import Store
from soloist.engine.store.tables import events as table
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound, SameIdOtherBody
from soloist.kernel.hashing import sha256
from tests.engine.store.conftest import Opener
from tests.engine.store.test_journal import verify

MAIL = {"from": "ada@okafor-ceramics.example", "text": "Could you redo our shop?"}


def accept(tx: Tx, external: str = "m1", payload: Any = MAIL, kind: str = "message.received") -> tuple[Any, bool]:
    return events.accept(tx, "form", external, kind, payload, actor="token:form")


def count(store: Store) -> int:
    return int(store.read_now(lambda c: c.execute(sa.select(sa.func.count()).select_from(table)).scalar()) or 0)


def test_second_delivery_is_the_same_event(store: Store) -> None:
    first, new = store.write_now(accept)
    again, new_again = store.write_now(lambda tx: accept(tx, payload=dict(reversed(MAIL.items()))))
    assert (new, new_again, again.id, again.seq) == (True, False, first.id, 1)
    assert count(store) == 1


def test_other_content_is_a_conflict_with_both_hashes(store: Store) -> None:
    store.write_now(accept)
    with pytest.raises(SameIdOtherBody) as caught:
        store.write_now(lambda tx: accept(tx, payload={**MAIL, "text": "Something else"}))
    stored = store.read_now(lambda c: c.execute(sa.select(table.c.body)).scalar())
    assert caught.value.extra["stored"] == sha256(stored.encode()) != caught.value.extra["offered"]
    assert all(caught.value.extra[name] in caught.value.detail for name in ("stored", "offered"))
    assert (caught.value.field, count(store)) == ("external_id", 1)


def test_other_kind_is_a_conflict(store: Store) -> None:
    store.write_now(accept)
    with pytest.raises(SameIdOtherBody, match=r"as message\.received .* as form\.submitted"):
        store.write_now(lambda tx: accept(tx, kind="form.submitted"))


def test_same_external_id_of_another_source_is_another_event(store: Store) -> None:
    store.write_now(accept)
    _, new = store.write_now(lambda tx: events.accept(tx, "other", "m1", "message.received", MAIL, actor="outside"))
    assert new


def test_duplicates_inside_one_commit(store: Store) -> None:
    def work(tx: Tx) -> list[Any]:
        answers = [accept(tx), accept(tx)]
        with pytest.raises(SameIdOtherBody):
            accept(tx, payload={"text": "other"})
        return answers

    (first, new), (second, new_again) = store.write_now(work)
    assert (new, new_again, first.id, count(store)) == (True, False, second.id, 1)


def test_event_of_a_failed_unit_can_come_again_in_the_same_commit(store: Store) -> None:
    def fail(tx: Tx) -> None:
        accept(tx)
        raise ValueError("no")

    futures = [store.writer.submit(work) for work in (fail, accept)]
    assert futures[0].exception(10) is not None
    assert futures[1].result(10)[1] is True
    assert (count(store), verify(store).faults) == (1, [])


def test_erased_event_is_still_known(store: Store) -> None:
    store.write_now(accept)
    store.write_now(lambda tx: tx.run(table.update().values(body=None, salt=None)) and None)
    assert store.write_now(lambda tx: accept(tx, payload={"text": "whatever"}))[1] is False


def test_two_processes_accept_each_delivery_once(opener: Opener) -> None:
    stores, answers = [opener(), opener()], []

    def deliver(store: Store) -> None:
        futures = [store.writer.submit(lambda tx, n=n: accept(tx, f"m{n % 40}")) for n in range(80)]  # type: ignore[misc]
        answers.extend(future.result(30) for future in futures)

    threads = [threading.Thread(target=deliver, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(answers), sum(new for _, new in answers), count(stores[0])) == (160, 40, 40)
    assert verify(stores[0]).faults == []


def test_two_processes_with_other_content_one_wins(opener: Opener) -> None:
    stores, answers = [opener(), opener()], []

    def deliver(n: int) -> None:
        for k in range(20):
            future = stores[n].writer.submit(lambda tx, k=k: accept(tx, f"m{k}", {"text": str(n)}))  # type: ignore[misc]
            answers.append(type(future.exception(30)))

    threads = [threading.Thread(target=deliver, args=(n,)) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (answers.count(type(None)), answers.count(SameIdOtherBody), count(stores[0])) == (20, 20, 20)


def test_reading_after_a_place(store: Store) -> None:
    for n in range(5):
        store.write_now(lambda tx, n=n: tx.append("a.b" if n % 2 else "c.d", subject=f"s{n // 3}", payload={"n": n}))  # type: ignore[misc]
    assert [e["payload"]["n"] for e in store.read_now(lambda c: events.after(c, 1, 2))] == [1, 2]
    assert [e["seq"] for e in store.read_now(lambda c: events.after(c, 0, 9, kind="a.b"))] == [2, 4]
    assert [e["seq"] for e in store.read_now(lambda c: events.after(c, 0, 9, subject="s1", kind="a.b"))] == [4]


def test_names_and_newest(store: Store) -> None:
    assert store.read_now(events.newest) == ""
    event, _ = store.write_now(accept)
    assert store.read_now(lambda c: events.named(c, "form", "m1")).id == event.id
    assert store.read_now(lambda c: events.named(c, "form", "m2")) is None
    assert store.read_now(events.newest) == event.at
    with pytest.raises(NotFound):
        store.read_now(lambda c: events.get(c, "nothing"))
