"""Giving an agent work by the pages: the form, a fault above what was typed, the estimate, and what came of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import records
from soloist.flows.giving import item_of


def test_the_form_shows_its_fields_and_the_work_before(console: Any) -> None:
    page = console.get("/agents/planner/work")
    assert page.status_code == 200
    assert "Minutes, notes or a transcript" in page.text
    assert "waits for you" in page.text


def test_what_does_not_fit_is_said_above_what_was_typed(console: Any, fake: Any) -> None:
    given = {"in.subject": "Logo"}
    page = console.post("/agents/planner/work", data=given)
    assert page.status_code == 422
    assert "input.text: it is needed." in page.text and 'value="Logo"' in page.text
    assert fake.handing.asked == []


def test_work_is_begun_for_the_morning_and_read_afterwards(console: Any, fake: Any) -> None:
    given = {"in.text": "Decision: blue.", "lane": "morning"}
    done = console.post("/agents/planner/work", data=given)
    assert (done.status_code, done.headers["location"]) == (303, "/agents/planner/work/w1")
    assert [(one.agent, one.lane) for one in fake.handing.asked] == [("planner", "morning")]
    assert "the blue logo. (line 1)" in console.get("/agents/planner/work/w1").text


def test_people_are_named_and_never_by_an_id(real_console: TestClient, app: App) -> None:
    def enter(tx: Any) -> list[str]:
        told = (("Ada Okafor", "ada@okafor-ceramics.example"), ("Ada Lind", "ada@lind.example"), ("Jonas Brandt", ""))
        return [
            records.create(tx, "person", name, {"name": name, "emails": [mail] if mail else []}, why="t", actor="test")
            for name, mail in told
        ]

    ada, lind, jonas = app.store.write_now(enter)
    form = real_console.get("/agents/planner/work").text
    assert "Person or company it was with" in form and '<option value="Jonas Brandt">' in form
    page = real_console.post("/agents/enrichment/work", data={"in.records": "Ada\nJonas Brandt"})
    assert page.status_code == 422 and "More than one fits" in page.text
    assert f'value="{lind}"> Ada Lind (person, ada@lind.example)' in page.text
    assert f'value="{jonas}" checked>' in page.text and f'value="{ada}">' in page.text
    assert "no person that" in real_console.post("/agents/enrichment/work", data={"in.records": "Zoe"}).text
    done = real_console.post("/agents/enrichment/work", data={"pick.records": [ada, jonas]})
    assert done.status_code == 303, done.text
    run = unquote(done.headers["location"].rpartition("/")[2])
    assert app.store.read_now(lambda conn: item_of(conn, run)).input == {"records": [ada, jonas]}
    asked = {"in.question": "What does she want?", "in.about": "ada@okafor-ceramics.example"}
    run = unquote(real_console.post("/agents/researcher/work", data=asked).headers["location"].rpartition("/")[2])
    assert app.store.read_now(lambda conn: item_of(conn, run)).input["about"] == ada
