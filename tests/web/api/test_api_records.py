"""Records over the API: schemas at every write, versions to go back to, owners, drafts that keep a person's words."""

from __future__ import annotations

from typing import Any

import pytest

INVOICE = {"number": "R-2026-014", "amount": {"minor": 120000, "currency": "EUR"}, "due": "2026-12-01"}


async def made(http: Any, kind: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await http.post(f"/records/{kind}", json={"body": body, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].endswith(answer.json()["id"])
    return answer.json()


async def put(http: Any, row: dict[str, Any], body: dict[str, Any], **more: Any) -> Any:
    path, tag = f"/records/{row['kind']}/{row['id']}", {"If-Match": f'"{row["version"]}"'}
    return await http.put(path, json={"body": body, **more}, headers=tag)


async def test_kinds_say_what_their_records_hold(http: Any) -> None:
    items = {row["kind"]: row for row in (await http.get("/kinds")).json()["items"]}
    assert len(items) == 17
    amount = next(one for one in items["invoice"]["fields"] if one["name"] == "amount")
    assert (amount["type"], amount["required"], amount["mutability"]) == ("money", True, "audit")
    assert "remind" in items["invoice"]["affordances"]


async def test_a_record_is_made_read_and_listed(http: Any) -> None:
    ada = await made(http, "person", {"name": "Ada Okafor"})
    row = await made(http, "invoice", {**INVOICE, "client": ada["id"]}, state="sent")
    assert (row["title"], row["version"], row["owners"]["due"]) == ("R-2026-014", 1, "operator")
    listed = (await http.get("/records/invoice?q=2026-014&state=sent")).json()
    assert ([one["id"] for one in listed["items"]], listed["next"]) == ([row["id"]], None)
    assert (await http.get("/records/invoice?state=paid")).json()["items"] == []
    pointing = (await http.get(f"/records/person/{ada['id']}/relations")).json()["items"]
    assert [(one["id"], one["role"]) for one in pointing] == [(row["id"], "client")]


WRONG = [
    ("invoce", INVOICE, "kind", "There are: appointment"),
    ("invoice", {**INVOICE, "amount": "1200 EUR"}, "amount", '"minor": 120000'),
    ("invoice", {**INVOICE, "due": "soon"}, "due", "a day like 2026-11-21"),
    ("invoice", {**INVOICE, "numbr": "1"}, "numbr", "Did you mean number?"),
    ("invoice", {**INVOICE, "client": "nobody"}, "client", "is not there"),
    ("invoice", {"number": "1"}, "amount", "every invoice needs it"),
]


@pytest.mark.parametrize(("kind", "body", "field", "said"), WRONG)
async def test_what_does_not_fit_is_named(http: Any, kind: str, body: Any, field: str, said: str) -> None:
    answer = await http.post(f"/records/{kind}", json={"body": body})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert said in answer.json()["detail"]
    assert (await http.get("/records/invoice")).json()["items"] == []


async def test_an_unknown_kind_is_not_there(http: Any) -> None:
    answer = await http.get("/records/invoce")
    assert (answer.status_code, answer.json()["field"]) == (404, "kind")


async def test_an_audited_field_changes_with_a_reason_only(http: Any) -> None:
    row, less = await made(http, "invoice", INVOICE), {**INVOICE, "amount": {"minor": 110000, "currency": "EUR"}}
    refused = await put(http, row, less)
    assert (refused.status_code, refused.json()["field"]) == (422, "amount")
    assert (await put(http, row, less, why="a discount")).json()["version"] == 2
    versions = (await http.get(f"/records/invoice/{row['id']}/versions")).json()["items"]
    assert [(one["version"], one["reason"]) for one in versions] == [(2, "a discount"), (1, "entered by hand")]


async def test_as_of_and_back_by_a_forward_version(http: Any) -> None:
    await made(http, "person", {"name": "Ada"})
    row = await made(http, "idea", {"name": "A newsletter"})
    seq = (await http.get("/events?limit=500")).json()["items"][-1]["seq"]
    await put(http, row, {"name": "A podcast"})
    path = f"/records/idea/{row['id']}"
    assert (await http.get(f"{path}?as_of={seq}")).json()["title"] == "A newsletter"
    assert [one["title"] for one in (await http.get(f"/records/idea?as_of={seq}")).json()["items"]] == ["A newsletter"]
    assert (await http.get(f"{path}?as_of=1")).status_code == 404
    assert (await http.get(f"{path}?as_of=yesterday")).status_code == 422
    stale = await http.post(f"{path}/versions", json={"from": 1}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["current"]["version"]) == (412, 2)
    back = await http.post(f"{path}/versions", json={"from": 1}, headers={"If-Match": '"2"'})
    assert (back.status_code, back.json()["version"], back.json()["title"]) == (201, 3, "A newsletter")
    assert (await http.post(f"{path}/versions", json={"from": 9}, headers={"If-Match": '"3"'})).status_code == 404


async def test_as_of_tells_nothing_that_came_later(http: Any) -> None:
    ada, twin = [await made(http, "person", {"name": name}) for name in ("Ada", "Ada O.")]
    bill = await made(http, "invoice", {**INVOICE, "client": ada["id"]})
    seq = (await http.get("/events?limit=500")).json()["items"][-1]["seq"]
    assert (await put(http, bill, bill["body"], state="sent", why="it left")).json()["state"] == "sent"
    pair = (await http.post("/merges", json={"kept": ada["id"], "other": twin["id"]})).json()
    (pointing,) = (await http.get(f"/records/person/{ada['id']}/relations?as_of={seq}")).json()["items"]
    assert (pointing["state"], pointing["version"], pointing["role"]) == ("", 1, "client")
    then = (await http.get(f"/records/person/{twin['id']}?as_of={seq}")).json()
    assert then["merged_into"] == ""
    listed = (await http.get(f"/records/person?as_of={seq}")).json()["items"]
    assert [one["merged_into"] for one in listed] == ["", ""]
    merged = (await http.get("/events?limit=500")).json()["items"][-1]["seq"]
    await http.delete(f"/merges/{pair['id']}")
    assert (await http.get(f"/records/person/{twin['id']}?as_of={merged}")).json()["merged_into"] == ada["id"]


async def test_versions_come_by_pages(http: Any) -> None:
    row = await made(http, "idea", {"name": "0"})
    for n in range(1, 5):
        row = (await put(http, row, {"name": str(n)})).json()
    path, seen, after = f"/records/idea/{row['id']}/versions", [], ""
    while after is not None:
        found = (await http.get(path, params={"limit": 2, "after": after})).json()
        seen, after = [*seen, [one["version"] for one in found["items"]]], found["next"]
    assert seen == [[5, 4], [3, 2], [1]]
    assert (await http.get(path, params={"after": "x"})).json()["field"] == "after"


async def test_what_comes_from_outside_leaves_what_the_operator_set(http: Any) -> None:
    row = await made(http, "person", {"name": "Ada Okafor"})
    answer = (await put(http, row, {"name": "A. Okafor", "role": "potter"}, by="outside")).json()
    assert (answer["body"], answer["owners"]["role"]) == ({"name": "Ada Okafor", "role": "potter"}, "outside")
    assert answer["kept"] == {"name": {"mine": "Ada Okafor", "offered": "A. Okafor", "owner": "operator"}}
    path, tag = f"/records/person/{row['id']}/owners/name", {"If-Match": '"2"'}
    freed = (await http.put(path, json={"by": "outside"}, headers=tag)).json()
    assert (await put(http, freed, {"name": "A. Okafor"}, by="outside")).json()["body"]["name"] == "A. Okafor"


async def test_a_draft_keeps_a_persons_words_when_it_is_generated_again(http: Any) -> None:
    first = "Dear Ada. The shop costs 4,000 EUR. We begin in March."
    row = await made(http, "draft", {"name": "Offer", "text": first, "base": first}, by="system")
    mine = first.replace("Dear", "Hello").replace("4,000", "4,500")
    row = (await put(http, row, {**row["body"], "text": mine})).json()
    new = first.replace("4,000", "3,900").replace("March", "April")
    again = (await put(http, row, {"text": new}, by="system", why="generated again")).json()
    assert again["body"]["text"] == "Hello Ada. The shop costs 4,500 EUR. We begin in April."
    assert [(one["yours"], one["new"]) for one in again["body"]["conflicts"]] == [
        ("The shop costs 4,500 EUR. ", "The shop costs 3,900 EUR. ")
    ]
    path, tag = f"/records/draft/{row['id']}/passages/0", {"If-Match": f'"{again["version"]}"'}
    settled = (await http.put(path, json={"pick": "new"}, headers=tag)).json()
    assert settled["body"]["text"] == "Hello Ada. The shop costs 3,900 EUR. We begin in April."
    assert settled["body"]["conflicts"] == []


async def test_reading_alone_may_not_write(clients: Any) -> None:
    http = clients("read")
    assert (await http.post("/records/idea", json={"body": {"name": "x"}})).status_code == 403


async def test_a_proposed_change_is_checked_against_the_schema(http: Any) -> None:
    row = await made(http, "person", {"name": "Ada"})
    body = {"connector": "records", "operation": "record.change", "reason": "she wrote", "source_ref": "1"}
    payload = {"record": row["id"], "version": 1, "fields": {"phones": "+49 40 1234567"}}
    answer = await http.post("/proposals", json={**body, "payload": payload})
    assert (answer.status_code, answer.json()["field"]) == (422, "payload.fields.phones")
    payload["fields"] = {"phones": ["+49 40 1234567"]}
    assert (await http.post("/proposals", json={**body, "payload": payload})).status_code == 202
