"""What memory holds, counted and listed, on both stores: tiers, whom it is about, pages, where it was used, pins."""

from __future__ import annotations

import pytest

from soloist.engine.store import contexts, holdings, memories, pins, records
from soloist.engine.store.holdings import Wanted
from soloist.kernel.errors import Conflict
from soloist.kernel.memory import NewMemory

NOW = "2026-11-21T12:00:00.000000Z"
OVER = "2026-01-01T00:00:00.000000Z"


def add(store, *items):
    return store.write_now(lambda tx: memories.add(tx, items, actor="operator"))


def person(store, name):
    return store.write_now(lambda tx: records.create(tx, "person", name, {}, why="test"))


def ask(store, work):
    return store.read_now(work)


def test_tiers_are_counted_without_what_is_over_or_ended(store):
    ended, *_ = add(
        store,
        NewMemory("gone"),
        NewMemory("abc"),
        NewMemory("defg", trust="confirmed", pinned=True),
        NewMemory("old", expires=OVER),
        NewMemory("kept", tier="canonical", trust="rule"),
    )
    store.write_now(lambda tx: memories.end(tx, [ended], why="x", actor="operator"))
    found = ask(store, lambda conn: holdings.by_tier(conn, NOW))
    session = found["session"]
    assert {name: int(session[name]) for name in ("items", "characters", "unverified", "pinned", "over")} == {
        "items": 2, "characters": 7, "unverified": 1, "pinned": 1, "over": 1,
    }  # fmt: skip
    assert (int(found["canonical"]["items"]), found["canonical"]["next"]) == (1, "")
    assert set(found) == {"session", "canonical"}


def test_lists_come_by_pages_and_filters(store):
    ada = person(store, "Ada")
    add(store, *(NewMemory(f"n{n}", record=ada if n % 2 else "", scope="s" if n > 3 else "") for n in range(6)))
    seen, before = [], holdings.NEWEST
    while rows := ask(store, lambda conn, b=before: holdings.items(conn, Wanted(), NOW, before=b, limit=4)):
        seen += [row["text"] for row in rows]
        before = rows[-1]["n"]
    assert seen == ["n5", "n4", "n3", "n2", "n1", "n0"]
    about = ask(store, lambda conn: holdings.items(conn, Wanted(records=(ada,), scope="s"), NOW))
    assert [row["text"] for row in about] == ["n5"]
    assert ask(store, lambda conn: holdings.by_scope(conn)) == [("", 4), ("s", 2)]


def test_whom_it_is_about_comes_by_name(store):
    ids = {name: person(store, name) for name in ("Zoe", "ada", "Bo", "Nobody")}
    add(store, *(NewMemory(name, record=ident) for name, ident in ids.items() if name != "Nobody"))
    rows = ask(store, lambda conn: holdings.whom(conn, limit=2))
    assert [(row["title"], int(row["items"]), int(row["facts"])) for row in rows] == [("ada", 1, 0), ("Bo", 1, 0)]
    rest = ask(store, lambda conn: holdings.whom(conn, after=f"{rows[-1]['key']}~{rows[-1]['id']}"))
    assert [row["title"] for row in rest] == ["Zoe"]
    assert [row["title"] for row in ask(store, lambda conn: holdings.whom(conn, text="O"))] == ["Bo", "Zoe"]
    assert ask(store, lambda conn: holdings.whom(conn, text="%")) == []
    assert ask(store, lambda conn: holdings.whom(conn, kinds=("company",))) == []


def test_where_an_item_went(store):
    (first,) = add(store, NewMemory("a fact of life"))
    (second,) = add(store, NewMemory("a summary", origin=[f"memory:{first}", first]))
    row = ask(store, lambda conn: memories.get(conn, first))
    assert [one["id"] for one in ask(store, lambda conn: holdings.derived_from(conn, row))] == [second]
    slices = [{"retrieval": "", "rank": 1, "n": row["n"], "memory": first, "hash": row["hash"], "part": "facts"}]
    context = {"records": [], "messages": [], "house_book": "", "parameters": {}, "hash": "h", "run": "r1"}
    store.write_now(lambda tx: contexts.add(tx, context, slices))
    (used,) = ask(store, lambda conn: holdings.used_in(conn, first))
    assert (used["run"], used["part"], used["proposal"]) == ("r1", "facts", "")
    store.write_now(lambda tx: memories.end(tx, [first], why="x", actor="o", superseded_by=second))
    assert [one["id"] for one in ask(store, lambda conn: holdings.replaced(conn, second))] == [first]
    with pytest.raises(Conflict):
        store.write_now(lambda tx: pins.pin(tx, first, True, actor="operator"))


def test_a_pin_is_one_event(store):
    (ident,) = add(store, NewMemory("keep me"))
    for on in (True, True, False):
        store.write_now(lambda tx, on=on: pins.pin(tx, ident, on, actor="operator"))
    assert ask(store, lambda conn: memories.get(conn, ident))["pinned"] == 0
