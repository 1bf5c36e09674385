"""The command line on a real home: what it prints, how it ends, what bad input gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pysqlite3
import pytest
from typer.testing import CliRunner

from soloist.cli.main import app as command


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one token."""
    root = tmp_path_factory.mktemp("home") / "h"
    done = soloist("token", "create", "--home", str(root), "--scope", "read,propose,approve", "--name", "script")
    assert done.returncode == 0, done.stderr
    return root


ELSEWHERE = {"SOLOIST_HOME": "/nonexistent/soloist"}


def process(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would; every process costs seconds."""
    line, environment = [sys.executable, "-m", "soloist", *words], {**os.environ, **ELSEWHERE}
    return subprocess.run(line, capture_output=True, text=True, env=environment, timeout=60)


def soloist(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """The same command in this process."""
    done = CliRunner(env=ELSEWHERE).invoke(command, words, input=given)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


def test_a_token_is_printed_alone_and_only_its_hash_is_kept(home: Path) -> None:
    done = process("token", "create", "--home", str(home), "--scope", "read")
    token = done.stdout.strip()
    assert token.startswith("solo_")
    assert len(token) == 48 and done.stdout.count("\n") == 1
    assert token.encode() not in (home / "soloist.db").read_bytes()


def test_an_unknown_scope_is_named(home: Path) -> None:
    done = soloist("token", "create", "--home", str(home), "--scope", "everything")
    assert done.returncode == 1
    assert "everything" in done.stderr
    assert "read, propose, approve" in done.stderr


def test_a_reading_command_makes_no_home(tmp_path: Path) -> None:
    done = soloist("inbox", "--home", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "soloist up --home" in done.stderr
    assert not (tmp_path / "none").exists()


def test_an_empty_inbox_says_so(home: Path) -> None:
    assert soloist("inbox", "--home", str(home)).stdout == "Nothing needs you.\n"


def test_an_unknown_card_is_said_plainly(home: Path) -> None:
    done = process("approve", "ffffffff", "--home", str(home), "--yes")
    assert done.returncode == 1
    assert done.stderr == "soloist: There is no card ffffffff. List them with: soloist inbox\n"


def test_status_and_the_stop_button(home: Path) -> None:
    assert soloist("stop", "--home", str(home)).returncode == 0
    assert json.loads(soloist("status", "--json", "--home", str(home)).stdout)["stopped_since"]
    assert soloist("stop", "--off", "--home", str(home)).returncode == 0
    assert not json.loads(soloist("status", "--json", "--home", str(home)).stdout)["stopped_since"]


def test_verify_finds_a_changed_event(tmp_path: Path) -> None:
    root = tmp_path / "h"
    soloist("token", "create", "--home", str(root), "--scope", "read")
    assert soloist("verify", "--home", str(root)).returncode == 0
    with pysqlite3.connect(str(root / "soloist.db")) as connection:
        connection.execute("UPDATE events SET body='{}' WHERE seq=1")
    done = soloist("verify", "--home", str(root))
    assert done.returncode == 1
    assert "Event 1" in done.stdout


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[qualification]\nminimum_budgett = '2'\n", "did you mean 'minimum_budget'"),
        ("x = = 1", "line 1"),
        ("[mail]\nhold = 'soon'\n", "write a time like 30s"),
        ("[business]\ntimezone = 'Berlin'\n", "Europe/Berlin"),
        ("[[policy.rules]]\nname='a'\nwhen='proposal.foo'\nthen='allow'\n", "proposal.foo"),
    ],
)
def test_a_wrong_toml_names_the_place_and_what_would_be_right(tmp_path: Path, toml: str, said: str) -> None:
    root = tmp_path / "h"
    root.mkdir()
    (root / "soloist.toml").write_text(toml)
    done = soloist("token", "create", "--home", str(root), "--scope", "read")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "h"
    soloist("token", "create", "--home", str(root), "--scope", "read")
    with pysqlite3.connect(str(root / "soloist.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num='9999'")
    done = soloist("inbox", "--home", str(root))
    assert done.returncode == 1
    assert "newer Soloist" in done.stderr
    assert "Nothing was changed" in done.stderr


def test_a_secret_is_kept_sealed(home: Path) -> None:
    assert soloist("secret", "set", "shop", "--home", str(home), given="s3cr3t-canary\n").returncode == 0
    assert soloist("secret", "list", "--home", str(home)).stdout == "shop\n"
    for path in home.rglob("*"):
        assert not path.is_file() or b"s3cr3t-canary" not in path.read_bytes()


def test_doctor_ends_each_finding_with_what_to_type(home: Path) -> None:
    done = soloist("doctor", "--home", str(home), "--json")
    findings = json.loads(done.stdout)
    assert done.returncode == 0
    assert all(finding["fix"] for finding in findings if not finding["ok"])


def test_init_asks_nothing_without_a_terminal_and_never_overwrites(tmp_path: Path) -> None:
    root = tmp_path / "h"
    assert soloist("init", "--home", str(root), "--business", "Tinte & Faden").returncode == 0
    before = (root / "soloist.toml").read_text()
    assert "Tinte & Faden" in before
    assert "nothing was changed" in soloist("init", "--home", str(root)).stdout
    assert (root / "soloist.toml").read_text() == before
