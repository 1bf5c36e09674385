"""Standing rules over the API: said, tried, released, changed, taken back; bad input is named."""

from typing import Any


async def say(http: Any, said: str) -> Any:
    return await http.post("/rules", json={"said": said})


async def test_a_rule_is_said_released_changed_and_taken_back(http: Any) -> None:
    made = await say(http, "Sign as 'Mara'")
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/rules/1")
    assert made.json()["state"] == "said"
    assert made.json()["tried"]["looked"] == 0
    assert (await http.put("/rules/1/release")).json()["state"] == "live"
    assert (await http.put("/rules/1/release")).status_code == 409
    changed = await http.put("/rules/1", json={"said": "Sign as 'M. Linde'"})
    assert [row["state"] for row in changed.json()["versions"]] == ["said", "live"]
    assert (await http.post("/rules/1/trials")).status_code == 200
    assert (await http.delete("/rules/1")).json()["state"] == "ended"
    assert (await http.delete("/rules/1")).status_code == 409
    assert [row["rule"] for row in (await http.get("/rules")).json()["items"]] == ["1"]


async def test_saying_it_again_answers_the_rule_and_counts(http: Any) -> None:
    await say(http, "Never write 'cheap'")
    await http.put("/rules/1/release")
    again = await say(http, 'Please never write "cheap"')
    assert (again.status_code, again.json()["repeats"]) == (200, 1)


async def test_bad_input_is_named(http: Any) -> None:
    nobody = await say(http, "Answer Zebulon in German")
    assert (nobody.status_code, nobody.json()["field"]) == (422, "said")
    assert "Zebulon" in nobody.json()["detail"]
    assert (await say(http, "")).status_code == 422
    assert (await http.get("/rules/99")).status_code == 404
    assert (await http.get("/rules")).json()["items"] == []
