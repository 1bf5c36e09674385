"""Records, clients and search in Chromium over a real App: files come out right, everybody can use the pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from soloist.engine.store import assets, conversations, records, tasks
from soloist.flows import noting
from tests.servers import serving
from tests.servers import test_console_browser as console
from tests.servers.serving import aside

pytestmark = pytest.mark.servers

LONG_NAME = "Dr. Maximiliana-Friederike von Hohenstaufen-Wittelsbach-Donaudampfschifffahrt"
SIZES = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]


def fill(tx: Any, raw: bytes, path: str) -> dict[str, str]:
    """Okafor Ceramics with Ada, 60 messages, a file, an enquiry, a card; 120 other people."""
    company = records.create(tx, "company", "Okafor Ceramics", {"domain": "okafor-ceramics.example"}, why="a mail")
    body = {"name": "Ada Okafor", "emails": ["ada@okafor-ceramics.example"], "phones": ["+49405550177"]}
    body |= {"company": company, "company_name": "Okafor Ceramics", "language": "en"}
    ada = records.create(tx, "person", "Ada Okafor", body, why="first message from this address")
    budget = {"low": {"minor": 300000, "currency": "EUR"}, "high": {"minor": 400000, "currency": "EUR"}}
    lead = {"person": ada, "company": company, "budgets": [budget], "verdict": "fits"}
    records.create(tx, "lead", "New online shop", lead, state="qualified", why="qualified enquiry")
    thread = conversations.open_new(tx, "mail", "new online shop")
    conversations.assign(tx, thread, ada)
    base = {"conversation": thread, "sender": "ada@okafor-ceramics.example", "sender_name": "Ada Okafor"}
    file = {"name": "pieces.html", "mime": "text/html", "size": 25, "part": 2, "sha256": ""}
    for n in range(60):
        event = tx.append("mail.seen", source="mail", actor="outside")
        row = {
            **base,
            "event": event.id,
            "subject": f"New online shop, part {n}",
            "at": f"2026-10-{1 + n % 28:02}T08:00:00Z",
        }
        row |= {"text": "We need a shop for our pottery. " * 9, "direction": "out" if n % 4 == 3 else "in"}
        row |= {"recipients": ["ada@okafor-ceramics.example"]} if n % 4 == 3 else {}
        row |= {"asset": assets.keep(tx, raw, "message/rfc822", path), "attachments": [file]} if n == 5 else {}
        row |= {"summary": [{"text": "We need a shop for our pottery.", "start": 0, "end": 31}]} if n == 27 else {}
        row["at"] = row["at"].replace("Z", f".{n:06}Z")
        conversations.add_past(tx, row)
    tasks.open_card(tx, "c" * 36, "question", "What is this message?", why="Nobody could tell.", conversation=thread)
    for n in range(120):
        records.create(
            tx, "person", f"Person {n}", {"emails": [f"p{n}@a-rather-long-domain-name.example"]}, why="a mail"
        )
    records.create(tx, "person", LONG_NAME, {"company_name": "=cmd|' /C calc'!A0"}, why="a mail")
    return {"ada": ada, "company": company}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A real server without its engine; (address, ids)."""
    app = serving.made(tmp_path_factory.mktemp("home"))
    mail = EmailMessage()
    mail.set_content("Here.")
    mail.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html", filename="pieces.html")
    raw = mail.as_bytes()
    ids = app.store.write_now(lambda tx: fill(tx, raw, assets.write_file(app.home.assets, raw)))
    aside(noting.add(app.store, ids["ada"], "Prefers phone calls.", who="operator"))
    serving.signed_in(app)
    with serving.served(app) as base:
        yield base, ids


def paths(ids: dict[str, str]) -> list[str]:
    found = ["/records/person", "/records/person?sort=title&dir=down&q=a", "/records/lead", "/records/person?q=nobody"]
    found += [f"/clients/{ids['ada']}", f"/clients/{ids['company']}", f"/clients/{ids['ada']}?note=added"]
    return [*found, f"/records/person/{ids['ada']}", "/search", "/search?q=shop", "/search?q=nothing+at+all"]


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_every_page_is_accessible_at_every_size(browser, desk, width, scheme):
    page = console.opened(browser, desk[0], width, scheme)
    found = []
    for path in paths(desk[1]):
        page.goto(desk[0] + path)
        if "/clients/" in path:
            page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = !d.closest('.topline') })")
        found += console.wrong(page, path, width)
    assert found == []
    assert page.faults == []


def test_the_csv_holds_what_the_table_shows(browser, desk):
    page = console.opened(browser, desk[0])
    page.goto(desk[0] + "/records/person?sort=title&q=person+1")
    shown = page.eval_on_selector_all(
        "tbody tr", "rows => rows.map(r => [...r.cells].slice(0, 2).map(c => c.innerText))"
    )
    with page.expect_download() as waiting:
        page.click("text=Download CSV")
    text = Path(waiting.value.path()).read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert waiting.value.suggested_filename == "person.csv"
    assert [row[:2] for row in rows[1:]] == shown
    assert len(shown) == 31


def test_a_table_is_sorted_by_its_heads_and_filtered(browser, desk):
    page = console.opened(browser, desk[0])
    page.goto(desk[0] + "/records/person")
    serving.followed(page, "th >> text=Name")
    assert page.get_attribute("th >> nth=0", "aria-sort") == "ascending"
    serving.followed(page, "th >> text=Name")
    assert page.get_attribute("th >> nth=0", "aria-sort") == "descending"
    page.fill(".tablefilter [name=q]", "okafor ceramics")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=okafor*")
    assert page.inner_text(".totals span") == "1 person"
    page.click("tbody a")
    page.wait_for_url("**/clients/*")
    assert page.inner_text("h1") == "Ada Okafor"


@pytest.mark.parametrize("width", [1440, 390])
def test_a_client_is_read_and_noted(browser, desk, width):
    page = console.opened(browser, desk[0], width, "dark")
    page.goto(f"{desk[0]}/clients/{desk[1]['ada']}")
    said = page.inner_text("main")
    for words in ("+49405550177", "EUR 4,000", "What is this message?", "New online shop", "60 messages: 45 came, 15"):
        assert words in said
    assert page.locator(".said > li").count() == 25
    page.click(".said summary >> nth=0")
    assert page.locator(".said .text").first.is_visible()
    page.click(".more a")
    page.wait_for_url("**before=*")
    assert page.locator(".said > li").count() == 25
    page.fill("textarea[name=text]", f"Called at {width}.")
    page.click("text=Keep the note")
    page.wait_for_url("**note=added*")
    assert f"Called at {width}." in page.inner_text("#notes")
    assert page.faults == []


def test_a_file_is_saved_and_not_shown(browser, desk):
    page = console.opened(browser, desk[0])
    page.goto(f"{desk[0]}/clients/{desk[1]['company']}")
    with page.expect_download() as waiting:
        page.click("a:text-is('pieces.html')")
    assert waiting.value.suggested_filename == "pieces.html"
    assert Path(waiting.value.path()).read_bytes() == b"<script>alert(1)</script>"


def test_search_by_keyboard(browser, desk):
    page = console.opened(browser, desk[0])
    page.goto(desk[0] + "/records")
    page.keyboard.press("/")
    page.keyboard.type("okaf")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=okaf*")
    assert page.eval_on_selector_all("mark", "all => all.map(m => m.innerText)")[:1] == ["Okafor"]
    assert page.eval_on_selector_all(".found h2", "all => all.map(h => h.innerText.split(' ')[0])") == [
        "People",
        "Messages",
    ]
    page.locator(".hits a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/clients/*")
    assert page.faults == []


def test_search_and_tables_work_without_scripts(browser, desk):
    page = console.opened(browser, desk[0], 390, script=False)
    page.goto(desk[0] + "/records/person")
    page.select_option(".sorter select", "title")
    page.click(".sorter button")
    page.wait_for_url("**sort=title*")
    assert page.inner_text("tbody tr >> nth=0").startswith("Ada Okafor")
    page.fill("#find", '"shop for our pottery"')
    page.press("#find", "Enter")
    page.wait_for_url("**/search*")
    assert "60" in page.inner_text(".found h2")
