"""The pages of memory over a real App: tiers, whom it is about, items, one item with where it is from."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import facts, memories, records, retention
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import retaining


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


def test_asking_shows_marked_words_and_why(app, console):
    ada = person(app)
    remember(app, NewMemory("Ada wants the glaze in cobalt <blue>.", record=ada), NewMemory("Jonas likes green."))
    text = console.get("/memory/ask?q=Which+glaze+does+Ada+want").text
    assert "<mark>glaze</mark>" in text
    assert "&lt;blue&gt;" in text
    assert "Why it ranked here" in text
    assert "words of the question that it holds" in text
    assert "Words and names only" in text


def test_an_answer_is_asked_again_and_is_identical(app, console):
    remember(app, NewMemory("The kiln is broken."))
    text = console.get("/memory/ask?q=kiln").text
    link = text.split('action="/memory/retrievals/')[1].split('"')[0]
    remember(app, *(NewMemory(f"The kiln again {n}.") for n in range(20)))
    assert "Identical: the same 1 answer in" in console.post(f"/memory/retrievals/{link}").text
    assert "kiln" in console.get("/memory/retrievals").text
    assert console.get("/memory/retrievals/none").status_code == 404


BAD = [
    "q=...",
    "q=x&tier=none",
    "q=x&as_of=yesterday",
    "q=x&as_of=1990-01-01",
    f"q={'a+' * 3000}",
    "q=x&as_of=99999999",
]


@pytest.mark.parametrize("query", BAD)
def test_a_question_that_cannot_be_put_says_why(app, console, query):
    answer = console.get(f"/memory/ask?{query}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_what_is_not_known_is_said(app, console):
    remember(app, NewMemory("The kiln is broken."))
    assert "Nothing of it is remembered" in console.get("/memory/ask?q=x&about=nobody").text
    assert "Ask in your own words" in console.get("/memory/ask").text


def fact(app: App, record: str, attribute: str, value: str, **more: Any) -> str:
    new = NewFact(record, attribute, value, actor="ada@okafor-ceramics.example", source="mail", **more)
    return app.store.write_now(lambda tx: facts.state(tx, new)).id


def test_what_is_remembered_about_somebody_with_its_words(app, console):
    ada = person(app)
    fact(app, ada, "preference", "calls before noon", quote="I like <b>calls</b> in the morning")
    fact(app, ada, "deadline", "March", trust="rule")
    fact(app, ada, "deadline", "May")
    remember(app, *(NewMemory(f"Ada said hello. {n}", record=ada, kind="message") for n in range(8)))
    text = console.get(f"/memory/about/{ada}").text
    for said in (
        "Preferences",
        "calls before noon",
        "I like &lt;b&gt;calls",
        "Contradictions",
        "May",
        "Ada said hello.",
    ):
        assert said in text
    assert f"/memory/items?tier=session&amp;about={ada}" in text
    assert console.get("/memory/about/nobody").status_code == 404


def test_an_item_is_confirmed_corrected_pinned_and_forgotten(app, console):
    (ident,) = remember(app, NewMemory("Calls before noon."))
    to = console.post(f"/memory/items/{ident}/confirm").headers["location"]
    assert "kept for good" in console.get(to).text
    to = console.post(to.split("?")[0] + "/correct", data={"text": "Calls at noon."}).headers["location"]
    text = console.get(to).text
    assert "Calls at noon." in text
    assert "Calls before noon." in text
    assert "Pinned." in console.get(console.post(to.split("?")[0] + "/pin").headers["location"]).text
    to = console.post(to.split("?")[0] + "/forget", data={"why": "not true"}).headers["location"]
    assert "no longer used: not true" in console.get(to).text
    assert console.post(to.split("?")[0] + "/forget", data={"why": "again"}).status_code == 409
    assert console.post(f"/memory/items/{ident}/burn").status_code == 404


def test_facts_are_confirmed_corrected_forgotten_and_written(app, console):
    ada = person(app)
    ident = fact(app, ada, "deadline", "March")
    to = console.post(f"/memory/facts/{ident}/confirm").headers["location"]
    ident = to.split("#fact-")[1]
    to = console.post(f"/memory/facts/{ident}/correct", data={"value": "May"}).headers["location"]
    text = console.get(to.split("#")[0]).text
    assert "Corrected." in text
    assert "1 earlier statement" in text or "2 earlier statements" in text
    ident = to.split("#fact-")[1]
    assert console.post(f"/memory/facts/{ident}/forget", data={"why": ""}).status_code == 422
    assert console.post(f"/memory/facts/{ident}/forget", data={"why": "done"}).status_code == 303
    written = {"attribute": "payment terms", "value": "14 days", "since": "2026-01-01"}
    to = console.post(f"/memory/about/{ada}/facts", data=written).headers["location"]
    assert "14 days" in console.get(to).text
    assert console.post(f"/memory/about/{ada}/facts", data={"attribute": "x"}).status_code == 422


def test_the_tiers_follow_the_policy_in_force(app, console):
    rules = {**retaining.defaults(), "memory.session": 30}
    app.store.write_now(lambda tx: retention.put(tx, rules, who="operator", why="less"))
    text = console.get("/memory").text
    assert "30 days" in text
    assert "90 days" not in text
