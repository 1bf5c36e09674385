"""The log: bounded, redacted, alive on a full disk, and readable while it is written."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from soloist.cli import logs
from soloist.cli.main import app

LOG = logging.getLogger("soloist.test")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that is logged into; afterwards the logger is as it was."""
    root = logging.getLogger("soloist")
    before = (root.handlers, root.level, root.propagate)
    (tmp_path / "logs").mkdir()
    logs.begin(tmp_path / "logs")
    root.handlers = root.handlers[:1]
    yield tmp_path / "logs"
    for handler in root.handlers:
        handler.close()
    root.handlers, root.propagate = before[0], before[2]
    root.setLevel(before[1])


def written(folder: Path) -> str:
    return (folder / "soloist.log").read_text()


def shown(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["logs", "--home", str(home), *words])


@pytest.mark.parametrize(
    "said",
    [
        "login with password=s3cr3t-canary failed",
        "header Authorization: Bearer s3cr3t-canary",
        "cannot reach postgresql://mara:s3cr3t-canary@db/x",
        "token solo_s3cr3t-canaryAAAAAAAAAAAA is unknown",
        "GET /welcome/s3cr3t-canary0123 was used",
        "AUTH XOAUTH2 s3cr3t-canary+/==",
        '{"refresh_token": "s3cr3t-canary", "x": 1}',
        "api_key=s3cr3t-canary&a=1",
    ],
)
def test_no_secret_is_written(folder: Path, said: str) -> None:
    LOG.warning("%s", said)
    assert "canary" not in written(folder)
    assert logs.HIDDEN in written(folder)
    assert json.loads(written(folder))["level"] == "warning"


def test_a_secret_in_a_stack_trace_is_hidden(folder: Path) -> None:
    try:
        raise ValueError("password=s3cr3t-canary")
    except ValueError:
        LOG.exception("it failed")
    assert "ValueError" in written(folder)
    assert "canary" not in written(folder)


def test_plain_sentences_stay_as_they_are() -> None:
    said = "The password of mara@studio-linde.example was refused; the token is old. See https://example.org/a:b"
    assert logs.redact(said) == said


def test_all_files_together_stay_below_the_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLOIST_LOG_BYTES", "40000")
    monkeypatch.setenv("SOLOIST_LOG_FILES", "3")
    (folder / logs.SERVICE_LOG).write_bytes(b"x" * 50_000)
    logs.begin(folder)
    for number in range(3000):
        LOG.info("line %d %s", number, "x" * 100)
    LOG.info("y" * 1_000_000)
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert set(sizes) == {"soloist.log", "soloist.log.1", "soloist.log.2", logs.SERVICE_LOG}
    assert max(sizes.values()) <= 40_000
    assert sizes[logs.SERVICE_LOG] == 0
    assert all(json.loads(line) for path in folder.glob("soloist*") for line in path.read_text().splitlines())


def test_a_full_disk_loses_lines_and_says_so_later(folder: Path) -> None:
    (handler,) = (one for one in logging.getLogger("soloist").handlers if isinstance(one, logs.Bounded))
    handler.baseFilename = "/dev/full"
    for number in range(3):
        LOG.info("lost %d", number)
    handler.baseFilename = str(folder / "soloist.log")
    LOG.info("there is room again")
    events = [json.loads(line)["event"] for line in written(folder).splitlines()]
    assert events == ["3 lines were lost here: the disk was full", "there is room again"]


def test_the_reader_shows_the_newest_above_a_level(folder: Path) -> None:
    for number in range(5):
        LOG.info("quiet %d", number)
    LOG.warning("loud \x1b[31m")
    done = shown(folder.parent, "--lines", "2")
    assert [line.split(maxsplit=2)[2] for line in done.stdout.splitlines()] == ["quiet 4", "loud ?[31m"]
    loud = shown(folder.parent, "--level", "warning", "--json")
    assert [json.loads(line)["event"] for line in loud.stdout.splitlines()] == ["loud \x1b[31m"]


def test_the_reader_follows_over_a_rotation(folder: Path) -> None:
    command = [sys.executable, "-m", "soloist", "logs", "--home", str(folder.parent), "--follow", "--lines", "1"]
    LOG.info("before")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=None) as reader:
        assert reader.stdout is not None
        assert "before" in reader.stdout.readline()
        LOG.info("after")
        assert "after" in reader.stdout.readline()
        logging.getLogger("soloist").handlers[0].doRollover()  # type: ignore[attr-defined]  # a Bounded
        time.sleep(1)
        LOG.info("anew")
        assert "anew" in reader.stdout.readline()
        reader.kill()


def test_a_wrong_level_and_a_home_without_logs_are_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    assert "one of debug" in shown(tmp_path, "--level", "loud").stderr
    assert "soloist up" in shown(tmp_path / "none").stderr
