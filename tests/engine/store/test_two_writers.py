"""Two processes on one database: whoever comes second is told, and nothing is done twice or lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.engine.store import effects, events, journal, proposals, records, secrets, settings, tasks
from soloist.engine.store.access import AccessRows
from soloist.engine.store.store import Store
from soloist.engine.store.tables import identities
from soloist.engine.store.tx import Tx
from soloist.kernel.access import secret_hash
from soloist.kernel.errors import Conflict, NotFound, SoloistError, StaleVersion
from tests.engine.store.conftest import Opener

PROPOSAL = {
    "id": "p1",
    "connector": "mail",
    "operation": "mail.send",
    "payload": {"n": 1},
    "payload_hash": "h1",
    "reason": "r",
}
EFFECT = {"id": "e1", "connector": "mail", "operation": "mail.send", "class": "C", "key": "k", "payload_hash": "h1"}


def race(opener: Opener, work: Callable[[Tx, int], Any], *, each: int = 10) -> Counter[str]:
    """Let two processes do the same work at the same time; how it went, by the name of the fault or "ok"."""
    stores, went = [opener(), opener()], Counter[str]()
    barrier = threading.Barrier(2)

    def run(store: Store) -> None:
        for n in range(each):
            barrier.wait(10)
            fault = store.writer.submit(lambda tx, n=n: work(tx, n)).exception(30)  # type: ignore[misc]
            went[type(fault).__name__ if fault else "ok"] += 1

    threads = [threading.Thread(target=run, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return went


def kinds(store: Store) -> Counter[str]:
    return Counter(event["kind"] for event in store.read_now(lambda c: events.after(c, 0, 1000)))


def test_effect_is_moved_by_one_of_two(opener: Opener) -> None:
    """The row version is the fencing number: of two who saw the same row only one may attempt."""
    store = opener()
    for n in range(10):
        store.write_now(
            lambda tx, n=n: effects.insert(
                tx, {**EFFECT, "id": f"e{n}", "proposal": f"p{n}", "not_before": "", "run": ""}, actor="test"
            )
        )  # type: ignore[misc]
    seen = {row["id"]: row for row in store.read_now(lambda c: effects.in_states(c, ["intended"]))}
    went = race(opener, lambda tx, n: effects.move(tx, seen[f"e{n}"], "claimed"))
    assert went == {"ok": 10, "Conflict": 10}
    assert kinds(store)["effect.claimed"] == 10
    assert {row["version"] for row in store.read_now(lambda c: effects.listed(c, after=0, limit=99))} == {2}


def test_effects_are_numbered_without_doubles(opener: Opener) -> None:
    """Lists of effects are read by these numbers."""
    row = {**EFFECT, "not_before": "", "run": ""}

    def work(tx: Tx, _n: int) -> None:
        ident = tx.new_id()
        effects.insert(tx, {**row, "id": ident, "proposal": ident}, actor="test")

    assert race(opener, work) == {"ok": 20}
    rows = opener().read_now(lambda c: effects.listed(c, after=0, limit=99))
    assert [row["ordinal"] for row in rows] == list(range(1, 21))


def test_card_is_closed_once(opener: Opener) -> None:
    store = opener()
    for n in range(10):
        store.write_now(lambda tx, n=n: tasks.open_card(tx, f"c{n}", "approval", "Send this?"))  # type: ignore[misc]
    went = race(opener, lambda tx, n: tasks.close(tx, f"c{n}", "done", {"by": tx.new_id()}, actor="operator"))
    assert went == {"ok": 10, "Conflict": 10}
    assert kinds(store)["card.done"] == 10


def test_card_is_opened_once(opener: Opener) -> None:
    went = race(opener, lambda tx, n: tasks.open_card(tx, f"c{n}", "approval", "Send this?"))
    assert went == {"ok": 20}
    assert kinds(opener())["card.opened"] == 10


def test_proposal_is_decided_once(opener: Opener) -> None:
    store = opener()
    for n in range(10):
        store.write_now(lambda tx, n=n: proposals.insert(tx, {**PROPOSAL, "id": f"p{n}"}, actor="test"))  # type: ignore[misc]
    went = race(opener, lambda tx, n: proposals.move(tx, f"p{n}", "approved", actor="operator"))
    assert went == {"ok": 10, "Conflict": 10}
    assert kinds(store)["proposal.approved"] == 10


def test_record_is_written_by_one_of_two(opener: Opener) -> None:
    store = opener()
    ident = store.write_now(lambda tx: records.create(tx, "person", "Ada Okafor", {"n": 0}, why="test"))
    went = race(opener, lambda tx, n: records.write(tx, ident, n + 1, {"n": n + 1}, why="test"))
    assert went == {"ok": 10, "StaleVersion": 10}
    assert [row["body"]["n"] for row in store.read_now(lambda c: records.history(c, ident))] == list(range(10, -1, -1))


def test_identifier_has_one_live_link(opener: Opener) -> None:
    went = race(
        opener, lambda tx, n: records.link(tx, "email", f"{n}@x.example", tx.new_id(), rule="mail", evidence={})
    )
    assert went == {"ok": 20}
    store = opener()
    assert store.read_now(lambda c: c.execute(sa.select(sa.func.count()).select_from(identities)).scalar()) == 10
    assert kinds(store)["identity.linked"] == 10


def test_link_that_ended_makes_room_for_another(store: Store) -> None:
    def link(record: str) -> None:
        store.write_now(
            lambda tx: records.link(tx, "email", "ada@okafor-ceramics.example", record, rule="mail", evidence={})
        )

    link("one")
    store.write_now(lambda tx: tx.run(identities.update().values(ended=tx.now)) and None)
    link("two")
    assert store.read_now(lambda c: records.identified(c, "email", "ada@okafor-ceramics.example")) == "two"
    assert [len(store.read_now(lambda c, r=r: records.identities_of(c, r))) for r in ("one", "two")] == [0, 1]  # type: ignore[misc]


def test_setting_and_secret_are_written_by_both(opener: Opener) -> None:
    def work(tx: Tx, n: int) -> None:
        settings.put(tx, f"key {n}", "on")
        secrets.put(tx, f"name {n}", b"sealed")

    assert race(opener, work) == {"ok": 20}
    assert opener().read_now(secrets.names) == sorted(f"name {n}" for n in range(10))


def test_run_is_asked_for_once(opener: Opener) -> None:
    answers: list[bool] = []
    assert race(opener, lambda tx, n: answers.append(tx.start(f"flow:{n}", "flow", str(n)))) == {"ok": 20}
    assert opener().read_now(journal.head) == 0


async def test_one_time_link_lets_one_in(opener: Opener) -> None:
    rows = [AccessRows(opener()), AccessRows(opener())]
    for _ in range(5):
        token = secret_hash(await asyncio.to_thread(rows[0].issue_link, 4e9, sets_password=False))
        answers = await asyncio.gather(*(r.use_link(token, 1.8e9) for r in rows))
        assert sorted(answer is None for answer in answers) == [False, True]


def test_edit_of_an_old_version_is_refused(store: Store) -> None:
    store.write_now(lambda tx: proposals.insert(tx, PROPOSAL, actor="test"))
    old = store.read_now(lambda c: proposals.get(c, "p1"))
    store.write_now(lambda tx: proposals.edit(tx, old, {"n": 2}, "h2", actor="operator"))
    with pytest.raises(Conflict, match="nothing was changed"):
        store.write_now(lambda tx: proposals.edit(tx, old, {"n": 3}, "h3", actor="operator"))
    versions = store.read_now(lambda c: proposals.versions(c, "p1"))
    assert [(v["version"], v["payload"], v["payload_hash"]) for v in versions] == [
        (1, {"n": 1}, "h1"),
        (2, {"n": 2}, "h2"),
    ]


@pytest.mark.parametrize("state", ["rejected", "denied", "expired", "withdrawn", "superseded"])
def test_ended_proposal_cannot_be_approved(store: Store, state: str) -> None:
    store.write_now(lambda tx: proposals.insert(tx, PROPOSAL, actor="test"))
    store.write_now(lambda tx: proposals.move(tx, "p1", state, actor="soloist"))
    with pytest.raises(Conflict, match="can become: nothing"):
        store.write_now(lambda tx: proposals.move(tx, "p1", "approved", actor="operator"))
    assert store.read_now(lambda c: proposals.get(c, "p1"))["state"] == state


def test_stale_move_of_an_effect_is_refused(store: Store) -> None:
    store.write_now(
        lambda tx: effects.insert(tx, {**EFFECT, "proposal": "p1", "not_before": "", "run": ""}, actor="test")
    )
    old = store.read_now(lambda c: effects.get(c, "e1"))
    store.write_now(lambda tx: effects.touch(tx, old, "seen"))
    with pytest.raises(Conflict, match="nothing was changed"):
        store.write_now(lambda tx: effects.move(tx, old, "claimed"))
    with pytest.raises(Conflict, match="cannot become succeeded"):
        store.write_now(lambda tx: effects.move(tx, effects.get(tx.conn, "e1"), "succeeded"))
    assert [e["note"] for e in store.read_now(lambda c: effects.get(c, "e1"))["evidence"]] == ["seen"]


@pytest.mark.parametrize("look", [records.get, proposals.get, effects.get, tasks.get, events.get, secrets.get])
def test_what_is_not_there_is_not_found(store: Store, look: Callable[[Any, str], Any]) -> None:
    with pytest.raises(NotFound):
        store.read_now(lambda c: look(c, "nothing"))


def test_stale_write_names_both_versions(store: Store) -> None:
    ident = store.write_now(
        lambda tx: records.create(tx, "person", "Ada Okafor", {"city": "Lagos", "n": 1}, why="test")
    )
    store.write_now(lambda tx: records.write(tx, ident, 1, {"city": "Hamburg"}, why="moved"))
    with pytest.raises(StaleVersion, match="at version 2, not 1") as caught:
        store.write_now(lambda tx: records.write(tx, ident, 1, {"city": "Kiel"}, why="moved"))
    assert caught.value.extra["current"]["body"] == {"city": "Hamburg", "n": 1}
    assert caught.value.extra["offered"] == {"city": "Kiel"}
    assert isinstance(caught.value, SoloistError)


def test_each_waiting_for_the_other_is_tried_again(opener: Opener) -> None:
    """Two processes write the same two rows in opposite order: Postgres ends one of them, which then comes second."""
    store = opener()
    for key in ("a0", "a1"):
        store.write_now(lambda tx, key=key: settings.put(tx, key, "0"))  # type: ignore[misc]
    turn = iter(range(1000))

    def work(tx: Tx, _n: int) -> None:
        first = next(turn) % 2
        for key in (f"a{first}", f"a{1 - first}"):
            settings.put(tx, key, str(int(settings.value(tx.conn, key)) + 1))
            time.sleep(0.05)

    assert race(opener, work, each=4) == {"ok": 8}
