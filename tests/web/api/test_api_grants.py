"""Grants over the API: given with an end, listed, taken back; money only with more than a token for approvals."""

from datetime import UTC, datetime, timedelta
from typing import Any

SOON = (datetime.now(UTC) + timedelta(days=30)).isoformat()
GIVEN = {
    "title": "Notes may go",
    "connector": "shop",
    "operation": "notify",
    "gates": ["client contact"],
    "until": SOON,
}


async def test_a_grant_is_given_listed_and_taken_back(http: Any) -> None:
    made = await http.post("/grants", json=GIVEN)
    assert (made.status_code, made.json()["state"], made.json()["used_today"]) == (201, "live", 0)
    listed = (await http.get("/grants", params={"state": "live"})).json()["items"]
    assert [row["id"] for row in listed] == [made.json()["id"]]
    ended = await http.delete(f"/grants/{made.json()['id']}")
    assert (ended.status_code, ended.json()["state"]) == (200, "revoked")
    assert (await http.delete(f"/grants/{made.json()['id']}")).status_code == 409


async def test_money_needs_more_than_a_token_for_approvals(http: Any, clients: Any) -> None:
    money = {**GIVEN, "operation": "create_charge", "gates": ["money"], "limit_minor": 5000, "currency": "EUR"}
    refused = await http.post("/grants", json=money)
    assert (refused.status_code, refused.json()["field"]) == (403, "gates")
    assert (await clients("read,approve,admin", "owner").post("/grants", json=money)).status_code == 201


async def test_what_a_grant_cannot_be_is_named(http: Any) -> None:
    for change, field in (
        ({"gates": ["fire"]}, "gates"),
        ({"until": "never"}, "until"),
        ({"when": "proposal.x"}, "when"),
    ):
        answer = await http.post("/grants", json={**GIVEN, **change})
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert (await http.get("/grants")).json()["items"] == []


async def test_policies_name_their_version(http: Any) -> None:
    (rule,) = (await http.get("/policies")).json()["items"]
    assert (rule["name"], len(rule["version"])) == ("reminders may go out alone", 12)
