"""Agents and skills over the API: versions are published and used by name; refusals name the field."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.flows.publishing import Publishing
from tests.flows.test_publishing import TEXT, content


@pytest.fixture
async def ready(app: Any, http: Any) -> Any:
    await Publishing(app.desk).at_start()
    return http


async def test_agents_are_listed_and_read(ready: Any):
    rows = {row["name"]: row for row in (await ready.get("/agents")).json()["items"]}
    assert (rows["intake"]["state"], rows["intake"]["edit_share"]) == ("active", None)
    one = (await ready.get("/agents/intake")).json()
    assert one["contract"]["limits"]["proposals_per_run"] == 1
    assert [v["version"] for v in one["versions"] if v["here"]] == [one["version"]]
    assert (await ready.get("/agents/nobody")).status_code == 404


async def test_a_version_is_published_used_and_gone_back_to(ready: Any):
    first = await ready.post("/agents/sorter/versions", json={**content("1"), "why": "a try"})
    assert (first.status_code, first.json()["version"]) == (201, "1")
    again = await ready.post("/agents/sorter/versions", json=content("1", text=TEXT * 2))
    assert again.status_code == 409
    await ready.post("/agents/sorter/versions", json={**content("2"), "use": False})
    assert (await ready.post("/agents/sorter/back")).status_code == 409
    used = (await ready.post("/agents/sorter/use", json={"version": "2", "pin": True})).json()
    assert (used["version"], used["before"], used["pinned"]) == ("2", "1", True)
    changed = (await ready.get("/agents/sorter/compare?old=1&new=2")).json()["items"]
    assert [change["part"] for change in changed] == ["toml"]
    assert (await ready.post("/agents/sorter/back")).json()["version"] == "1"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (content("1", skill="knd"), "did you mean 'kind'"),
        ({**content("1"), "toml": "name = "}, "no TOML"),
        ({**content("1"), "toml": content("1")["toml"].replace("sorter", "painter")}, "a version of 'sorter'"),
        ({**content("1"), "toml": content("1")["toml"].replace("timeout", "timout")}, "did you mean 'timeout'"),
        ({**content("1"), "instructions": ""}, "instructions.md is missing"),
        ({**content("1"), "examples": {"a": "= ="}}, "examples/a.toml is no TOML"),
    ],
)
async def test_a_wrong_version_is_refused_in_plain_words(ready: Any, given: dict[str, Any], said: str):
    answer = await ready.post("/agents/sorter/versions", json=given)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert (await ready.get("/agents/sorter")).status_code == 404


async def test_an_agent_is_paused_over_the_api(ready: Any):
    row = (await ready.post("/agents/intake/state", json={"state": "paused", "why": "holidays"})).json()
    assert (row["state"], row["state_why"]) == ("paused", "holidays")
    assert (await ready.post("/agents/intake/state", json={"state": "gone"})).status_code == 422


async def test_skills_are_listed_read_tested_and_tried(ready: Any):
    names = {row["name"] for row in (await ready.get("/skills")).json()["items"]}
    assert {"money", "contact"} <= names
    one = (await ready.get("/skills/money")).json()
    assert {"without", "small", "large"} == one["tiers"].keys()
    assert all(row["ok"] for row in (await ready.post("/skills/phones/test")).json()["items"])
    answer = (await ready.post("/skills/language/try", json={"input": {"text": "Wir brauchen eine Webseite."}})).json()
    assert answer["answer"]["language"] == "de"
    assert (await ready.post("/skills/language/try", json={"input": {"txt": 1}})).status_code == 422
    assert (await ready.post("/skills/read_mail/try", json={"base64": "%"})).status_code == 422
    assert (await ready.post("/skills/nothing/try", json={})).status_code == 404
