"""Holds over the API: a run is paused, says so, and goes on."""

from typing import Any

CHARGE = {
    "connector": "shop",
    "operation": "create_charge",
    "payload": {"amount": 1200, "currency": "EUR"},
    "reason": "A test.",
    "source_ref": "hold-1",
}


async def test_a_run_is_paused_and_let_go_on(http: Any) -> None:
    made = (await http.post("/proposals", json=CHARGE)).json()
    run = f"/runs/proposal:{made['id']}/holds"
    held = await http.post(run, json={"why": "I call her first"})
    assert (held.status_code, held.json()["held"], held.json()["why"]) == (201, True, "I call her first")
    assert (await http.get(f"{run}/current")).json() == held.json()
    assert (await http.delete(f"{run}/current")).json()["held"] is False
    assert (await http.get(f"{run}/current")).json()["since"] == ""


async def test_what_cannot_be_paused_is_refused(http: Any, clients: Any) -> None:
    assert (await http.post("/runs/none/holds")).status_code == 404
    assert (await http.post("/runs/none/holds", json={"until": "x"})).status_code == 422
    assert (await clients("read", "reader").post("/runs/none/holds")).status_code == 403
