"""The commands of memory on a real home, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app as commands
from soloist.engine.store import memories, records
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import facts


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with Ada, a fact and two items."""
    root = tmp_path_factory.mktemp("home") / "h"
    app = App(root)

    def fill(tx: Any) -> None:
        ada = records.create(tx, "person", "Ada Okafor", {}, why="test")
        records.create(tx, "person", "Adam Other", {}, why="test")
        facts.state(tx, NewFact(ada, "preference", "calls before noon", quote="in the morning", actor="ada"))
        items = [NewMemory("The glaze is cobalt.", record=ada), NewMemory("The kiln is broken.", scope="kiln")]
        memories.add(tx, items, actor="operator")

    app.store.write_now(fill)
    app.close()
    return root


@pytest.fixture
def run(home):
    def ran(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(commands, ["memory", *words, "--home", str(home)])
        assert done.exit_code == code, done.output
        return done.output

    return ran


def test_a_question_is_asked_and_asked_again(run):
    text = run("search", "which glaze")
    assert "The glaze is cobalt." in text
    ident = text.rsplit(" ", 1)[1].strip()
    assert "Identical: the same" in run("replay", ident)
    answer = json.loads(run("search", "kiln", "--scope", "kiln", "--k", "1", "--json"))
    assert [item["text"] for item in answer["items"]] == ["The kiln is broken."]


def test_somebody_is_named_by_name_or_id(run):
    text = run("about", "ada okafor")
    assert "Preference: calls before noon  (not confirmed)" in text
    assert "The glaze is cobalt." in text
    found = json.loads(run("about", "Ada", "--json"))
    assert found["title"] == "Ada Okafor"
    assert json.loads(run("about", found["record"], "--json"))["record"] == found["record"]
    assert "cobalt" in run("search", "glaze", "--about", "Ada Okafor")


def test_what_cannot_be_is_said_and_ends_with_one(run):
    assert "nothing is remembered about anybody called 'Zoe'" in run("about", "Zoe", code=1)
    assert "There is no memory none." in run("show", "none", code=1)
    assert "There is no retrieval" in run("replay", "none", code=1)
    assert "no letter and no digit" in run("search", "...", code=1)
    assert "as_of" in run("search", "x", "--as-of", "yesterday", code=1)
    assert "tier" in run("search", "x", "--tier", "none", code=1)


def test_tiers_items_and_the_watermark(run):
    assert "kept 90 days" in run("tiers")
    ident = json.loads(run("search", "glaze", "--json"))["items"][0]["id"]
    assert "The glaze is cobalt." in run("show", ident)
    assert "words only" in run("watermark")
    assert set(json.loads(run("watermark", "--json"))) >= {"behind", "model", "left"}
