"""What is kept, over the API: snapshots that prove themselves, collections tried first, erasures by a repeated word."""

from typing import Any


async def test_a_snapshot_is_made_and_verified(http: Any) -> None:
    made = await http.post("/snapshots", json={"label": "before the trip"})
    assert made.status_code == 201
    again = (await http.post(f"/snapshots/{made.json()['id']}/verifications")).json()
    assert (again["same"], again["root"]) == (True, made.json()["root"])
    listed = (await http.get("/snapshots")).json()
    assert [row["id"] for row in listed["items"]] == [made.json()["id"]]


async def test_an_instant_before_the_first_event_is_refused(http: Any) -> None:
    for asked in ("2001-01-01T00:00:00Z", "0", "soon"):
        answer = await http.post("/snapshots", json={"label": "x", "as_of": asked})
        assert (answer.status_code, answer.json()["field"]) == (422, "as_of")
    assert (await http.post("/snapshots/none/verifications")).status_code == 404


async def test_a_collection_is_tried_before_it_is_made(http: Any) -> None:
    tried = await http.post("/collections", json={"dry": True})
    assert (tried.status_code, tried.json()["dry"], tried.json()["event"]) == (201, True, "")
    with_days = await http.post("/collections", json={"dry": True, "rules": {"retrievals": 1}})
    assert with_days.json()["id"] == ""
    assert (await http.post("/collections", json={"dry": False, "rules": {"retrievals": 1}})).status_code == 422
    done = await http.post("/collections", json={"dry": False})
    assert done.json()["event"]
    assert len((await http.get("/collections")).json()["items"]) == 2


async def test_the_policy_is_read_and_changed(http: Any) -> None:
    before = (await http.get("/retention")).json()
    assert (before["version"], before["rules"]["memory.session"]) == (0, 90)
    after = await http.put("/retention", json={"rules": {"memory.session": 120}, "why": "longer projects"})
    assert (after.json()["version"], after.json()["rules"]["memory.session"]) == (1, 120)
    wrong = await http.put("/retention", json={"rules": {"records.invoice": 30}})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "rules.records.invoice")
    assert "ten years" in wrong.json()["detail"]


async def test_a_person_is_erased_by_a_repeated_word(http: Any) -> None:
    ada = {"name": "Ada Quartzmire", "emails": ["ada@quartzmire.example"]}
    made = await http.post("/records/person", json={"body": ada, "why": "a test"})
    assert made.status_code == 201, made.text
    seen = (await http.post("/erasures", json={"who": "ada@quartzmire.example", "dry": True})).json()
    assert seen["preview"]["word"] == "Ada Quartzmire"
    refused = await http.post("/erasures", json={"who": made.json()["id"]})
    assert (refused.status_code, refused.json()["field"]) == (422, "confirm")
    done = await http.post("/erasures", json={"who": made.json()["id"], "confirm": "Ada Quartzmire"})
    assert (done.json()["state"], done.json()["proof"]["hits"]) == ("done", 0)
    assert (await http.get(f"/records/person/{made.json()['id']}")).status_code == 404
    (listed,) = (await http.get("/erasures")).json()["items"]
    assert listed == (await http.get(f"/erasures/{done.json()['id']}")).json()
    assert "quartzmire" not in str(listed).lower()


async def test_readers_may_look_and_not_act(clients: Any) -> None:
    reader = clients("read", "reader")
    for path in ("/snapshots", "/collections", "/erasures"):
        assert (await reader.get(path)).status_code == 200
        assert (await reader.post(path, json={"label": "x", "who": "x"})).status_code in (403, 422)
    assert (await reader.put("/retention", json={"rules": {"retrievals": 1}})).status_code == 403
