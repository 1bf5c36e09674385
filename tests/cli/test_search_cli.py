"""Search and tables in the terminal, on a real home."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from soloist.app import App
from soloist.cli.main import app as command
from soloist.engine.store import records


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two people."""
    root = tmp_path_factory.mktemp("home") / "h"
    app = App(root)
    for name in ("Ada Töpfer", "=Jonas"):
        app.store.write_now(lambda tx, n=name: records.create(tx, "person", n, {"phones": ["+49"]}, why="test"))  # type: ignore[misc]
    app.close()
    return root


def soloist(home: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [*words, "--home", str(home)])


def test_a_search_prints_what_it_found(home: Path) -> None:
    done = soloist(home, "search", "topf")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[0] == "People (1)"
    assert "Ada Töpfer  [Person]" in done.stdout
    assert json.loads(soloist(home, "search", "topf", "--json").stdout)["groups"][0]["total"] == 1


@pytest.mark.parametrize("query", ["nothing", '"', "(", "AND OR"])
def test_a_search_that_finds_nothing_says_so(home: Path, query: str) -> None:
    done = soloist(home, "search", query)
    assert (done.exit_code, done.stdout) == (0, "Nothing fits.\n")


def test_a_table_comes_as_csv(home: Path) -> None:
    done = soloist(home, "records", "--kind", "person", "--csv", "--filter", "jonas")
    assert done.stdout_bytes.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(done.stdout_bytes.decode("utf-8-sig"), newline="")))
    assert [row[0] for row in rows] == ["Name", "'=Jonas"]
    assert rows[1][3] == "'+49"
    assert soloist(home, "records", "--csv").exit_code == 2
