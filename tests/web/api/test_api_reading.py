"""What the API reads: runs, records with versions, explanations, the catalogue, cursors, scopes and refusals."""

import asyncio
from typing import Any

import pytest

from soloist.engine.store import records
from soloist.kernel.access import Session, secret_hash
from soloist.web.security import csrf_token

CHARGE = {
    "connector": "shop",
    "operation": "create_charge",
    "payload": {"amount": 4900, "currency": "EUR"},
    "reason": "Invoice 7 is due",
    "source_ref": "invoice-7",
}
MESSAGE = {
    "source": "form:contact",
    "external_id": "m-1",
    "kind": "form.submitted",
    "payload": {
        "from": "ada@okafor-ceramics.example",
        "name": "Ada Okafor",
        "text": "Hello Mara, we need a new website for our studio. Budget 6000 EUR. Could you make an offer?",
    },
}


@pytest.fixture
def person(app: Any) -> str:
    body = {"name": "Ada Okafor", "emails": ["ada@okafor-ceramics.example"]}
    return app.store.write_now(lambda tx: records.create(tx, "person", "Ada Okafor", body, why="test"))


async def test_a_record_is_written_over_the_version_that_was_read(http: Any, person: str) -> None:
    read = await http.get(f"/records/person/{person}")
    body = {**read.json()["body"], "phones": ["+49 40 1234567"]}
    path, tag = f"/records/person/{person}", {"If-Match": read.headers["etag"]}
    written = await http.put(path, json={"body": body}, headers=tag)
    stale = await http.put(path, json={"body": {"name": "A."}}, headers=tag)
    assert (written.status_code, written.json()["version"], written.headers["etag"]) == (200, 2, '"2"')
    assert (stale.status_code, stale.json()["current"]["version"], stale.json()["expected"]) == (412, 2, 1)
    assert (await http.get(path)).json()["body"] == body


@pytest.mark.parametrize(("headers", "status"), [({}, 428), ({"If-Match": "*"}, 422), ({"If-Match": 'W/"1"'}, 422)])
async def test_a_record_is_not_written_without_its_version(
    http: Any, person: str, headers: dict[str, str], status: int
) -> None:
    answer = await http.put(f"/records/person/{person}", json={"body": {}}, headers=headers)
    assert answer.status_code == status


async def test_a_record_of_another_kind_is_not_there(http: Any, person: str) -> None:
    assert (await http.get(f"/records/lead/{person}")).status_code == 404
    assert [row["id"] for row in (await http.get("/records/person")).json()["items"]] == [person]


async def test_a_message_can_be_followed_from_event_to_explanation(http: Any, running: Any, eventually: Any) -> None:
    event = (await http.post("/events", json=MESSAGE)).json()
    page = await eventually("/proposals?state=waiting", lambda page: page["items"])
    proposal = page["items"][0]
    run = (await http.get(f"/runs/{proposal['run']}")).json()
    assert {"receive", "propose"} <= {step["step"] for step in run["steps"]}
    for ident in (event["id"], proposal["id"], proposal["run"]):
        told = (await http.get(f"/explanations/{ident}")).json()
        assert (told["about"], told["proposal"]["id"]) == ("proposal", proposal["id"])
        assert told["trigger"]["event"]["id"] == event["id"]
        assert told["agent"]["name"].startswith("intake@")
        assert (told["verdicts"][0]["answer"], told["way_back"]["kind"]) == ("ask", "apology")
        assert told["context"]["hash"]


async def test_an_explanation_shows_edit_and_attempt(http: Any, running: Any, eventually: Any) -> None:
    made = (await http.post("/proposals", json=CHARGE)).json()
    said = {"decision": "approve", "payload_hash": made["payload_hash"], "edits": {"amount": 5000}}
    await http.post(f"/proposals/{made['id']}/approval", json=said)
    page = await eventually("/effects", lambda page: [e["state"] for e in page["items"]] == ["succeeded"])
    told = (await http.get(f"/explanations/{page['items'][0]['id']}")).json()
    assert told["approvals"][0]["changed"] == [{"field": "amount", "before": 4900, "after": 5000}]
    assert told["effects"][0]["attempt_log"][0]["outcome"] == "succeeded"
    assert told["trigger"] == {"kind": "api:test", "source_ref": "invoice-7"}
    assert "seal" not in told["approvals"][0]
    assert told["history"][0]["kind"] == "proposal.made"


async def test_an_event_that_led_to_nothing_is_explained_too(http: Any) -> None:
    event = {"source": "shop", "external_id": "1", "kind": "order.paid", "payload": {"total": 1}}
    made = (await http.post("/events", json=event)).json()
    told = (await http.get(f"/explanations/{made['id']}")).json()
    assert (told["about"], told["trigger"]["event"]["payload"]) == ("event", {"total": 1})
    assert (await http.get("/explanations/no-such-thing")).status_code == 404


async def test_the_catalogue_says_what_can_be_done(http: Any) -> None:
    operations = (await http.get("/operations")).json()["items"]
    assert ("shop", "create_charge", "A") in {(o["connector"], o["name"], o["class"]) for o in operations}
    charge = (await http.get("/operations?q=shop financial")).json()["items"]
    assert [(o["name"], o["decides"], o["uses"]) for o in charge] == [
        ("create_charge", "you, unless a grant of yours allows it (money)", 0)
    ]
    assert "shop" in {c["connector"] for c in (await http.get("/connectors")).json()["items"]}
    assert "intake" in {a["name"] for a in (await http.get("/agents")).json()["items"]}
    assert (await http.get("/policies")).json()["items"][0]["then"] == "allow"


async def test_a_list_is_paged_without_gap_or_repeat(http: Any) -> None:
    await asyncio.gather(*(http.post("/proposals", json={**CHARGE, "source_ref": f"r-{n}"}) for n in range(7)))
    seen, after = [], ""
    while after is not None:
        page = (await http.get("/proposals", params={"after": after, "limit": 3})).json()
        seen += [row["id"] for row in page["items"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/events?after=x", "after"),
        ("/events?after=99999999999999999999", "after"),
        ("/cards?after=WyJydW5zIiwiYSIsImIiXQ", "after"),
        ("/proposals?limit=0", "limit"),
        ("/proposals?limit=501", "limit"),
        ("/proposals?state=open", "state"),
        ("/cards?sort=title", "sort"),
    ],
)
async def test_a_wrong_parameter_is_named(http: Any, path: str, field: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        ("read", "POST", "/events", 403),
        ("propose", "GET", "/events", 403),
        ("read,propose", "PUT", "/stop", 403),
        ("read,propose", "POST", "/effects/x/undo", 403),
        ("read", "GET", "/proposals/x", 404),
        ("read", "GET", "/nothing", 404),
        ("read", "PATCH", "/stop", 405),
    ],
)
async def test_scopes_and_addresses(clients: Any, scopes: str, method: str, path: str, status: int) -> None:
    body = {"source": "a", "external_id": "b", "kind": "c", "payload": {}} if method == "POST" else None
    answer = await clients(scopes).request(method, path, json=body)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_without_a_token_nothing_is_answered(http: Any) -> None:
    answer = await http.get("/cards", headers={"Authorization": "Bearer solo_" + "x" * 43})
    assert (answer.status_code, answer.json()["title"]) == (401, "Unknown token")


async def test_a_fault_of_ours_is_said_without_its_trace(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soloist.web.api.lists.rows.run", lambda conn, ident: 1 / 0)
    answer = await http.get("/runs/x")
    assert (answer.status_code, answer.json()["status"]) == (500, 500)
    assert "division" not in answer.text


async def test_the_operators_session_may_write_with_its_form_token(app: Any, http: Any) -> None:
    now = app.store.clock().timestamp()
    await app.access.create_session(Session(secret_hash("s" * 43), now, now))
    cookie = {"Cookie": f"soloist={'s' * 43}"}
    del http.headers["authorization"]
    refused = await http.put("/stop", headers=cookie)
    done = await http.put("/stop", headers={**cookie, "X-CSRF": csrf_token("s" * 43)})
    assert (refused.status_code, done.status_code, done.json()["stopped"]) == (403, 200, True)
