"""Facts, results, working sessions and single items over the API: two clocks, trust, bad input named."""

import base64
import time
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import contexts, records
from soloist.flows.sessions import Sessions


@pytest.fixture
def ada(app: App) -> str:
    made = lambda tx: records.create(tx, "person", "Ada Okafor", {"name": "Ada Okafor"}, why="a test")  # noqa: E731
    return app.store.write_now(made)


async def say(http: Any, record: str, value: Any, **more: Any) -> dict[str, Any]:
    body = {"record": record, "attribute": "budget", "value": value, "valid_from": "2026-03-01", **more}
    answer = await http.post("/facts", json=body)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def held(http: Any, record: str, **asked: Any) -> list[Any]:
    answer = await http.get("/facts", params={"record": record, "state": "held", **asked})
    assert answer.status_code == 200, answer.text
    return [row["value"] for row in answer.json()["items"]]


async def test_a_fact_is_read_by_both_clocks(http: Any, app: App, ada: str) -> None:
    await say(http, ada, "3,000 EUR")
    before = (await http.get("/events", params={"limit": 500})).json()["items"][-1]["seq"]
    await say(http, ada, "5,000 EUR", valid_from="2026-03-10")
    assert await held(http, ada, true_at="2026-03-20") == ["5,000 EUR"]
    assert await held(http, ada, true_at="2026-03-05") == ["3,000 EUR"]
    assert await held(http, ada, true_at="2026-03-20", as_of=str(before)) == ["3,000 EUR"]
    (then,) = (await http.get("/facts", params={"record": ada, "as_of": str(before)})).json()["items"]
    assert (then["ended"], then["ended_why"], then["superseded_by"]) == ("", "", "")


async def test_a_confirmed_fact_is_not_overwritten_and_a_card_asks(http: Any, ada: str) -> None:
    first = await say(http, ada, "3,000 EUR")
    sure = (await http.put(f"/facts/{first['id']}/confirmation")).json()
    other = await say(http, ada, "9,000 EUR", valid_from="2026-04-01")
    assert (other["state"], other["against"]) == ("disputed", [sure["id"]])
    (card,) = (await http.get("/cards")).json()["items"]
    assert "3,000 EUR" in card["why"]
    done = await http.post(f"/cards/{card['id']}/decision", json={"option": "take"})
    assert done.status_code == 200, done.text
    assert await held(http, ada, true_at="2026-05-01") == ["9,000 EUR"]


async def test_the_question_about_a_fact_closes_when_the_fact_is_taken_back(http: Any, ada: str) -> None:
    first = await say(http, ada, "3,000 EUR")
    await http.put(f"/facts/{first['id']}/confirmation")
    other = await say(http, ada, "9,000 EUR", valid_from="2026-04-01")
    assert len((await http.get("/cards")).json()["items"]) == 1
    await http.delete(f"/facts/{other['id']}")
    assert (await http.get("/cards")).json()["items"] == []


async def test_a_fact_can_be_taken_back_and_read_as_it_was(http: Any, ada: str) -> None:
    made = await say(http, ada, "3,000 EUR")
    assert (await http.delete(f"/facts/{made['id']}")).status_code == 204
    assert await held(http, ada) == []
    assert (await http.get(f"/facts/{made['id']}")).json()["ended_why"] == "taken back"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("record", {"record": "nobody"}),
        ("valid_from", {"valid_from": "yesterday"}),
        ("valid_to", {"valid_to": "2026-02-01"}),
        ("confidence", {"confidence": "93 %"}),
        ("colour", {"colour": "red"}),
        ("value", {"value": None}),
        ("value", {"value": {"minor": "a lot", "currency": "EUR"}}),
        ("value", {"value": {"minor": 1.5, "currency": "EUR"}}),
        ("valid_from", {"valid_from": "0001-01-01T00:00:00+14:00"}),
    ],
)
async def test_a_bad_fact_is_named(http: Any, ada: str, field: str, wrong: dict[str, Any]) -> None:
    answer = await http.post("/facts", json={"record": ada, "attribute": "budget", "value": "x", **wrong})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert await held(http, ada) == []


async def test_an_instant_without_a_zone_is_utc_wherever_the_machine_is(http: Any, ada: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        made = await say(http, ada, "x", valid_from="2026-03-01T09:00:00")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (await http.get(f"/facts/{made['id']}")).json()["valid_from"] == "2026-03-01T09:00:00.000000Z"


@pytest.mark.parametrize("asked", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_an_instant_no_calendar_holds_is_refused(http: Any, asked: str) -> None:
    for path in ("/facts", "/records/person"):
        answer = await http.get(path, params={"as_of": asked})
        assert (answer.status_code, answer.json()["field"]) == (422, "as_of")


async def test_before_the_first_event_nothing_is_known(http: Any, ada: str) -> None:
    answer = await http.get("/facts", params={"record": ada, "as_of": "1999-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["field"]) == (422, "as_of")


async def test_only_an_approver_confirms(clients: Any, ada: str) -> None:
    script = clients("read,propose", "script")
    made = await say(script, ada, "3,000 EUR")
    assert (await script.put(f"/facts/{made['id']}/confirmation")).status_code == 403


async def test_a_result_is_attached_once_and_found(http: Any, ada: str) -> None:
    body = {"object": ada, "metric": "clicks", "value": 120, "ref": "week 12", "at": "2026-03-20"}
    first = await http.post("/outcomes", json=body)
    again = await http.post("/outcomes", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (await http.post("/outcomes", json={**body, "value": 7})).json()["field"] == "value"
    assert (await http.post("/outcomes", json={**body, "object": "nothing"})).json()["field"] == "object"
    rows = (await http.get("/outcomes", params={"object": ada})).json()["items"]
    assert [(row["metric"], row["value"]) for row in rows] == [("clicks", "120")]


async def test_a_working_session_is_carried_over_and_closed_with_a_summary(http: Any) -> None:
    given = {"title": "Prepare the spring offers", "objectives": ["Three offers out"], "expectations": ["One answer"]}
    first = (await http.post("/work-sessions", json=given)).json()
    path = f"/work-sessions/{first['id']}"
    carried = (await http.put(f"{path}/conclusion", json={"outcome": "carried"})).json()
    assert carried["objectives"] == ["Three offers out"]
    assert (await http.get(path)).json()["carried_to"] == carried["id"]
    assert (await http.put(f"{path}/conclusion", json={"outcome": "closed"})).status_code == 409
    done = (await http.put(f"/work-sessions/{carried['id']}/conclusion", json={"outcome": "closed"})).json()
    assert done["state"] == "closed"
    found = (await http.get("/memories/search", params={"q": "spring offers"})).json()["items"]
    assert {item["kind"] for item in found} == {"summary"}


async def test_what_a_program_says_in_a_session_stays_unverified_in_its_summary(clients: Any, app: App) -> None:
    http = clients("read,propose", name="helper")
    made = (await http.post("/work-sessions", json={"title": "Pay into the new account", "objectives": ["ask"]})).json()
    items = lambda: app.store.read_now(lambda conn: contexts.told_since(conn, "", ("session", "summary")))  # noqa: E731
    (working,) = items()
    assert (working["trust"], working["origin"]) == ("unverified", ["outside:token:helper"])
    await http.put(f"/work-sessions/{made['id']}/conclusion", json={"outcome": "closed"})
    (summary,) = items()
    assert (summary["trust"], summary["origin"]) == ("unverified", ["outside:token:helper"])


async def test_a_session_of_the_operator_that_a_program_changed_is_hers_no_more(clients: Any, app: App) -> None:
    given = {"title": "Offers", "scope": "", "objectives": [], "expectations": []}
    made = await Sessions(app.desk).begin(given, who="operator")
    path, said = f"/work-sessions/{made['id']}", {"objectives": ["Send it all"]}
    stranger, http = clients("read,propose", name="stranger"), clients("read,propose,approve", name="helper")
    assert (await stranger.put(path, json=said)).status_code == 403
    assert (await stranger.put(f"{path}/conclusion", json={"outcome": "closed"})).status_code == 403
    assert (await http.put(path, json=said)).status_code == 200
    await Sessions(app.desk).close(made["id"], who="operator")
    (summary,) = app.store.read_now(lambda conn: contexts.told_since(conn, "", ("summary",)))
    assert (summary["trust"], set(summary["origin"])) == ("unverified", {"operator", "outside:token:helper"})


async def test_an_item_is_promoted_corrected_and_says_what_can_be_done(http: Any) -> None:
    made = await http.post("/memories", json={"text": "Ada pays late", "source": "t", "scope": "s"})
    (ident,) = made.json()["ids"]
    assert "promote" in (await http.get(f"/memories/{ident}/affordances")).json()["can"]
    kept = (await http.put(f"/memories/{ident}/promotion")).json()
    assert (kept["tier"], kept["trust"]) == ("canonical", "confirmed")
    right = (await http.post(f"/memories/{kept['id']}/corrections", json={"text": "Ada pays on time"})).json()
    assert right["tier"] == "canonical"
    old = (await http.get(f"/memories/{ident}")).json()
    assert (old["ended_why"], old["superseded_by"]) == ("promoted", kept["id"])
    assert (await http.put(f"/memories/{ident}/promotion")).status_code == 409


async def test_a_document_of_ten_megabytes_is_a_pointer_of_less_than_four_kilobytes(http: Any, app: App) -> None:
    line = "The contract runs until March and costs 400 EUR. "
    data = (line * 40 + "x" * 1000) * (10_000_000 // (len(line) * 40 + 1000))
    body = {"name": "contract.txt", "content": base64.b64encode(data.encode()).decode(), "text": data[:200_000]}
    made = (await http.post("/documents", json=body)).json()
    assert len(made["ids"]) == 1
    item = (await http.get(f"/memories/{made['ids'][0]}")).json()
    assert len(str(item)) < 4096
    assert item["asset"] == made["asset"]
    span = item["detail"]["spans"][0]
    assert data[span["from"] : span["to"]] in item["text"]
    assert (await http.post("/documents", json=body)).json() == made


async def test_what_is_kept_where_and_about_whom(http: Any, ada: str) -> None:
    await say(http, ada, "3,000 EUR")
    seen = (await http.get("/remembered")).json()
    assert {line["tier"] for line in seen["tiers"]} == {"ephemeral", "working", "session", "canonical"}
    about = (await http.get(f"/remembered/{ada}")).json()
    assert about["current"][0]["value"] == "3,000 EUR"
    assert (await http.get("/practice")).json() == {"items": [], "next": None}
