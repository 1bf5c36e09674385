"""``soloist records`` on a real home: kinds, a new record, a change over the version read, history, going back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app as command

TOML = '[records.fields.person]\nshoe_size = { type = "number", label = "Shoe size" }\n'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("home") / "h"
    root.mkdir()
    (root / "soloist.toml").write_text(TOML, encoding="utf-8")
    App(root).close()
    return root


def run(home: Path, *words: str, ok: bool = True) -> str:
    done = CliRunner().invoke(command, ["records", *words, "--home", str(home)])
    assert (done.exit_code == 0) is ok, done.output
    return done.output


def made(home: Path, kind: str, *given: str, **more: str) -> str:
    words = [word for one in given for word in ("--set", one)]
    return json.loads(run(home, kind, "--new", *words, "--json"))["id"]


def test_the_kinds_there_are(home: Path) -> None:
    assert "What a client owes you" in run(home)
    assert len(json.loads(run(home, "--json"))) == 17


def test_a_record_of_ones_own_fields_is_made_and_shown(home: Path) -> None:
    ident = made(home, "person", "name=Ada Okafor", "emails=ada@okafor-ceramics.example", "shoe_size=38")
    said = run(home, "person", ident)
    assert "Ada Okafor  (person, version 1)" in said
    assert "shoe_size        38  [operator]" in said
    assert "Ada Okafor" in run(home, "person", "--filter", "okafor-ceramics")


def test_a_change_needs_the_version_and_can_be_taken_back(home: Path) -> None:
    ident = made(home, "invoice", "number=R-1", "amount=1.200,00 EUR")
    assert "--version" in run(home, "invoice", ident, "--set", "due=2026-12-01", ok=False)
    assert "changes only with a reason" in run(home, "invoice", ident, "--version", "1", "--set", "amount=9", ok=False)
    run(home, "invoice", ident, "--version", "1", "--set", "amount=900", "--why", "a discount", "--state", "sent")
    assert "is at version 2, not 1" in run(home, "invoice", ident, "--version", "1", "--set", "note=x", ok=False)
    assert "v2" in run(home, "invoice", ident, "--history")
    run(home, "invoice", ident, "--version", "2", "--restore", "1")
    row = json.loads(run(home, "invoice", ident, "--json"))
    assert (row["version"], row["body"]["amount"]["minor"], row["state"]) == (3, 120_000, "")


@pytest.mark.parametrize(
    "words", [("nothing",), ("invoice", "nobody"), ("idea", "--new"), ("idea", "--new", "--set", "x")]
)
def test_what_is_not_there_or_wrong_is_said(home: Path, words: tuple[str, ...]) -> None:
    assert "soloist: " in run(home, *words, ok=False)


def test_a_fault_in_soloist_toml_is_named_with_its_line(tmp_path: Path) -> None:
    App(tmp_path / "h").close()
    (tmp_path / "h" / "soloist.toml").write_text(TOML.replace("number", "nmber"), encoding="utf-8")
    assert "line 2: records.fields.person.shoe_size.type: 'nmber' is no type" in run(tmp_path / "h", ok=False)
