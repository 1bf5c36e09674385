"""Taking over and taking out in the console: a real App behind the pages; what cannot be done is said first."""

import asyncio
import io
import zipfile
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import imports, records
from soloist.engine.worker import LocalWorker
from soloist.flows.importing import Importing
from soloist.web.console import Console
from soloist.web.pages import routes
from soloist.web.pages.edge import faults
from tests.plugins.connectors.test_calendar import House, event, house, ics

__all__ = ["house"]
PEOPLE = (
    b'Name,Email,Company\nAda Okafor,ada@okafor-ceramics.example,Okafor Ceramics\nno address,,\n"open,x@y.example,\n'
)


@pytest.fixture(scope="module")
def reader() -> LocalWorker:
    return LocalWorker()


@pytest.fixture
def console(app: App, reader: LocalWorker) -> TestClient:
    app.desk.intake.ask_many = reader.call_many
    inner = Starlette(routes=routes(), exception_handlers=faults())
    inner.state.app, inner.state.soloist = app, Console(app)
    return TestClient(inner, base_url="http://localhost:8787", follow_redirects=False)


def upload(console: TestClient, data: bytes, name: str = "people.csv") -> Any:
    return console.post("/imports", files={"file": (name, data)})


def step(app: App, ident: str, name: str) -> None:
    """What the server's flow would do now."""
    asyncio.run(Importing(app.desk).step("", ident, name))


def test_without_a_file_and_with_an_empty_one_it_says_what_to_do(console: TestClient):
    assert "Choose a file first." in console.post("/imports", files={"file": ("", b"")}).text
    answer = upload(console, b" ")
    assert answer.status_code == 422
    assert "the file is empty" in answer.text


def test_an_import_that_is_not_there(console: TestClient):
    assert console.get("/imports/none").status_code == 404
    assert console.post("/imports/none/take").status_code == 404


def test_an_old_spreadsheet_says_how_to_save_it(console: TestClient, app: App):
    ident = upload(console, b"\xd0\xcf\x11\xe0 old").headers["location"].rpartition("/")[2]
    step(app, ident, "read")
    assert "Save it as .xlsx or CSV" in console.get(f"/imports/{ident}").text


def test_a_row_and_a_column_that_are_not_there_are_refused(console: TestClient, app: App):
    ident = upload(console, PEOPLE).headers["location"].rpartition("/")[2]
    step(app, ident, "read")
    assert console.post(f"/imports/{ident}/take", data={"row-x": "keep"}).status_code == 422
    assert console.post(f"/imports/{ident}/columns", data={"kind": "person", "column-9": "name"}).status_code == 422
    assert console.post(f"/imports/{ident}/take").status_code == 409


def test_the_whole_way_of_a_file_without_scripts(console: TestClient, app: App):
    ident = upload(console, PEOPLE).headers["location"].rpartition("/")[2]
    assert "is being read" in console.get(f"/imports/{ident}").text
    step(app, ident, "read")
    text = console.get(f"/imports/{ident}").text
    assert 'aria-label="What Email becomes"' in text
    assert "A quotation mark is opened and not closed." in text
    fields = {"kind": "person", "column-0": "name", "column-1": "emails", "column-2": "company_name"}
    console.post(f"/imports/{ident}/columns", data=fields)
    step(app, ident, "check")
    assert "2 new" in console.get(f"/imports/{ident}").text
    console.post(f"/imports/{ident}/take")
    step(app, ident, "take")
    text = console.get(f"/imports/{ident}").text
    assert "Take the whole import back" in text
    assert "2 made" in text
    console.post(f"/imports/{ident}/undo")
    step(app, ident, "undo")
    assert "2 taken back" in console.get(f"/imports/{ident}").text
    assert "people.csv" in console.get("/imports").text


def test_another_kind_guesses_the_columns_anew(console: TestClient, app: App):
    ident = upload(console, PEOPLE).headers["location"].rpartition("/")[2]
    step(app, ident, "read")
    console.post(f"/imports/{ident}/columns", data={"kind": "company", "guess": "1"})
    row = app.store.read_now(lambda conn: imports.get(conn, ident))
    assert (row["kind"], row["state"]) == ("company", "mapping")


def test_everything_comes_down_as_one_zip(console: TestClient, app: App):
    app.store.write_now(lambda tx: records.create(tx, "person", "Ada", {"name": "Ada"}, why="test"))
    assert "Download everything" in console.get("/export").text
    answer = console.post("/export.zip")
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert {"manifest.json", "tables/records.jsonl", "usable/person.csv"} <= set(names)


# ----- calendars


def connect(console: TestClient, url: str) -> Any:
    return console.post("/settings/calendars", data={"url": url, "every": "hourly", "private": "1"})


@pytest.mark.parametrize("url", ["", "ftp://x", "https://user:secret@x.example/", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused_and_not_shown(console: TestClient, url: str):
    answer = connect(console, url)
    assert answer.status_code == 422
    assert "no address of a calendar" in answer.text
    assert "secret@" not in answer.text


def test_a_page_instead_of_a_calendar_is_not_kept(console: TestClient, house: House, app: App):
    house.body = b"<html>sign in</html>"
    answer = connect(console, f"http://127.0.0.1:{house.port}/x.ics")
    assert "gives a page instead of a calendar" in answer.text
    assert app.desk.connections.get("calendar") is None


def test_connected_listed_read_and_disconnected(console: TestClient, house: House, app: App):
    house.body = ics(event("1"))
    answer = connect(console, f"http://127.0.0.1:{house.port}/private-0a1b/basic.ics")
    assert answer.headers["location"] == "/settings/calendars?done=connected&name=calendar"
    text = console.get("/settings/calendars").text
    assert "every hour" in text
    assert "not yet" in text
    assert "private-0a1b" not in text + app.home.toml.read_text()
    assert app.desk.connections["calendar"].kind == "calendar"
    assert console.post("/settings/calendars/calendar/read").status_code == 303
    assert console.post("/settings/calendars/none/read").status_code == 404
    console.post("/settings/calendars/calendar/remove")
    assert "No calendar is connected yet" in console.get("/settings/calendars").text
