"""The commands against the loss of a machine, one after the other, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from soloist.cli.main import app


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home, its sheet and one backup."""
    folder = tmp_path_factory.mktemp("place")
    made = run("init", "--home", folder / "home", "--business", "Studio Linde", "--sheet", folder / "sheet.html")
    assert made.exit_code == 0, made.output
    assert "Recovery sheet" in made.output
    assert run("backup", "--home", folder / "home", "--to", folder / "to").exit_code == 0
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_drill_restores_all_of_it(place: Path) -> None:
    done = run("backup", "--home", place / "home", "--verify", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["drill"]["ok"], told["drill"]["faults"]) == (0, True, [])


def test_a_restored_home_is_in_safe_mode_until_it_is_left(place: Path) -> None:
    (path,) = (place / "to").glob("*.backup")
    done = run("restore", path, "--home", place / "new", "--sheet", place / "sheet.html")
    assert done.exit_code == 0, done.output
    assert "safe mode" in done.stdout
    assert "in safe mode: nothing leaves" in run("safe-mode", "--home", place / "new").stdout
    assert "safe mode" in run("stop", "--release", "--home", place / "new").stdout
    assert "Safe mode is over" in run("safe-mode", "--leave", "--home", place / "new").stdout
    assert run("verify", "--home", place / "new").exit_code == 0


def test_a_slip_on_the_sheet_is_told_with_its_line_and_nothing_is_made(place: Path) -> None:
    (path,) = (place / "to").glob("*.backup")
    text = (place / "sheet.html").read_text()
    at = text.index("<td>") + 5
    (place / "slip.html").write_text(text[:at] + ("0" if text[at] != "0" else "2") + text[at + 1 :])
    done = run("restore", path, "--home", place / "never", "--sheet", place / "slip.html")
    assert (done.exit_code, "(M1)" in done.output, (place / "never").exists()) == (1, True, False)


def test_the_sheet_never_lies_in_the_home_and_never_overwrites(place: Path) -> None:
    inside = run("recovery-sheet", "--home", place / "home", "--to", place / "home" / "sheet.html")
    again = run("recovery-sheet", "--home", place / "home", "--to", place / "sheet.html")
    assert (inside.exit_code, again.exit_code) == (1, 1)
    assert not (place / "home/sheet.html").exists()


def test_a_full_folder_is_left_alone(place: Path) -> None:
    (path,) = (place / "to").glob("*.backup")
    done = run("restore", path, "--home", place / "home", "--sheet", place / "sheet.html")
    assert (done.exit_code, "is not empty" in done.output) == (1, True)


def test_a_stop_that_cannot_reach_the_database_still_stops(tmp_path: Path) -> None:
    (tmp_path / "soloist.toml").touch()
    (tmp_path / "soloist.db").write_bytes(b"no database at all" * 100)
    done = run("stop", "--home", tmp_path)
    assert (done.exit_code, "stops everything all the same" in done.output) == (1, True)
    assert (tmp_path / "STOP").exists()
