"""Choosing what the columns of a spreadsheet become, in Chromium over a real App; remembered for the next file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import imports, records
from soloist.engine.worker import LocalWorker
from soloist.flows.importing import Importing
from tests.plugins.skills.test_sheets import book
from tests.servers import serving
from tests.servers import test_console_browser as console
from tests.servers.serving import aside

pytestmark = pytest.mark.servers
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CLIENTS = [
    ["Kundenliste Studio Linde"],
    [],
    ["Wer", "Wie erreichen", "Wo", "Hund", "Unterschrift am"],
    ["Ada Okafor", "ada@okafor-ceramics.example", "Hamburg", "Bello", "1.3.2024"],
    ["Jonas Brandt", "jonas@brandt-physio.example", "Bremen", None, "unbekannt"],
]
LISTS = {"Kunden": CLIENTS, "Lieferanten": [["Wer", "Wie erreichen"], ["Papier Nord", "info@papier-nord.example"]]}


@dataclass
class Desk:
    """A served home without its engine."""

    url: str
    app: App

    def work(self, ident: str, step: str) -> None:
        """What the server's flow would do now."""
        aside(Importing(self.app.desk).step("", ident, step))

    def upload(self, page: Any, name: str) -> str:
        """Bring the spreadsheet in and have it read; the id of the import."""
        page.goto(self.url + "/imports")
        page.set_input_files("#file", {"name": name, "mimeType": SHEET, "buffer": book(**LISTS)})
        page.click("text=Read the file")
        page.wait_for_url("**/imports/*")
        ident = page.url.rpartition("/")[2]
        self.work(ident, "read")
        serving.looked_at(page, f"{self.url}/imports/{ident}")
        return str(ident)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    app = serving.made(tmp_path_factory.mktemp("home"))
    app.desk.intake.ask_many = LocalWorker().call_many
    serving.signed_in(app)
    with serving.served(app) as base:
        yield Desk(base, app)


def choose(page: Any, ident: str, desk: Desk) -> None:
    """Say what three columns become, and try it."""
    for head, field in (
        ("Wer", "name"),
        ("Wie erreichen", "emails"),
        ("Hund", "as_note"),
        ("Unterschrift am", "birthday"),
    ):
        page.select_option(f"[aria-label='What {head} becomes']", field)
    serving.followed(page, "button:has-text('Try it')")
    desk.work(ident, "check")
    serving.looked_at(page, f"{desk.url}/imports/{ident}")


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [1280, 390])
def test_columns_are_chosen_tried_changed_and_remembered(browser, desk, width, script):
    page = console.opened(browser, desk.url, width, script=script)
    ident = desk.upload(page, f"kunden-{width}-{script}.xlsx")
    assert "Unterschrift am" in page.inner_text("main")
    choose(page, ident, desk)
    text = page.inner_text("main")
    assert "2 new" in text
    assert "Birthday: 'unbekannt' is not" in text
    again = desk.upload(page, "next.xlsx")
    assert f"as you chose them for kunden-{width}-{script}.xlsx" in page.inner_text("main")
    page.select_option("#sheet", "Lieferanten")
    serving.followed(page, "text=Read this sheet")
    desk.work(again, "read")
    serving.looked_at(page, f"{desk.url}/imports/{again}")
    page.select_option("#kind", "company")
    serving.followed(page, "button:has-text('Change')")
    row = desk.app.store.read_now(lambda conn: imports.get(conn, again))
    assert (row["kind"], row["mapping"]["sheet"]) == ("company", "Lieferanten")
    assert page.faults == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_rows_to_be_looked_at_are_answered_together(browser, desk, width, scheme):
    person = {"name": "Ada Okafor", "emails": [f"ada@w{width}.example"], "company_name": "Okafor Ceramics"}
    made = desk.app.store.write_now(
        lambda tx: records.create(tx, "person", "Ada Okafor", person, why="test", by="outside")
    )
    desk.app.store.write_now(
        lambda tx: records.link(tx, "email", f"ada@w{width}.example", made, rule="test", evidence={})
    )
    flow, data = Importing(desk.app.desk), f"Name,Email,Company\nAda Okafor,ada@w{width}.example,Okafor GmbH\n".encode()
    ident = aside(flow.begin("more.csv", data, kind="person", who="operator", run=False))
    desk.work(ident, "read")
    aside(flow.map(ident, "person", {"0": "name", "1": "emails", "2": "company_name"}, who="operator", run=False))
    desk.work(ident, "check")
    page = console.opened(browser, desk.url, width, scheme)
    page.goto(f"{desk.url}/imports/{ident}")
    page.evaluate("document.querySelectorAll('main details').forEach(d => { d.open = true })")
    assert console.wrong(page, "review", width) == []
    page.select_option("#rest", "take")
    serving.followed(page, "button:has-text('Take it over')")
    desk.work(ident, "take")
    now = desk.app.store.read_now(lambda conn: records.get(conn, made))
    assert now["body"]["company_name"] == "Okafor GmbH"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_of_columns_is_accessible(browser, desk, width, scheme):
    page = console.opened(browser, desk.url, width, scheme)
    desk.upload(page, f"axe-{width}.xlsx")
    assert console.wrong(page, "columns", width) == []
