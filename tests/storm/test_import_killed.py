"""An import that is killed at any commit goes on where it stopped: every row once, none lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import imports, records
from tests.flows import dirty
from tests.storm.size import scale

pytestmark = pytest.mark.storm
ROOT = Path(__file__).parents[2]
KILLS, ROWS = scale(40, 3), scale(1_000, 250)


def command(root: Path, *words: str, fail: str = "") -> subprocess.CompletedProcess[str]:
    """A command of its own process, which may end itself at a fail point."""
    surroundings = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}", "SOLOIST_FAILPOINT": fail}
    called = [sys.executable, "-m", "soloist", *words, "--home", str(root)]
    return subprocess.run(called, capture_output=True, text=True, check=False, env=surroundings, timeout=300)


def continued(root: Path) -> int:
    """Go on with what was cut off, killed again and again, to its end; how many kills hit."""
    killed = 0
    for kill in range(1, KILLS):
        killed += command(root, "import", "--continue", fail=f"committed:{1 + kill % 3}").returncode == 137
    assert command(root, "import", "--continue").returncode == 0
    return killed


def outcome(root: Path) -> tuple[App, list[dict[str, Any]], dict[str, Any]]:
    """The home, its persons and its only import; close the home."""
    app = App(root)
    found = app.store.read_now(lambda conn: records.listed(conn, "person", before=None, limit=ROWS * 2))
    (one,) = app.store.read_now(imports.listed)
    return app, found, one


def test_an_import_that_was_killed_is_finished_and_nothing_is_double(tmp_path: Path) -> None:
    root, file = tmp_path / "home", tmp_path / "people.csv"
    App(root).close()
    rows = [f"Person {n},p{n}@firm{n}.example" for n in range(ROWS)]
    file.write_text("Name,Email\n" + "\n".join(rows), encoding="utf-8")
    waiting = command(root, "import", str(file), "--yes", fail="import.batch:1")
    assert waiting.returncode == 137, waiting.stderr
    killed = continued(root)
    app, found, one = outcome(root)
    assert (one["state"], one["counts"]) == ("done", {"made": ROWS})
    assert len({row["title"] for row in found}) == len(found) == ROWS
    assert app.verify_journal().faults == []
    app.close()
    print(f"an import of {ROWS} rows, killed {killed + 1} times: {len(found)} records, none double, none lost")
    assert killed


def test_a_dirty_file_that_is_killed_on_its_way_back_leaves_nothing(tmp_path: Path) -> None:
    root, file = tmp_path / "home", tmp_path / "alt.csv"
    App(root).close()
    file.write_bytes(dirty.table(ROWS))
    assert command(root, "import", str(file), "--yes", fail="import.batch:2").returncode == 137
    assert command(root, "import", "--continue").returncode == 0
    app = App(root)
    (one,) = app.store.read_now(imports.listed)
    app.close()
    killed = command(root, "import", "--undo", one["id"], fail="import.batch:2").returncode == 137
    killed += continued(root)
    app, found, one = outcome(root)
    assert (one["state"], {row["state"] for row in found}) == ("undone", {imports.TAKEN_BACK})
    assert set(one["counts"]) <= {"undone", "known"}
    assert app.verify_journal().faults == []
    app.close()
    print(f"an import of {ROWS} dirty rows, killed {killed} times on their way back: {len(found)} records, none live")
