"""The pages of agents and skills over a real home: contract, versions, switch, examples, an input of one's own."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.testclient import TestClient

from soloist.app import App
from soloist.flows.publishing import Publishing
from tests.flows.test_publishing import TEXT, content

MONEY = {"text": "our budget is 3k"}


@pytest.fixture
def pages(app: App, real_console: TestClient) -> TestClient:
    asyncio.run(Publishing(app.desk).at_start())
    return real_console


def publish(app: App, version: str, text: str = TEXT) -> None:
    asyncio.run(Publishing(app.desk).publish(content(version, text=text), who="operator", why="a try"))


def test_every_agent_is_listed_with_its_switch(pages: TestClient):
    page = pages.get("/agents").text
    assert "/agents/intake" in page
    assert "/agents/supervisor" in page
    assert "Pause<span" in page


def test_one_agent_shows_its_contract_and_version(pages: TestClient):
    page = pages.get("/agents/intake").text
    for words in ("mail.send", "1 proposal a run", "in use", "came with this installation"):
        assert words in page
    assert pages.get("/agents/intak").status_code == 404
    assert "did you mean &#39;intake&#39;" in pages.get("/agents/intak").text


def test_the_switch_pauses_and_lets_work(pages: TestClient, app: App):
    assert pages.post("/agents/intake/state", data={"state": "paused", "why": "holidays"}).status_code == 303
    assert "holidays" in pages.get("/agents").text
    assert app.desk.runtime.roster.states["intake"] == ("paused", "holidays")
    pages.post("/agents/intake/state", data={"state": "active"})
    assert app.desk.runtime.roster.states["intake"][0] == "active"
    assert pages.post("/agents/intake/state", data={"state": "asleep"}).status_code == 409


def test_versions_are_used_pinned_compared_and_gone_back_to(pages: TestClient, app: App):
    publish(app, "1")
    publish(app, "2", TEXT + "Ask when two rooms are seen.\n")
    page = pages.get("/agents/sorter").text
    assert "Go back to version 1" in page
    compared = pages.get("/agents/sorter/compare?old=1&new=2").text
    assert "<ins>" in compared
    assert "Ask when two rooms" in compared
    pages.post("/agents/sorter/back")
    assert "Version 1 is pinned" in pages.get("/agents/sorter").text
    pages.post("/agents/sorter/use", data={"version": "1", "pin": "0"})
    assert "Pin it" in pages.get("/agents/sorter").text
    assert pages.post("/agents/sorter/use", data={"version": "7"}).status_code == 404
    assert pages.get("/agents/sorter/compare?old=1&new=7").status_code == 404


def test_every_skill_says_what_it_does_without_a_model(pages: TestClient, app: App):
    page = pages.get("/skills").text
    assert "/skills/money" in page
    assert "Reads sums of money" in page
    assert all(f"/skills/{name}" in page for name in app.registry.skills)


def test_the_examples_of_a_skill_are_run_by_a_button(pages: TestClient):
    assert "not run here yet" in pages.get("/skills").text
    page = pages.post("/skills/money/test").text
    assert "holds" in page
    assert "does not hold" not in page
    assert "15 hold" in page or " hold</span>" in page
    assert " hold" in pages.get("/skills").text


def test_a_skill_is_tried_on_an_input_of_ones_own(pages: TestClient):
    page = pages.post("/skills/money/try", data={"input": json.dumps(MONEY)}).text
    assert "300000" in page
    for wrong, said in (("{", "no JSON"), ("[]", "a JSON object"), ('{"txt": 1}', "Field required")):
        answer = pages.post("/skills/money/try", data={"input": wrong})
        assert answer.status_code == 422
        assert said in answer.text


def test_a_skill_that_takes_bytes_is_tried_with_a_file(pages: TestClient):
    mail = b"From: a@x.example\nSubject: Website\n\nHello"
    page = pages.post("/skills/read_mail/try", data={"input": "{}"}, files={"file": ("a.eml", mail)}).text
    assert "&#34;subject&#34;: &#34;Website&#34;" in page or "Website" in page.partition("Answer")[2]


def test_what_could_not_be_loaded_is_told(pages: TestClient, app: App):
    app.registry.troubles.append("painter: the skill paint has no examples")
    assert "the skill paint has no examples" in pages.get("/skills").text
