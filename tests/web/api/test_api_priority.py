"""Near a service's limit what a person approved goes first; what a rule let go waits for the next window."""

from typing import Any

import pytest

from soloist.engine.rate import lines_of

EVENT = {"connector": "shop", "operation": "put_event", "payload": {"title": "Kick-off"}, "reason": "asked"}
CHARGE = {"connector": "shop", "operation": "create_charge", "payload": {"amount": 1}, "reason": "asked"}


@pytest.fixture
def near_the_limit(running: Any) -> None:
    said = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "15", "x-ratelimit-reset": "600"}
    pace = lines_of(running.home.root)
    pace.rates.heard(pace.shared["shop"], 200, said)


async def test_what_a_person_approved_goes_first(http: Any, near_the_limit: None, shop: Any, eventually: Any) -> None:
    alone = (await http.post("/proposals", json={**EVENT, "source_ref": "alone"})).json()
    assert alone["state"] == "approved"
    made = (await http.post("/proposals", json={**CHARGE, "source_ref": "asked"})).json()
    said = {"decision": "approve", "payload_hash": made["payload_hash"]}
    await http.post(f"/proposals/{made['id']}/approval", json=said)
    page = await eventually("/effects", lambda page: "succeeded" in {row["state"] for row in page["items"]})
    assert {row["operation"]: row["state"] for row in page["items"]}["create_charge"] == "succeeded"
    assert [method for method, *_ in shop.seen] == ["POST"]
