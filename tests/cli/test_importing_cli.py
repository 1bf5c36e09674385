"""``soloist import`` and ``export`` on the command line; what cannot be done is said and ends with its code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from soloist.app import App
from soloist.cli.main import app as command
from tests.plugins.skills.test_sheets import book

PEOPLE = "Name;Email;Farbe\nAda Okafor;ada@okafor-ceramics.example;rot\nJonas Brandt;jonas@brandt-physio.example;\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    App(tmp_path / "home").close()
    return tmp_path / "home"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_a_file_that_is_not_there_and_one_that_is_no_table(home: Path, tmp_path: Path):
    missing = run("import", tmp_path / "none.csv", "--home", home)
    assert (missing.exit_code, "cannot be read" in missing.output) == (2, True)
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04")
    sheet = run("import", tmp_path / "x.xlsx", "--home", home)
    assert (sheet.exit_code, "damaged" in sheet.output) == (1, True)


def test_a_column_that_is_not_there_is_named(home: Path, tmp_path: Path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    told = run("import", tmp_path / "people.csv", "--home", home, "--map", "Colour=tags")
    assert (told.exit_code, "there is no column 'Colour'" in told.output) == (2, True)


def test_a_dry_run_takes_nothing_and_yes_takes_it_and_undo_takes_it_back(home: Path, tmp_path: Path):
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    dry = run("import", file, "--home", home, "--dry-run")
    assert "2 new" in dry.output
    done = json.loads(run("import", file, "--home", home, "--map", "Farbe=tags", "--yes", "--json").output)
    assert (done["state"], done["counts"]) == ("done", {"made": 2})
    assert "2 made" in run("import", "--home", home).output
    back = run("import", "--home", home, "--undo", done["id"])
    assert "2 taken back" in back.output


def test_a_file_of_columns_and_a_sheet_and_what_was_chosen_is_remembered(home: Path, tmp_path: Path):
    file, columns = tmp_path / "kunden.xlsx", tmp_path / "columns.toml"
    file.write_bytes(book(Info=[["Stand"], ["2026"]], Kunden=[["Wer", "Hund"], ["Ada Okafor", "Bello"]]))
    columns.write_text('kind = "person"\n[columns]\nWer = "name"\nHund = "as_note"\n')
    wanted = ("import", file, "--home", home, "--sheet", "Kunden", "--map", columns)
    done = json.loads(run(*wanted, "--yes", "--json").output)
    assert (done["kind"], done["sheet"], done["counts"]) == ("person", "Kunden", {"made": 1})
    again = run("import", file, "--home", home, "--sheet", "Kunden", "--dry-run").output
    assert "as you chose them for kunden.xlsx" in again
    assert "Hund -> as_note" in again


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--sheet", "Nein"], 1, "There are: Kunden"),
        (["--map", "none.toml"], 2, "neither"),
        (["--map", "Wer=tail"], 1, "no field 'tail'"),
    ],
)
def test_a_sheet_a_file_and_a_field_that_are_not_there(
    home: Path, tmp_path: Path, words: list[str], code: int, said: str
):
    (tmp_path / "kunden.xlsx").write_bytes(book(Kunden=[["Wer", "Hund"], ["Ada Okafor", "Bello"]]))
    told = run("import", tmp_path / "kunden.xlsx", "--home", home, *words)
    assert (told.exit_code, said in told.output) == (code, True)


def test_old_mail_is_only_looked_at(home: Path, tmp_path: Path):
    head = "From ada Mon Nov  2 10:00:00 2026\nFrom: Ada <ada@okafor-ceramics.example>\nSubject: Hi\n"
    mail = head + "Message-ID: <{n}@x>\n\nText {n}\n>From here\n\n"
    file = tmp_path / "old.mbox"
    file.write_text("".join(mail.format(n=n) for n in range(3)))
    assert "3 mails, 3 of them new" in run("import", file, "--home", home).output
    assert "3 mails" in run("import", file, "--home", home).output


def test_a_whole_home_goes_out_and_into_an_empty_one(home: Path, tmp_path: Path):
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    run("import", file, "--home", home, "--yes")
    out = run("export", tmp_path / "all.zip", "--home", home)
    assert (out.exit_code, "Everything is in" in out.output) == (0, True)
    assert run("export", tmp_path / "all.zip", "--home", home).exit_code == 1
    assert "is not empty" in run("import", tmp_path / "all.zip", "--home", home).output
    again = run("import", tmp_path / "all.zip", "--home", tmp_path / "new")
    assert (again.exit_code, "safe mode" in again.output) == (0, True)
    assert "2 made" in run("import", "--home", tmp_path / "new").output


def test_a_folder_that_is_no_export(home: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    told = run("import", tmp_path / "empty", "--home", tmp_path / "new")
    assert (told.exit_code, "no export of Soloist" in told.output) == (1, True)
