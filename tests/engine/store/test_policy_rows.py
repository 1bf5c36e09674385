"""Rows of policy on both databases: grants along their life, versions, trust, and what history counts."""

from typing import Any

import pytest

from soloist.engine.store import autonomy, grants, history, policies, records
from soloist.engine.store.clock import iso, later
from soloist.engine.store.store import Store
from soloist.engine.store.tables import proposals, verdicts
from soloist.kernel.errors import Conflict

ADA = "ada@okafor-ceramics.example"


def now(store: Store) -> str:
    return iso(store.clock())


def grant(store: Store, state: str = "live", **more: Any) -> str:
    given = {"title": "g", "connector": "shop", "who": "operator", "until": later(now(store), 86400), **more}
    return store.write_now(lambda tx: grants.insert(tx, given, state=state))


def proposal(store: Store, number: int, ago: float = 60, *, by: str = "", **more: Any) -> None:
    at = later(now(store), -ago)
    row = {"id": f"p{number}", "connector": "shop", "operation": "put", "state": "approved", "created": at}
    row |= {"updated": at, "recipients": [ADA], "amount_minor": number, "payload": {"n": number}, **more}
    said = {"id": f"v{number}", "proposal": f"p{number}", "answer": "allow", "grant": by, "at": at}
    store.write_now(lambda tx: (tx.run(proposals.insert(), row), tx.run(verdicts.insert(), said)))


def test_a_grant_applies_to_what_it_names_until_it_ends(store: Store):
    any_agent, mine = grant(store), grant(store, agent="intake@1", operation="put")
    asked = {"connector": "shop", "operation": "put", "agent": "intake@1", "now": now(store)}
    assert [g["id"] for g in store.read_now(lambda c: grants.applying(c, **asked))] == sorted([any_agent, mine])
    assert len(store.read_now(lambda c: grants.applying(c, **{**asked, "agent": "x"}))) == 1
    store.write_now(lambda tx: grants.revoke(tx, mine, "operator", "enough"))
    assert [g["id"] for g in store.read_now(grants.live)] == [any_agent]
    with pytest.raises(Conflict):
        store.write_now(lambda tx: grants.revoke(tx, mine, "operator"))


def test_only_earned_grants_of_the_pair_are_lost(store: Store):
    earned = {"source": "earned", "agent": "intake@1", "basis": {"operations": "undoable"}}
    lost, other = grant(store, **earned), grant(store, agent="intake@1")
    open_ = grant(store, state="offered", **earned)
    assert store.read_now(lambda c: grants.offered(c, "intake@1", "undoable")) == [open_]
    assert store.write_now(lambda tx: grants.lose(tx, "intake@1", "undoable", why="edited")) == [lost]
    assert store.read_now(lambda c: grants.get(c, other))["state"] == "live"


def test_what_a_grant_let_go_is_counted(store: Store):
    ident = grant(store)
    for number, ago in ((1, 60), (2, 7200), (3, 90_000)):
        proposal(store, number, ago, by=ident)
    proposal(store, 4, by="other")
    proposal(store, 5, by=ident, state="superseded")
    row, since = store.read_now(lambda c: grants.get(c, ident)), later(now(store), -86400)
    assert store.read_now(lambda c: grants.used(c, row, since)) == 2
    assert store.read_now(lambda c: grants.used(c, row, since, but="p1")) == 1


def test_history_counts_what_was_approved(store: Store):
    for number, ago in ((1, 60), (2, 7200), (3, 90_000)):
        proposal(store, number, ago)
    proposal(store, 4, state="waiting", recipients=["jo@x.example"])
    at = now(store)
    assert store.read_now(lambda c: history.sent(c, "shop", "put", now=at, but="")) == (1, 2)
    assert store.read_now(lambda c: history.sent(c, "shop", "put", now=at, but="p1")) == (0, 1)
    assert store.read_now(lambda c: history.to_one(c, "shop", "put", [ADA.upper(), "x"], now=at, but="")) == 2
    assert [
        one["amount_minor"] for one in store.read_now(lambda c: history.past(c, "shop", "put", now=at, but=""))
    ] == [1, 2, 3]
    assert store.read_now(lambda c: history.payloads(c, "shop", "put", now=at, but="p1", limit=1)) == [{"n": 2}]


def test_whose_value_a_field_holds(store: Store):
    first = {"name": "Ada", "note": "kind", "tag": "x"}
    ident = store.write_now(lambda tx: records.create(tx, "person", "Ada", first, why="t", actor="operator"))
    store.write_now(lambda tx: records.write(tx, ident, 1, {"note": "busy"}, why="t", actor="intake@1"))
    store.write_now(lambda tx: records.write(tx, ident, 2, {"tag": ""}, why="t", actor="operator"))
    assert store.read_now(lambda c: history.set_by_hand(c, ident, ["name", "note", "tag", "none"])) == ["name"]


def test_a_version_that_comes_back_is_in_force_again(store: Store):
    for version in ("a", "b", "b", "a"):
        store.write_now(lambda tx, v=version: policies.keep(tx, v, {"rules": []}, source="files", who="x", why="y"))
    assert store.read_now(policies.in_force) == "a"
    assert [row["version"] for row in store.read_now(lambda c: policies.listed(c))] == ["a", "b"]


def test_trust_begins_at_propose_and_a_change_of_rung_is_an_event(store: Store):
    row = store.read_now(lambda c: autonomy.get(c, "intake@1", "undoable"))
    assert (row["level"], row["straight"]) == ("propose", 0)
    store.write_now(lambda tx: autonomy.put(tx, {**row, "straight": 3}, who="operator"))
    store.write_now(lambda tx: autonomy.put(tx, {**row, "level": "limited"}, who="operator"))
    (kept,) = store.read_now(autonomy.listed)
    assert (kept["level"], kept["straight"], bool(kept["changed"])) == ("limited", 0, True)
