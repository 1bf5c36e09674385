"""Corrections, wordings and trials over the API."""

from __future__ import annotations

from typing import Any

from tests.web.test_replaying_pages import corrected


async def test_lists_are_empty_and_wrong_trials_are_named(http: Any) -> None:
    for path in ("/corrections", "/corrections/figures", "/wordings", "/replays"):
        assert (await http.get(path)).json() == {"items": [], "next": None}, path
    wrong = await http.post("/replays", json={"kind": "weather"})
    assert wrong.status_code == 422 and "kind" in wrong.text
    assert (await http.post("/replays", json={"kind": "skill", "name": "none"})).status_code == 404
    assert (await http.delete("/corrections/none")).status_code == 404
    assert (await http.get("/replays/none/rows")).status_code == 404


async def test_a_wording_is_offered_used_and_ended(http: Any, app: Any) -> None:
    for n in range(3):
        corrected(app, n)
    assert [row["far"] for row in (await http.get("/corrections")).json()["items"]] == [4.0, 4.0, 4.0]
    (offer,) = (await http.get("/wordings")).json()["items"]
    assert (offer["state"], offer["new"], offer["cases"]) == ("offered", "Warm regards", 3)
    given = {name: offer[name] for name in ("skill", "language", "old", "new")}
    ident = (await http.post("/wordings", json=given)).json()["id"]
    (row,) = (await http.get("/wordings")).json()["items"]
    assert (row["id"], row["state"]) == (ident, "in_use")
    assert (await http.delete(f"/wordings/{ident}")).status_code == 204
    assert (await http.delete(f"/wordings/{ident}")).status_code == 409


async def test_one_run_is_replayed(http: Any, app: Any) -> None:
    corrected(app, 1)
    begun = await http.post("/replays", json={"kind": "run", "name": "intake:1"})
    assert begun.status_code == 202 and begun.json()["state"] == "done"
    rows = (await http.get(f"/replays/{begun.json()['id']}/rows")).json()["items"]
    assert [row["object"] for row in rows] == ["run:intake:1"]
    assert (await http.get("/replays")).json()["items"][0]["id"] == begun.json()["id"]
    assert (await http.delete(f"/replays/{begun.json()['id']}")).status_code == 409
