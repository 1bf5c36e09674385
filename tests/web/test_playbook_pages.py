"""Playbooks as pages: what is kept, what became of each version, beginning one, keeping a plan that went well."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

from soloist.insight.playbooks import Figures, changed


def test_the_list_shows_what_begins_each_and_plans_that_could_be_kept(console: Any, fake: Any) -> None:
    text = console.get("/playbooks").text
    assert "New client onboarding" in text and "a message whose intent leads here: join" in text
    assert "7 runs: 3 carried out straight, 2 with your help, 1 ended by you, 1 under way" in text
    assert "wrong.toml: version: is missing." in text and "Book the stand; Print cards" in text
    done = console.post("/playbooks/saved", data={"card": "l1", "name": "fair"})
    assert (done.status_code, done.headers["location"]) == (303, "/playbooks/fair")
    assert console.post("/playbooks/saved", data={"card": "l2", "name": "fair"}).status_code == 422
    assert fake.books.flow.done == [("save", "l1", "fair")]


def test_one_playbook_says_what_became_better_and_is_rolled_back(console: Any, fake: Any) -> None:
    text = console.get("/playbooks/new-client").text
    assert "better: carried out straight 100%, before 25%; better: proposals edited 0%, before 50%" in text
    assert "cheaper: 0.0010 a run, before 0.0020" in text
    console.post("/playbooks/new-client/use", data={"version": "1"})
    console.post("/playbooks/new-client/back")
    assert fake.books.flow.done == [("use", "new-client", "1", None), ("back", "new-client")]
    assert "version = " in console.get("/playbooks/new-client/compare?old=1&new=2").text
    assert console.get("/playbooks/nothing").status_code == 404


def test_one_is_begun_with_what_was_typed_and_read_as_it_stands(console: Any, fake: Any) -> None:
    wrong = console.post("/playbooks/new-client/runs", data={"in.message": ""})
    assert wrong.status_code == 422 and "message is missing" in wrong.text
    done = console.post("/playbooks/new-client/runs", data={"in.message": "m1"})
    assert done.status_code == 303
    text = console.get(done.headers["location"]).text
    assert "waits for you" in text and "Found 2 numbers." in text and "outside" in text
    assert fake.books.begun == [("new-client", {"message": "m1"})]


def test_shipped_playbooks_are_there_in_a_real_home(real_console: TestClient) -> None:
    text = real_console.get("/playbooks").text
    assert "New client onboarding" in text and "Monthly newsletter" in text and "not used yet" in text
    page = real_console.get("/playbooks/monthly-newsletter").text
    assert "Takes trigger.publication" in page and "Due 5d after the start." in page
    begun = real_console.post("/playbooks/monthly-newsletter/runs", data={"in.publication": "p1"})
    assert begun.status_code == 303, begun.text
    plan = real_console.get(begun.headers["location"]).text
    assert "not begun" in plan and "monthly-newsletter" in plan
    assert "1 run: 0 carried out straight, 1 under way" in real_console.get("/playbooks/monthly-newsletter").text


def test_a_version_without_a_run_is_not_called_better() -> None:
    assert "cannot be compared yet" in changed(Figures("1", runs=1, well=1), Figures("2"))
    same = changed(Figures("1", runs=2, well=1, ended=1), Figures("2", runs=4, well=2, ended=2))
    assert same == "Neither better nor worse (4 runs of 2, 2 of 1)."
    worse = changed(Figures("1", runs=1, well=1), Figures("2", runs=1, ended=1))
    assert worse.startswith("worse: carried out straight 0%, before 100%")
