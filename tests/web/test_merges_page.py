"""Merges as a page and over the command line: side by side, merged, taken back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app as command
from soloist.engine.store import records
from soloist.stages.records import merging


@pytest.fixture
def pair(app: App) -> tuple[str, str]:
    """Two records of Ada, proposed as one."""

    def work(tx: Any) -> tuple[str, str]:
        bodies = [
            {"name": "Ada Okafor", "emails": [f"ada@{where}"], "phones": ["+4940123456"]}
            for where in ("a.example", "b.example")
        ]
        one, two = (records.create(tx, "person", body["name"], body, why="test") for body in bodies)
        merging.propose(tx, one, two, why="They wrote from an address that was not known.")
        return one, two

    return app.store.write_now(work)


def the_pair(app: App) -> dict[str, Any]:
    return app.store.read_now(lambda c: merging.merges.listed(c, "")[0])


def test_a_pair_stands_side_by_side_and_is_merged_and_taken_back(
    app: App, real_console: Any, pair: tuple[str, str]
) -> None:
    text = real_console.get("/records/merges").text
    assert "Ada Okafor" in text
    assert "all but certain" in text
    assert "ada@b.example" in text
    ident = the_pair(app)["id"]
    answer = real_console.post(f"/records/merges/{ident}", data={"option": "merge"})
    assert answer.headers["location"] == f"/records/merges?done=merged#p-{ident}"
    assert real_console.post(f"/records/merges/{ident}", data={"option": "unmerge"}).status_code == 303
    assert the_pair(app)["state"] == "unmerged"
    assert real_console.post(f"/records/merges/{ident}", data={"option": "unmerge"}).status_code == 409


def test_a_card_shows_what_agrees_and_what_differs(app: App, real_console: Any, pair: tuple[str, str]) -> None:
    app.store.write_now(merging.open_cards)
    text = real_console.get(f"/cards/{the_pair(app)['card']}").text
    assert "Side by side" in text
    assert "Phone (the same)" in text
    assert "Keep them apart" in text


def test_by_hand_a_record_cannot_be_merged_with_itself(real_console: Any, pair: tuple[str, str]) -> None:
    answer = real_console.post("/records/merges", data={"kept": pair[0], "other": f"/records/person/{pair[0]}"})
    assert answer.status_code == 422
    assert "itself" in answer.text


def test_the_command_line_lists_merges_and_takes_back(app: App, pair: tuple[str, str]) -> None:
    home = ["--home", str(app.home.root), "--json"]

    def said(*words: str) -> Any:
        done = CliRunner().invoke(command, ["merges", *words, *home])
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    made = said("merge", *pair, "--choose", "name=other")
    assert (made["state"], made["choices"]) == ("merged", {"name": "other"})
    assert said("unmerge", made["id"])["state"] == "unmerged"
    assert [one["id"] for one in said("list", "--state", "unmerged")] == [made["id"]]


def test_a_merged_record_leads_to_the_kept_one_and_is_undone_from_its_page_and_card(
    app: App, real_console: Any, pair: tuple[str, str]
) -> None:
    app.store.write_now(merging.open_cards)
    card = the_pair(app)["card"]
    app.store.write_now(lambda tx: merging.merge(tx, *pair, {}, who="operator"))
    gone = real_console.get(f"/records/person/{pair[1]}")
    assert gone.headers["location"] == f"/records/person/{pair[0]}?from={pair[1]}"
    assert "This was merged into" in real_console.get(f"/records/person/{pair[1]}?alone=1").text
    text = real_console.get(f"/records/person/{pair[0]}").text
    assert "ada@a.example, ada@b.example" in text
    assert real_console.post(f"/cards/{card}/undo").status_code == 303
    assert the_pair(app)["state"] == "unmerged"
