"""Models and money over the API: caps listed, set, extended, taken out by whoever may."""

from __future__ import annotations

from typing import Any


async def test_caps_are_listed_with_what_is_used(http: Any) -> None:
    found = (await http.get("/budgets")).json()["items"]
    assert [row["key"] for row in found] == ["run.total.money", "house.day.money", "house.month.money"]
    assert found[1] | {"said": ""} == found[1] | {"used": 0, "most": 2_000_000, "currency": "EUR", "said": ""}
    assert (await http.get("/budgets/house.day.money")).json()["title"] == "2.00 EUR for a day for the whole house"
    assert (await http.get("/budgets/house.week.money")).status_code == 404


async def test_the_month_has_a_forecast(http: Any) -> None:
    month = (await http.get("/budgets/month")).json()
    assert (month["month"], month["forecast"], month["currency"]) == (0, 0, "EUR")


async def test_only_an_admin_widens_what_may_be_spent(http: Any, clients: Any) -> None:
    assert (await http.post("/budgets", json={"most": "9 EUR"})).status_code == 403
    assert (await http.post("/budgets/house.day.money/extensions", json={})).status_code == 403
    owner = clients("read,approve,admin", "owner")
    made = await owner.post("/budgets", json={"most": "9 EUR", "agent": "writer", "span": "day"})
    assert (made.status_code, made.json()["key"], made.json()["most"]) == (201, "agent.day.money.writer", 9_000_000)
    wider = await owner.post("/budgets/agent.day.money.writer/extensions", json={"percent": 50})
    assert (wider.json()["most"], wider.json()["extra"]) == (13_500_000, 4_500_000)
    assert (await owner.delete("/budgets/agent.day.money.writer")).status_code == 204
    assert (await owner.delete("/budgets/agent.day.money.writer")).status_code == 404


async def test_what_a_cap_cannot_be_is_named(clients: Any) -> None:
    owner = clients("read,approve,admin", "owner")
    for body, field in (({"most": "many"}, "most"), ({"most": "1", "span": "week"}, "span")):
        answer = await owner.post("/budgets", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_without_models_the_list_is_empty(http: Any) -> None:
    assert (await http.get("/models")).json() == {"items": [], "next": None}


async def test_trials_of_models_are_listed_and_begun_by_an_admin(http: Any, clients: Any) -> None:
    assert (await http.get("/models/trials")).json() == {"items": [], "next": None}
    assert (await http.post("/models/small/trials", json={})).status_code == 403
    owner = clients("read,approve,admin", "owner")
    assert (await owner.post("/models/small/trials", json={})).status_code == 404
    assert (await owner.post("/models/small/trials", json={"cases": 0})).json()["field"] == "cases"
