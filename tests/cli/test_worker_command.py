"""The command ``worker``: refused with a reason where it is of no use; status and doctor show the processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app
from tests.engine.store import databases

RUN = CliRunner()


@pytest.mark.parametrize("more", [[], ["--database", "sqlite:///x.db"]])
def test_on_sqlite_one_process_is_enough(tmp_path: Path, more: list[str]) -> None:
    done = RUN.invoke(app, ["worker", "--home", str(tmp_path), *more])
    assert done.exit_code == 2
    assert "one process is enough" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_database_without_tables_is_said(tmp_path: Path) -> None:
    url = databases.empty("postgres", tmp_path)
    done = RUN.invoke(app, ["worker", "--home", str(tmp_path), "--database", url])
    assert (done.exit_code, "The database is empty" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_folder_without_a_home_is_said(tmp_path: Path) -> None:
    url = databases.migrated("postgres", tmp_path)
    done = RUN.invoke(app, ["worker", "--home", str(tmp_path / "none"), "--database", url])
    assert (done.exit_code, "There is no home in" in done.stderr) == (1, True)
    assert not (tmp_path / "none").exists()


def test_status_and_doctor_show_the_processes(tmp_path: Path) -> None:
    running = App(tmp_path)
    asyncio.run(running.settle())
    during = RUN.invoke(app, ["status", "--home", str(tmp_path)]).stdout
    running.lock.release()  # as if it had died
    after = RUN.invoke(app, ["doctor", "--home", str(tmp_path)]).stdout
    running.close()
    assert "Process: server running, process" in during
    assert "look  server gone, process" in after
