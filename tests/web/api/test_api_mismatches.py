"""Differences over the API: listed with their options, decided, compared anew; wrong words are refused."""

from typing import Any

import pytest

from soloist.flows.reconciling import Reconciling
from tests.flows.shelf import Stock


@pytest.fixture
async def stock(app: Any) -> Stock:
    """A home with something missing outside and something changed there."""
    app.store.writer.send = lambda *_: None
    made = Stock(app)
    await made.effect()
    made.lay(await made.effect(), "put-2", amount=7)
    del made.shelf.things["put-1"]
    await Reconciling(made.desk).now("shelf")
    return made


async def found(http: Any, **params: str) -> dict[str, Any]:
    listed = (await http.get("/mismatches", params=params)).json()
    return {one["kind"]: one for one in listed["items"]}


async def test_open_ones_are_listed_with_both_sides_and_their_options(http: Any, stock: Stock) -> None:
    rows = await found(http)
    assert rows["differs"]["fields"] == [{"field": "amount", "inside": 102, "outside": 7}]
    names = [one["name"] for one in rows["missing_outside"]["options"]]
    assert names == ["send_again", "accept", "by_hand"]
    assert [one["hands"] for one in rows["missing_outside"]["options"]] == [False, False, True]
    assert (await http.get(f"/mismatches/{rows['differs']['id']}")).json() == rows["differs"]


async def test_a_page_ends_where_the_next_begins(http: Any, stock: Stock) -> None:
    first = (await http.get("/mismatches", params={"limit": 1})).json()
    rest = (await http.get("/mismatches", params={"limit": 1, "after": first["next"]})).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (1, 1, None)
    assert first["items"][0]["id"] != rest["items"][0]["id"]


async def test_a_winner_for_each_field_is_decided(http: Any, stock: Stock) -> None:
    row = (await found(http))["differs"]
    said = {"option": "choose", "fields": {"amount": "inside"}}
    answer = (await http.post(f"/mismatches/{row['id']}/decision", json=said)).json()
    assert (answer["state"], len(answer["proposals"])) == ("fixing", 1)
    assert (await found(http, state="fixing"))["differs"]["decision"]["proposal"] == answer["proposals"][0]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"option": "explode"}, 422, "option"),
        ({"option": "choose", "fields": {}}, 422, "fields"),
        ({"option": "choose", "fields": {"amount": "both"}}, 422, "fields.amount"),
        ({"option": "accept", "why": "x"}, 422, "why"),
    ],
)
async def test_wrong_words_are_refused_with_their_field(
    http: Any, stock: Stock, body: dict[str, Any], status: int, field: str
) -> None:
    row = (await found(http))["differs"]
    answer = await http.post(f"/mismatches/{row['id']}/decision", json=body)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert (await found(http))["differs"]["state"] == "open"


async def test_hands_are_marked(http: Any, stock: Stock) -> None:
    row = (await found(http))["missing_outside"]
    made = (await http.post(f"/mismatches/{row['id']}/decision", json={"option": "by_hand"})).json()
    assert (await http.get(f"/mismatches/{row['id']}")).json()["needs_hands"] is True
    assert (await http.get(f"/cards/{made['card']}")).json()["type"] == "manual"
    again = await http.post(f"/mismatches/{row['id']}/decision", json={"option": "accept"})
    assert again.status_code == 409


async def test_a_comparison_is_asked_for_by_who_may_approve(clients: Any, http: Any, stock: Stock) -> None:
    answer = await http.post("/comparisons", json={"connector": "shelf"})
    assert answer.status_code == 202
    assert answer.json()["run"].startswith("reconcile:shelf:")
    assert (await http.post("/comparisons", json={"connector": "nowhere"})).json()["field"] == "connector"
    assert (await clients("read", name="reader").post("/comparisons", json={"connector": "shelf"})).status_code == 403
    figures = (await http.get("/comparisons")).json()["items"]
    assert next(one for one in figures if one["operation"] == "put")["mismatches"] == 2
