"""The page of working sessions and of what led where, over a real App."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from soloist.engine.store import outcomes, sessions

HERE = "/memory/work"


@pytest.fixture
def console(real_console: TestClient) -> TestClient:
    return real_console


def begun(app: Any, console: TestClient, title: str = "Spring <b>offers</b>") -> dict[str, Any]:
    given = {"title": title, "objectives": "Three offers out\n\n  One a week ", "expectations": ""}
    assert console.post(HERE, data=given).status_code == 303
    (row,) = app.store.read_now(lambda conn: sessions.listed(conn, "open"))
    return dict(row)


def test_an_empty_page_says_what_will_appear(console):
    text = console.get(HERE).text
    for said in ("None is open.", "Nothing was proposed yet.", "None yet.", "No run has used memory yet."):
        assert said in text


def test_a_session_is_begun_with_its_lines_and_escaped(app, console):
    row = begun(app, console)
    assert row["objectives"] == ["Three offers out", "One a week"]
    text = console.get(HERE).text
    assert "Spring &lt;b&gt;offers" in text
    assert "Objective: One a week" in text


def test_it_is_carried_over_and_closed(app, console):
    first = begun(app, console)
    assert console.post(f"{HERE}/{first['id']}/carried").status_code == 303
    (row,) = app.store.read_now(lambda conn: sessions.listed(conn, "open"))
    console.post(f"{HERE}/{row['id']}/closed")
    text = console.get(HERE).text
    assert "carried over</span>" in text
    assert "closed</span>" in text
    assert console.post(f"{HERE}/{row['id']}/closed").status_code == 409


def test_a_session_ends_in_one_of_two_ways(app, console):
    row = begun(app, console)
    assert console.post(f"{HERE}/{row['id']}/deleted").status_code == 404
    assert app.store.read_now(lambda conn: sessions.get(conn, row["id"]))["state"] == "open"


def test_a_record_that_is_not_there_is_said_above_the_form(console):
    answer = console.post(HERE, data={"title": "Keep me", "scope": "nobody"})
    assert answer.status_code == 422
    assert "There is no record nobody." in answer.text
    assert "Keep me" in answer.text


def test_what_is_missing_is_said_and_what_was_typed_stays(console):
    answer = console.post(HERE, data={"title": "", "objectives": "Keep me"})
    assert answer.status_code == 422
    assert "title: what this session is about" in answer.text
    assert "Keep me" in answer.text


def test_a_result_is_shown_with_what_it_is_of(app, console):
    given = {"object": "p1", "kind": "reply", "metric": "answered", "value": "2.0", "unit": "hours"}
    app.store.write_now(lambda tx: outcomes.note(tx, given, actor="soloist"))
    text = console.get(HERE).text
    assert "Answered: 2.0 hours" in text
    assert "/why/p1" in text
