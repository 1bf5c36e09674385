"""Tables, CSV, search and clients in the console over a real App: what the browser is sent."""

from __future__ import annotations

import csv
import io
from email.message import EmailMessage
from typing import Any

import pytest
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import assets, conversations, records


@pytest.fixture
def console(real_console: TestClient) -> TestClient:
    return real_console


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


def with_file(app: App, name: str, data: bytes) -> tuple[str, str, int]:
    """A client with a mail that has a file: person, message, part."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ada@okafor-ceramics.example", "mara@studio-linde.example", "Pieces"
    mail.set_content("Here they are.")
    mail.add_attachment(data, maintype="text", subtype="html", filename=name)
    raw = mail.as_bytes()
    ident, path = person(app, "Ada Okafor"), assets.write_file(app.home.assets, raw)
    file = {"name": name, "mime": "text/html", "size": len(data), "part": 2, "sha256": ""}

    def work(tx: Any) -> str:
        row = {
            "conversation": conversations.open_new(tx, "mail", "pieces"),
            "event": "",
            "direction": "in",
            "at": tx.now,
        }
        row |= {"asset": assets.keep(tx, raw, "message/rfc822", path), "attachments": [file], "subject": "Pieces"}
        conversations.assign(tx, row["conversation"], ident)
        return conversations.add(tx, row)

    return ident, app.store.write_now(work), 2


def test_a_file_comes_as_a_download_whatever_it_says_it_is(app, console):
    data = b"<script>alert(1)</script>" * 4000
    ident, message, part = with_file(app, "../Prüfung\u202e.html", data)
    link = f"/clients/{ident}/files/{message}/{part}"
    assert link in console.get(f"/clients/{ident}").text
    answer = console.get(link)
    assert answer.content == data
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    said = answer.headers["content-disposition"]
    assert said.startswith("attachment; ")
    assert "filename*=UTF-8''_Pr%C3%BCfung_.html" in said


def test_a_file_of_somebody_else_is_not_there(app, console):
    _, message, part = with_file(app, "a.html", b"x")
    other = person(app, "Jonas")
    assert console.get(f"/clients/{other}/files/{message}/{part}").status_code == 404
    assert console.get(f"/clients/{other}/files/{message}/7").status_code == 404


def test_a_note_is_written_on_the_page(app, console):
    ident = person(app, "Ada")
    answer = console.post(f"/clients/{ident}/notes", data={"text": "Likes <b>blue</b>"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/clients/{ident}?note=added#notes")
    text = console.get(f"/clients/{ident}?note=added").text
    assert "Likes &lt;b&gt;blue&lt;/b&gt;" in text
    assert "The note is kept." in text
    assert console.post(f"/clients/{ident}/notes", data={"text": " "}).status_code == 422


@pytest.mark.parametrize("query", ["?before=x~y", "?before=~", "?before=%00~%00", "?note=x"])
def test_odd_addresses_of_clients_are_no_fault(app, console, query):
    ident = person(app, "Ada")
    assert console.get(f"/clients/{ident}{query}").status_code == 200
    assert console.get("/clients/nobody").status_code == 404
