"""``soloist connect`` with a fake adapter: flags and standard input are enough, and no secret is ever shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from soloist.app import App
from soloist.cli.main import app as program
from soloist.engine import registry
from tests.flows import mailbox_fake as fake

HOSTS = ["--imap-host", "imap.linde.example", "--smtp-host", "smtp.linde.example"]
MARA = ["--address", "mara@studio-linde.example"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    real = registry.load

    def load() -> Any:
        found = real()
        found.connectors["mail"] = fake.FakeMail()
        return found

    monkeypatch.setattr(registry, "load", load)
    App(tmp_path).close()
    return tmp_path


def run(home: Path, *words: str, given: str = "") -> Result:
    return CliRunner().invoke(program, ["connect", *words, "--home", str(home)], input=given)


def connected(home: Path, *words: str) -> Result:
    return run(home, "mail", *MARA, *HOSTS, "--password-stdin", "--yes", *words, given=fake.PASSWORD + "\n")


def test_a_mailbox_is_connected_by_flags_alone(home):
    done = connected(home)
    assert done.exit_code == 0, done.output
    assert all(subject in done.output for subject in fake.SUBJECTS)
    assert "can send nothing" in done.output
    assert fake.PASSWORD not in done.output


@pytest.mark.parametrize(("password", "code"), [("wrong", 3), ("no line", 4)])
def test_a_failed_test_has_its_exit_code_and_changes_nothing(home, password, code):
    done = run(home, "mail", *MARA, *HOSTS, "--password-stdin", given=password)
    assert done.exit_code == code
    assert "Nothing was stored." in done.output
    assert not (home / "soloist.toml").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*HOSTS], "Give --address."),
        ([*MARA, *HOSTS], "--password-stdin"),
        (["--address", "ada@outlook.com"], "client id"),
        ([*MARA, *HOSTS, "--imap-security", "none"], "tls or starttls"),
        (["--address", "mara", *HOSTS], "not a mail address"),
    ],
)
def test_what_is_missing_is_said(home, words, said):
    done = run(home, "mail", *words)
    assert done.exit_code in (1, 2)
    assert said in done.output


def test_a_preset_is_shown_with_its_source_and_how_to_get_a_password(home):
    done = run(home, "mail", "--address", "ada@gmail.com", "--app-password-stdin", given=fake.PASSWORD)
    assert done.exit_code == 0, done.output
    assert "imap.gmail.com port 993 (tls)" in done.output
    assert "App passwords" in done.output


def test_list_allow_and_take_back(home):
    connected(home)
    assert "reads only" in run(home, "list").output
    assert run(home, "allow-sending", "mailbox").exit_code == 0
    assert json.loads(run(home, "list", "--json").output)[0]["may_send"] is True
    assert run(home, "observe-only", "mailbox").exit_code == 0
    assert json.loads(run(home, "list", "--json").output)[0]["may_send"] is False
    assert run(home, "allow-sending", "post").exit_code == 1


def test_a_stored_mailbox_can_be_tested(home):
    connected(home)
    assert "Invoice 2026-118" in run(home, "test", "mailbox").output
    assert run(home, "test", "post").exit_code == 1


def test_removing_wants_a_word_and_deletes_the_secret(home):
    connected(home)
    assert run(home, "remove", "mailbox").exit_code == 2
    assert run(home, "remove", "mailbox", "--yes").exit_code == 0
    assert "No mailbox is connected" in run(home, "list").output
    opened = App(home)
    names = opened.keyring.names()
    opened.close()
    assert names == []


def test_at_a_terminal_everything_is_asked(home, monkeypatch):
    monkeypatch.setattr("soloist.cli.connect_steps.interactive", lambda: True)
    monkeypatch.setattr("soloist.cli.connect.interactive", lambda: True)
    words = "\n".join(["ada@gmail.com", "y", fake.PASSWORD, "y"]) + "\n"
    done = run(home, "mail", given=words)
    assert done.exit_code == 0, done.output
    assert "Is this your mailbox?" in done.output
    assert fake.PASSWORD not in done.output


def test_at_a_terminal_a_no_stores_nothing(home, monkeypatch):
    monkeypatch.setattr("soloist.cli.connect_steps.interactive", lambda: True)
    monkeypatch.setattr("soloist.cli.connect.interactive", lambda: True)
    done = run(home, "mail", given="\n".join(["ada@gmail.com", "y", fake.PASSWORD, "n"]) + "\n")
    assert (done.exit_code, (home / "soloist.toml").exists()) == (2, False)
