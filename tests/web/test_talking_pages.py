"""Giving work in plain words by the pages: said, asked back, confirmed with one tap."""

from typing import Any
from urllib.parse import unquote

from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import records, talks
from soloist.flows.giving import item_of


def test_the_box_takes_a_sentence_and_says_what_is_wrong_with_it(console: Any, fake: Any) -> None:
    assert "What is to be done?" in console.get("/give").text
    assert "said: one sentence" in console.post("/give", data={"said": "x"}).text
    done = console.post("/give", data={"said": "What does Ada owe us?"})
    assert (done.status_code, done.headers["location"]) == (303, "/give/t1#last")
    asked = console.get("/give/t1").text
    assert "It is not clear what is to be done." in asked and 'value="planner.plan"' in asked
    assert "40 letters of a text by others" in asked
    console.post("/give/t1/m2", data={"way": "planner.plan", "pick.client": "p1", "lane": "morning"})
    assert fake.talks.given == [
        ("m2", {"way": "planner.plan", "picked": {"client": ["p1"]}, "by_morning": True}),
    ]


def test_one_tap_begins_what_was_shown_and_several_people_are_asked_about(real_console: TestClient, app: App) -> None:
    def enter(tx: Any) -> list[str]:
        made = {"why": "test", "actor": "operator"}
        return [records.create(tx, "person", name, {"name": name}, **made) for name in ("Ada Okafor", "Ada Lind")]

    ada, lind = app.store.write_now(enter)
    there = real_console.post("/give", data={"said": "What does Ada owe us?"}).headers["location"].removesuffix("#last")
    page = real_console.get(there).text
    assert f'value="{ada}"' in page and f'value="{lind}"' in page and "billing: say what is still owed" in page
    message = app.store.read_now(lambda conn: talks.turns(conn, unquote(there.rpartition("/")[2]))[0]["id"])
    refused = real_console.post(f"{there}/{message}", data={"way": "billing.owed"})
    assert refused.status_code == 422 and "More than one may be meant" in refused.text
    done = real_console.post(f"{there}/{message}", data={"way": "billing.owed", "pick.client": lind})
    assert done.status_code == 303, done.text
    run = app.store.read_now(lambda conn: talks.message(conn, message)["understanding"]["given"]["run"])
    assert app.store.read_now(lambda conn: item_of(conn, run)).input == {"client": lind}
    assert "under way" in real_console.get(there).text
    assert "What does Ada owe us?" in real_console.get("/give").text
    assert real_console.get("/give/nothing").status_code == 404
