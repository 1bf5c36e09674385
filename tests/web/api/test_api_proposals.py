"""Proposals, approvals, effects and their way back over the API, with a real provider on loopback."""

from typing import Any

CHARGE = {
    "connector": "shop",
    "operation": "create_charge",
    "payload": {"amount": 4900, "currency": "EUR", "to": "Ada Okafor"},
    "reason": "Invoice 7 is due",
    "source_ref": "invoice-7",
}
EVENT = {**CHARGE, "operation": "put_event", "payload": {"title": "Kick-off"}, "source_ref": "kick-off"}
EFFECT_FIELDS = {
    *("id", "proposal", "source_ref", "run", "connector", "operation", "class", "state", "attempts", "key"),
    *("provider_ref", "payload_hash"),
}


async def test_a_proposal_is_202_then_200_then_409(http: Any) -> None:
    first, again = await http.post("/proposals", json=CHARGE), await http.post("/proposals", json=CHARGE)
    other = await http.post("/proposals", json={**CHARGE, "payload": {"amount": 1}})
    assert [a.status_code for a in (first, again, other)] == [202, 200, 409]
    assert first.json() == again.json()
    assert other.json()["field"] == "source_ref"


async def test_the_same_reference_of_another_token_is_another_proposal(clients: Any) -> None:
    mine = await clients(name="mine").post("/proposals", json=CHARGE)
    theirs = await clients(name="theirs").post("/proposals", json=CHARGE)
    assert mine.json()["id"] != theirs.json()["id"]


async def test_a_waiting_proposal_shows_payload_verdict_and_card(http: Any) -> None:
    made = (await http.post("/proposals", json=CHARGE)).json()
    whole = (await http.get(f"/proposals/{made['id']}")).json()
    waiting = (await http.get("/proposals", params={"state": "waiting"})).json()
    cards = (await http.get("/cards", params={"state": "open"})).json()
    assert (whole["state"], whole["payload"], whole["hold_ms"]) == ("waiting", CHARGE["payload"], 0)
    assert whole["verdicts"][0]["answer"] == "ask"
    assert [row["id"] for row in waiting["items"]] == [made["id"]]
    assert cards["items"][0]["payload_hash"] == made["payload_hash"]


async def test_an_approved_charge_leaves_once_and_says_so(http: Any, running: Any, shop: Any, eventually: Any) -> None:
    made = (await http.post("/proposals", json=CHARGE)).json()
    said = {"decision": "approve", "payload_hash": made["payload_hash"], "edits": {"amount": 5000}}
    answer = (await http.post(f"/proposals/{made['id']}/approval", json=said)).json()
    assert (answer["state"], answer["payload_hash"] != made["payload_hash"]) == ("approved", True)
    done = await eventually("/effects", lambda page: [e["state"] for e in page["items"]] == ["succeeded"])
    effect = done["items"][0]
    assert set(effect) == EFFECT_FIELDS
    assert (effect["payload_hash"], effect["source_ref"], effect["attempts"]) == (
        answer["payload_hash"],
        "invoice-7",
        1,
    )
    assert [(call[2]["amount"], call[3]) for call in shop.seen] == [(5000, effect["key"])]
    whole = (await http.get(f"/effects/{effect['id']}")).json()
    assert ([a["outcome"] for a in whole["attempt_log"]], whole["provider_ref"]) == (["succeeded"], "ch_1")


async def test_a_stale_hash_is_409_and_nothing_is_approved(http: Any) -> None:
    made = (await http.post("/proposals", json=CHARGE)).json()
    answer = await http.post(
        f"/proposals/{made['id']}/approval", json={"decision": "approve", "payload_hash": "0" * 64}
    )
    assert (answer.status_code, answer.json()["current"]) == (409, made["payload_hash"])
    assert (await http.get(f"/proposals/{made['id']}")).json()["state"] == "waiting"


async def test_a_rejection_over_the_card_keeps_its_reason(http: Any, running: Any) -> None:
    made = (await http.post("/proposals", json=CHARGE)).json()
    card = (await http.get("/cards")).json()["items"][0]
    without = await http.post(f"/cards/{card['id']}/decision", json={"option": "reject"})
    said = {"option": "reject", "payload_hash": card["payload_hash"], "reason": "Paid already"}
    answer = await http.post(f"/cards/{card['id']}/decision", json=said)
    assert (without.status_code, without.json()["field"]) == (422, "payload_hash")
    assert (answer.status_code, answer.json()["state"]) == (200, "rejected")
    assert (await http.get(f"/proposals/{made['id']}")).json()["approvals"][0]["reason"] == "Paid already"


async def test_an_allowed_event_goes_alone_and_is_taken_back_exactly(
    http: Any, running: Any, shop: Any, eventually: Any
) -> None:
    made = (await http.post("/proposals", json=EVENT)).json()
    assert made["state"] == "approved"
    done = await eventually("/effects", lambda page: [e["state"] for e in page["items"]] == ["succeeded"])
    undone = await http.post(f"/effects/{done['items'][0]['id']}/undo")
    assert (undone.status_code, undone.json()["state"]) == (200, "compensating")
    await eventually(f"/effects/{done['items'][0]['id']}", lambda effect: effect["state"] == "compensated")
    assert [call[0] for call in shop.seen] == ["PUT", "DELETE"]


async def test_an_uncertain_outcome_waits_for_a_word(http: Any, running: Any, shop: Any, eventually: Any) -> None:
    shop.silent = True
    made = (await http.post("/proposals", json={**CHARGE, "operation": "notify"})).json()
    await http.post(
        f"/proposals/{made['id']}/approval", json={"decision": "approve", "payload_hash": made["payload_hash"]}
    )
    page = await eventually("/effects", lambda page: [e["state"] for e in page["items"]] == ["needs_human"])
    path = f"/effects/{page['items'][0]['id']}/resolution"
    stale = await http.post(path, json={"outcome": "happened", "payload_hash": "0" * 64})
    answer = await http.post(path, json={"outcome": "happened", "payload_hash": made["payload_hash"]})
    assert (stale.status_code, answer.json()["state"], len(shop.seen)) == (409, "resolved_done", 1)


async def test_while_stopped_nothing_leaves_until_it_is_released(
    http: Any, running: Any, shop: Any, eventually: Any
) -> None:
    assert (await http.put("/stop")).json()["stopped"]
    await http.post("/proposals", json=EVENT)
    await eventually("/effects", lambda page: [e["state"] for e in page["items"]] == ["intended"])
    assert shop.seen == []
    assert (await http.delete("/stop")).json() == {"stopped": False, "since": "", "by": []}
    await eventually("/effects", lambda page: [e["state"] for e in page["items"]] == ["succeeded"])


async def test_a_mail_proposed_over_the_api_is_not_held(http: Any) -> None:
    payload = {"to": ["ada@okafor-ceramics.example"], "subject": "Hello", "body": "Hello Ada."}
    mail = {**CHARGE, "connector": "mail", "operation": "mail.send", "payload": payload}
    made = (await http.post("/proposals", json=mail)).json()
    assert (await http.get(f"/proposals/{made['id']}")).json()["hold_ms"] == 0


async def test_what_does_not_exist_is_named_with_what_does(http: Any) -> None:
    answer = await http.post("/proposals", json={**CHARGE, "operation": "create_charg"})
    assert (answer.status_code, answer.json()["field"]) == (422, "operation")
    assert "create_charge" in answer.json()["detail"]


async def test_a_number_that_no_hash_can_hold_exactly_is_refused(http: Any) -> None:
    answer = await http.post("/proposals", json={**CHARGE, "payload": {"amount": 2**60}})
    assert (answer.status_code, answer.json()["field"]) == (422, "payload")
