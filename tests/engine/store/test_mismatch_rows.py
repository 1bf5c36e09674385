"""Rows of differences and the queries behind a comparison, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import effects, mismatches, proposals
from soloist.engine.store.store import Store
from soloist.kernel.errors import Conflict, NotFound


def row(ident: str, **values: Any) -> dict[str, Any]:
    given = {"id": ident, "connector": "shop", "kind": "differs", "title": ident, "ref": "", "effect": "", "record": ""}
    return {**given, "inside": {"operation": "book"}, "outside": {}, "fields": [], "decision": None, **values}


def effect(tx: Any, ident: str, **values: Any) -> None:
    about = {"connector": "shop", "operation": "book", "payload": {"name": ident}, "payload_hash": ident}
    proposals.insert(tx, {"id": f"p-{ident}", "reason": "", "run": "", "noun": "effect", **about}, actor="test")
    given = {"id": ident, "proposal": f"p-{ident}", "group": "all", "run": "r", "class": "A", "key": f"key-{ident}"}
    given |= {"connector": "shop", "operation": "book", "payload_hash": ident, "not_before": "", "undoes": ""}
    effects.insert(tx, {**given, "provider_ref": f"ref-{ident}", "evidence": [], **values}, actor="test")


def test_a_difference_lives_along_its_declared_states(store: Store) -> None:
    store.write_now(lambda tx: mismatches.insert(tx, row("m1")))
    store.write_now(lambda tx: mismatches.move(tx, mismatches.get(tx.conn, "m1"), "accepted", decision={"who": "me"}))
    kept = store.read_now(lambda conn: mismatches.get(conn, "m1"))
    assert (kept["state"], kept["decision"], kept["closed"] != "") == ("accepted", {"who": "me"}, True)
    with pytest.raises(Conflict):
        store.write_now(lambda tx: mismatches.move(tx, mismatches.get(tx.conn, "m1"), "fixing"))
    with pytest.raises(NotFound):
        store.read_now(lambda conn: mismatches.get(conn, "m2"))


def test_they_are_counted_and_listed_in_pages(store: Store) -> None:
    for name in ("m1", "m2", "m3"):
        store.write_now(lambda tx, n=name: mismatches.insert(tx, row(n, connector="shop" if n != "m3" else "diary")))
    first = store.read_now(lambda conn: mismatches.listed(conn, "open", limit=2))
    place = (first[-1]["first_seen"], first[-1]["id"])
    rest = store.read_now(lambda conn: mismatches.listed(conn, "", after=place, limit=2))
    assert [one["id"] for one in [*first, *rest]] == ["m1", "m2", "m3"]
    assert store.read_now(mismatches.counts) == {("shop", "differs", "open"): 2, ("diary", "differs", "open"): 1}
    assert store.read_now(mismatches.standing) == (3, first[0]["first_seen"])
    assert [one["id"] for one in store.read_now(lambda c: mismatches.of(c, "diary", ["open"]))] == ["m3"]


def test_what_is_known_here_is_found_by_key_and_by_the_providers_id(store: Store) -> None:
    store.write_now(lambda tx: effect(tx, "e1"))
    store.write_now(lambda tx: effect(tx, "e2", group="copy:ref-e2", undoes=""))
    assert store.read_now(lambda c: mismatches.known_keys(c, ["key-e1", "key-e9", ""])) == {"key-e1"}
    assert store.read_now(lambda c: mismatches.known_refs(c, "shop", ["ref-e1", "ref-e2"])) == {"ref-e1"}
    assert store.read_now(lambda c: mismatches.known_refs(c, "diary", ["ref-e1"])) == set()


def test_what_was_never_tried_and_ended_is_not_compared(store: Store) -> None:
    for name, state in (("e1", "intended"), ("e2", "resolved_not_done"), ("e3", "compensated")):
        store.write_now(lambda tx, n=name: effect(tx, n, undoes="e1" if n == "e3" else ""))
        if state == "resolved_not_done":
            store.write_now(lambda tx, s=state, n=name: effects.move(tx, effects.get(tx.conn, n), s))
    found = store.read_now(lambda conn: mismatches.inside(conn, "shop", "book", "2000"))
    assert [(one["id"], one["payload"]) for one in found] == [("e1", {"name": "e1"})]
    assert store.read_now(lambda conn: mismatches.inside(conn, "shop", "book", "2999")) == []
    assert store.read_now(lambda conn: mismatches.first_done(conn, "shop", "book")) > "2000"
    assert store.read_now(lambda conn: mismatches.first_done(conn, "diary", "book")) == ""


def test_proposals_without_an_effect_are_found(store: Store) -> None:
    store.write_now(lambda tx: effect(tx, "e1"))
    about = {"connector": "shop", "operation": "book", "payload": {}, "payload_hash": "x", "noun": "effect"}
    store.write_now(lambda tx: proposals.insert(tx, {"id": "p9", "reason": "", "run": "", **about}, actor="test"))
    assert [one["id"] for one in store.read_now(mismatches.not_begun)] == ["p9"]
