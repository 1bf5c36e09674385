"""``soloist agents`` and ``soloist skills`` on a real home: what they print, and what they refuse in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from soloist.app import App
from soloist.cli.main import app as command
from tests.flows.test_publishing import own


@pytest.fixture
def home(tmp_path: Path) -> Path:
    App(tmp_path).close()
    return tmp_path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_a_version_is_published_used_and_compared(home: Path, tmp_path_factory: pytest.TempPathFactory):
    draft = tmp_path_factory.mktemp("drafts")
    folder = own(draft)
    assert "sorter@1 is sound" in run("agents", "check", folder).output
    assert "Published: sorter@1, in use" in run("agents", "publish", folder, "--home", home, "--why", "a try").output
    own(draft, version="2", text="# Sorter\n\nSort every photo into the folder of its day, and leave the rest.\n")
    assert "sorter@2" in run("agents", "publish", folder, "--home", home).output
    compared = run("agents", "compare", "sorter", "1", "2", "--home", home).output
    assert "-Sort every photo into the folder of its room" in compared
    assert "In use: sorter@1, pinned" in run("agents", "back", "sorter", "--home", home).output
    shown = run("agents", "show", "sorter", "--home", home).output
    assert "version 1 in use" in shown
    assert "nothing outside" in shown


def test_a_wrong_folder_is_refused_with_what_would_be_right(home: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = own(tmp_path_factory.mktemp("drafts"), skill="knd")
    answer = run("agents", "publish", folder, "--home", home)
    assert answer.exit_code == 1
    assert "did you mean 'kind'" in answer.stderr
    assert "no such file" in run("agents", "check", home).stderr


def test_agents_are_listed_paused_and_resumed(home: Path):
    row = json.loads(run("agents", "list", "--home", home, "--json").output)
    assert {"intake", "supervisor"} <= {one["name"] for one in row["items"]}
    assert "intake is paused" in run("agents", "pause", "intake", "--home", home, "--why", "holidays").output
    assert "intake@2  paused" in run("agents", "list", "--home", home).output
    assert "intake works again" in run("agents", "resume", "intake", "--home", home).output
    assert "There is no version '9'" in run("agents", "use", "intake", "9", "--home", home).stderr


def test_a_skill_is_shown_tested_and_tried():
    assert "Without a model" in run("skills", "show", "money").output
    tested = run("skills", "test", "language", "--json")
    assert tested.exit_code == 0
    assert all(row["ok"] for row in json.loads(tested.output)["items"])
    tried = run("skills", "try", "language", "--input", '{"text": "Nous cherchons une graphiste."}')
    assert json.loads(tried.output)["language"] == "fr"
    assert "did you mean 'money'" in run("skills", "show", "monye").stderr
    assert run("skills", "try", "money", "--input", "{").exit_code == 2
