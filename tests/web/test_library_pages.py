"""Tables, CSV, search and clients in the console over a real App: what the browser is sent."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import records
from soloist.web.console import Console
from soloist.web.pages import routes
from soloist.web.pages.edge import faults


@pytest.fixture
def app(tmp_path: Path) -> Any:
    opened = App(tmp_path)
    opened.store.writer.send = lambda *_: None  # no engine runs here, so there is nobody to wake
    yield opened
    opened.close()


@pytest.fixture
def console(app: App) -> TestClient:
    inner = Starlette(routes=routes(), exception_handlers=faults())
    inner.state.soloist = Console(app)
    return TestClient(inner, follow_redirects=False)


def person(app: App, name: str, **body: Any) -> str:
    return app.store.write_now(lambda tx: records.create(tx, "person", name, {"name": name, **body}, why="test"))


def test_the_csv_is_a_file_that_spreadsheets_read(app, console):
    person(app, "=cmd()", emails=["a@b.example"], phones=["+4940555"])
    answer = console.get("/records/person.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="person.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert rows[1][:4] == ["'=cmd()", "a@b.example", "", "'+4940555"]


def test_the_table_says_how_it_is_sorted(app, console):
    person(app, "Ada")
    text = console.get("/records/person?sort=title&dir=down&q=a").text
    assert 'aria-sort="descending"' in text
    assert "/records/person.csv?q=a&amp;sort=title&amp;dir=down" in text
    assert "1 person" in text


ODD = ["?sort='--&dir=x", "?after=~~~", "?after=x~y&sort=emails", "?q=%25%00%22", "?state=none", f"?q={'a' * 5000}"]


@pytest.mark.parametrize("path", ["/records/person", "/records/person.csv", "/records/a%22b.csv"])
@pytest.mark.parametrize("query", ODD)
def test_odd_addresses_of_tables_are_no_fault(app, console, path, query):
    person(app, "Ada")
    assert console.get(path + query).status_code == 200


def test_a_search_marks_words_and_escapes_the_rest(app, console):
    person(app, "<script>Ada</script>")
    text = console.get("/search?q=ada").text
    assert "&lt;script&gt;<mark>Ada</mark>&lt;/script&gt;" in text
    assert "<script>Ada" not in text


@pytest.mark.parametrize(
    "query", ["", "?q=", "?q=%22", "?q=(&in=x&before=9e9", f"?q={'%22a ' * 3000}", "?q=ada&in=people&before=-1"]
)
def test_odd_searches_are_no_fault(app, console, query):
    person(app, "Ada")
    assert console.get("/search" + query).status_code == 200
