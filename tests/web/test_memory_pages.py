"""The pages of memory over a real App: tiers, whom it is about, items, one item with where it is from."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import memories, records
from soloist.kernel.memory import NewMemory


@pytest.fixture
def console(real_console: TestClient) -> TestClient:
    return real_console


def remember(app: App, *items: NewMemory) -> list[str]:
    return app.store.write_now(lambda tx: memories.add(tx, items, actor="operator"))


def person(app: App, name: str = "Ada Okafor") -> str:
    return app.store.write_now(lambda tx: records.create(tx, "person", name, {}, why="test"))


def test_an_empty_memory_says_what_will_appear(app, console):
    text = console.get("/memory").text
    assert "Memory is empty." in text
    assert "Nobody yet." in text
    for name in ("Ephemeral", "Working", "Session", "Canonical"):
        assert f">{name}</a>" in text


def test_the_tiers_say_how_much_how_long_and_who_writes(app, console):
    remember(app, NewMemory("She likes blue."), NewMemory("She pays late.", tier="canonical", trust="confirmed"))
    text = console.get("/memory").text
    assert "90 days" in text
    assert "what comes in from outside" in text
    assert "for good" in text
    assert text.index("She pays late.") < text.index("She likes blue.")


def test_items_are_filtered_and_escaped(app, console):
    ada = person(app)
    remember(
        app, NewMemory("<script>alert(1)</script>", record=ada), NewMemory("Other", tier="canonical", trust="rule")
    )
    text = console.get(f"/memory/items?tier=session&trust=unverified&about={ada}").text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
    assert "Other" not in text
    assert "Ada Okafor" in text


ODD = ["?tier=none", "?before=%00", "?before=9e9", "?about=nobody", "?scope=%27--", f"?before={'9' * 40}"]


@pytest.mark.parametrize("query", ODD)
def test_odd_addresses_are_no_fault(app, console, query):
    remember(app, NewMemory("x"))
    assert console.get("/memory/items" + query).status_code == 200
    assert console.get("/memory/about" + query).status_code == 200
    assert console.get("/memory/about?after=~~%00&q=%25").status_code == 200


def test_an_item_says_where_it_is_from_and_what_came_of_it(app, console):
    (first,) = remember(app, NewMemory("She wants a shop by March.", source="mail", ref="gone"))
    (second,) = remember(app, NewMemory("A shop, March.", origin=[first], tier="canonical", trust="rule"))
    assert f"/memory/items/{second}" in console.get(f"/memory/items/{first}").text
    assert f"/memory/items/{first}" in console.get(f"/memory/items/{second}").text
    assert console.get("/memory/items/nothing").status_code == 404


def test_what_is_over_says_so(app, console):
    (ident,) = remember(app, NewMemory("old"))
    app.store.write_now(lambda tx: memories.end(tx, [ident], why="a mistake", actor="operator"))
    text = console.get(f"/memory/items/{ident}").text
    assert "no longer used: a mistake" in text
    assert "Memory is empty" in console.get("/memory/items").text


def test_people_come_by_name_and_by_pages(app, console):
    names = [f"Person {n:03}" for n in range(60)]
    ids = [person(app, name) for name in names]
    remember(app, *(NewMemory(f"about {ident}", record=ident) for ident in ids))
    first = console.get("/memory/about").text
    assert "Person 049" in first
    assert "Person 050" not in first
    link = first.split('class="more"><a class="button" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Person 059" in console.get(link).text
    assert "Person 012" in console.get("/memory/about?q=son+012").text
