"""Queries about the operator's time and about holds, on both databases."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import attention, holds, proposals, tasks
from soloist.engine.store.store import Store
from soloist.engine.store.tables import proposals as table

NOW = "2026-11-21T12:00:00.000000Z"


def proposal(tx: Any, ident: str, **values: Any) -> None:
    row = {
        "id": ident,
        "connector": "mail",
        "operation": "mail.send",
        "payload": {"to": [ident]},
        "payload_hash": ident,
    }
    given = {"agent": "intake@1", "reason": "", "run": "intake:1", **values}
    state = given.pop("state", "waiting")
    proposals.insert(tx, {**row, **given}, actor="test")
    tx.run(table.update().where(table.c.id == ident).values(state=state))
    tasks.open_card(tx, f"card-{ident}", "proposal", ident, subject=ident, subject_kind="proposal")


def test_the_place_of_an_instant_is_found_by_halving(store: Store) -> None:
    def work(tx: Any) -> list[int]:
        return [tx.append("x", payload={"n": n}, subject=str(n)) and n for n in range(40)]

    store.write_now(work)
    first, last = (store.read_now(lambda c, at=at: attention.seq_at(c, at)) for at in ("2000", "2999"))
    assert store.read_now(lambda c: attention.counted(c, ("x",), first)) == 40
    assert store.read_now(lambda c: attention.counted(c, ("x",), last)) == 0


def test_a_decision_is_found_with_its_first_look(store: Store) -> None:
    store.write_now(lambda tx: proposal(tx, "p1"))
    for who in ("mara", "jo"):
        store.write_now(lambda tx, w=who: attention.saw(tx, "card-p1", {w: {"at": tx.now}}))
    store.write_now(lambda tx: tasks.close(tx, "card-p1", "done", {"option": "approve"}, actor="mara"))
    (row,) = store.read_now(lambda c: attention.decided(c, "2000"))
    assert (row["id"], row["ended"], row["decision"]) == ("card-p1", "card.done", {"option": "approve"})
    assert "2000" < row["shown"] <= row["at"]


def test_alike_and_bundled_proposals_are_found_apart(store: Store) -> None:
    def work(tx: Any) -> None:
        for ident, values in {"a": {}, "b": {}, "c": {"agent": "other"}, "d": {"bundle": "x", "place": 2}}.items():
            proposal(tx, ident, **values)
        proposal(tx, "e", bundle="x", place=1)

    store.write_now(work)
    found = store.read_now(lambda c: [proposals.get(c, ident) for ident in "ad"])
    assert [row["id"] for row in store.read_now(lambda c: attention.alike(c, found[0], NOW))] == ["a", "b"]
    assert [row["id"] for row in store.read_now(lambda c: attention.together(c, found[1]))] == ["e", "d"]
    assert store.read_now(lambda c: attention.cards_of(c, ["a"])) == {"a": "card-a"}


def test_what_ran_alone_is_listed_until_it_was_looked_at(store: Store) -> None:
    verdict = {"answer": "allow", "rule": "r", "reason": "why", "policy_version": "1", "mode": "audit", "trace": []}

    def work(tx: Any) -> None:
        proposal(tx, "p1", state="approved")
        proposals.add_verdict(tx, "p1", "p1", {**verdict, "grant": "", "gates": []}, "proposed")

    store.write_now(work)
    assert [row["said"] for row in store.read_now(lambda c: attention.ran_alone(c, "2000"))] == ["why"]
    store.write_now(lambda tx: tasks.annotate(tx, "p1", attention.REVIEWED, "seen"))
    assert store.read_now(lambda c: attention.ran_alone(c, "2000")) == []


def test_a_hold_is_on_its_run_and_on_what_its_run_proposed(store: Store) -> None:
    effect = {"id": "e1", "run": "effect:e1", "proposal": "p1"}
    store.write_now(lambda tx: proposal(tx, "p1"))
    for run in ("effect:e1", "proposal:p1", "intake:1"):
        assert not store.read_now(lambda c: holds.on(c, effect))
        store.write_now(lambda tx, r=run: holds.put(tx, r, who="mara", why=""))
        assert store.read_now(lambda c: holds.on(c, effect))
        assert store.write_now(lambda tx, r=run: holds.lift(tx, r, who="mara"))
    assert not store.write_now(lambda tx: holds.lift(tx, "intake:1", who="mara"))
