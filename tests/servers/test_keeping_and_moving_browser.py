"""Keeping, erasing, merging, taking over and taking out in Chromium over a real App, with and without scripts."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page

from soloist.app import App
from soloist.engine.store import contexts, journal, memories, records
from soloist.engine.worker import LocalWorker
from soloist.flows.erasing import Erasing
from soloist.flows.importing import Importing
from soloist.kernel.hashing import sha256
from soloist.kernel.memory import NewMemory
from soloist.stages.records import merging
from tests.flows import person
from tests.servers import serving
from tests.servers import test_console_browser as console
from tests.servers.serving import aside

pytestmark = pytest.mark.servers

KANE = "victor@quick-offers.example"
PEOPLE = b"""Name,Email,Company,Remark
Ada Okafor,ada@okafor-ceramics.example,Okafor Ceramics,glaze
Jonas Brandt,jonas@brandt-physio.example,Brandt Physiotherapie,"a-remark-without-a-single-place-to-break-the-line-of-it"
no address,,,
"open,x@y.example,
"""
COLUMNS = {"0": "name", "1": "emails", "2": "company_name"}
PAGES = ["/imports", "/export", "/settings/calendars", "/keeping", "/erase", "/records/merges", "/records/kinds"]


@dataclass
class Desk:
    """A served home: its address, its App, and what stands in it by name."""

    url: str
    app: App
    ids: dict[str, str]

    def work(self, ident: str, step: str) -> None:
        """What the server's flow would do now."""
        aside(Importing(self.app.desk).step("", ident, step))


def fill(tx: Any) -> dict[str, str]:
    """Ada with a decision about her and a pair to merge, Victor Kane to be erased, one note without a day."""
    addresses = ["ada@okafor-ceramics.example"]
    ada = records.create(tx, "person", "Ada Okafor", {"name": "Ada Okafor", "emails": addresses}, why="a mail")
    kane = records.create(tx, "person", "Victor Kane", {"name": "Victor Kane", "emails": [KANE]}, why="a mail")
    pairs = []
    for name in ("Jonas Brandt", "Mina Sato"):
        bodies = [{"name": name, "emails": [f"x@{n}.example"], "phones": [f"+49401234{len(name)}"]} for n in "ab"]
        one, two = (records.create(tx, "person", name, body, why="test") for body in bodies)
        merging.propose(tx, one, two, why="They wrote from an address that was not known.")
        pairs.append(one)
    said = ["budget 4,000 for the shop", "call on Friday"]
    slices = [
        {"memory": memory, "n": n, "hash": sha256(text.encode()), "retrieval": "", "rank": n, "part": "spans"}
        for n, (memory, text) in enumerate(
            zip(memories.add(tx, [NewMemory(text) for text in said], actor="operator"), said, strict=True)
        )
    ]
    given = {"records": [{"id": ada, "kind": "person", "version": 1, "title": "Ada Okafor"}], "messages": []}
    row = {**given, "run": "run-1", "house_book": "", "hash": "h" * 64}
    contexts.add(tx, {**row, "parameters": {"as_of_seq": journal.head(tx.conn)}}, slices)
    records.write(tx, ada, 1, {"note": "Likes oak."}, why="a call", actor="operator")
    memories.end(tx, [slices[1]["memory"]], why="done", actor="operator")
    return {"ada": ada, "kane": kane, "jonas": pairs[0]}


async def moved(app: App, steps: str) -> str:
    """An import that went so far: r(ead), c(hecked), t(aken), u(ndone); its id."""
    flow = Importing(app.desk)
    ident = await flow.begin(f"people-{steps}.csv", PEOPLE, kind="person", who="operator", run=False)
    for step in steps:
        if step == "c":
            await flow.map(ident, "person", COLUMNS, who="operator", run=False)
        elif step != "r":
            await getattr(flow, {"t": "take", "u": "undo"}[step])(ident, who="operator", run=False)
        await flow.step("", ident, {"r": "read", "c": "check", "t": "take", "u": "undo"}[step])
    return ident


async def filled(app: App, ids: dict[str, str]) -> None:
    """What the flows leave: imports as far as they go, and an ended erasure."""
    for steps in ("r", "rc", "rct", "rctu"):
        ids[f"import-{steps}"] = await moved(app, steps)
    ids["erasure"] = (await Erasing.of(app.desk).erase(person.ADDRESS, who="operator"))["id"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A real server without its engine."""
    app = serving.made(tmp_path_factory.mktemp("home"))
    app.desk.intake.ask_many = LocalWorker().call_many
    ids = app.store.write_now(fill)
    person.plant(app)
    aside(filled(app, ids))
    serving.signed_in(app)
    with serving.served(app) as base:
        yield Desk(base, app, ids)


def stale(page: Page, desk: Desk) -> None:
    """The page that puts two versions of Ada together: somebody writes while her form is open."""
    page.goto(f"{desk.url}/records/person/{desk.ids['ada']}/edit")
    now = desk.app.store.read_now(lambda conn: records.get(conn, desk.ids["ada"]))
    fields = {"note": f"Likes oak and {now['version']} glazes."}
    desk.app.store.write_now(lambda tx: records.write(tx, now["id"], now["version"], fields, why="a mail"))
    page.fill("[name='f.note']", "Likes walnut.")
    serving.followed(page, "main form button.go")
    page.wait_for_selector(".sidepick")


def paths(ids: dict[str, str]) -> list[str]:
    found = [f"/imports/{ident}" for name, ident in ids.items() if name.startswith("import-")]
    found += [f"/erase?who={KANE}&also=Quick+Offers", "/erase?who=nobody@nowhere.example", f"/erase/{ids['erasure']}"]
    found += [f"/records/merges?kept={ids['ada']}", f"/records/person/{ids['jonas']}", "/knew/run-1"]
    return [*PAGES, *found]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_is_accessible(browser, desk, width, scheme):
    page = console.opened(browser, desk.url, width, scheme)
    found = []
    for path in paths(desk.ids):
        page.goto(desk.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = !d.closest('.topline') })")
        found += console.wrong(page, path, width)
    stale(page, desk)
    found += console.wrong(page, "stale", width)
    assert found == []
    assert [fault for fault in page.faults if not any(code in fault for code in ("404", "412", "422"))] == []


@pytest.mark.parametrize("script", [True, False])
def test_a_file_is_taken_over_and_back(browser, desk, script):
    page = console.opened(browser, desk.url, 390, script=script)
    page.goto(desk.url + "/imports")
    rows = b"Name,Email\nLena Vogt,lena@vogt.example\nOle Petersen,ole@petersen.example\n"
    page.set_input_files("#file", {"name": f"new-{script}.csv", "mimeType": "text/csv", "buffer": rows})
    page.click("text=Read the file")
    page.wait_for_url("**/imports/*")
    ident = page.url.rpartition("/")[2]
    assert "is being read" in page.inner_text(".note[role=status]")
    for step, button, said in (
        ("read", "Try it", "rows are being tried|Every row is being tried"),
        ("check", "Take it over", "being taken over"),
        ("take", "Take the whole import back", "being taken back"),
    ):
        desk.work(ident, step)
        serving.looked_at(page, f"{desk.url}/imports/{ident}")
        serving.followed(page, f"button:has-text('{button}')")
        page.wait_for_selector(".note[role=status]")
        assert any(words in page.inner_text("main") for words in said.split("|"))
    desk.work(ident, "undo")
    serving.looked_at(page, f"{desk.url}/imports/{ident}")
    assert "2 taken back" in page.inner_text("main")
    assert page.faults == []


def test_everything_comes_down_as_one_file(browser, desk):
    page = console.opened(browser, desk.url)
    page.goto(desk.url + "/export")
    with page.expect_download() as waiting:
        page.click("text=Download everything")
    with zipfile.ZipFile(waiting.value.path()) as taken:
        assert "manifest.json" in taken.namelist()


def test_other_days_are_tried_before_they_count(browser, desk):
    page = console.opened(browser, desk.url, script=False)
    page.goto(desk.url + "/keeping")
    page.fill("[name='days.memory.session']", "30")
    serving.followed(page, "text=Look what would leave")
    assert "Nothing is saved" in page.inner_text(".note[role=status]")
    page.click("text=Put these days in force")
    page.wait_for_url("**done=saved")
    assert page.input_value("[name='days.memory.session']") == "30"
    page.fill("[name=label]", "Before the fair")
    page.click("button:has-text('Name this instant')")
    page.wait_for_url("**done=named")
    serving.followed(page, "text=Compare Before the fair with now")
    assert "unchanged" in page.inner_text(".note[role=status]")


def test_a_person_is_erased_by_a_typed_name(browser, desk):
    page = console.opened(browser, desk.url)
    page.goto(desk.url + "/erase")
    page.fill("[name=who]", KANE)
    serving.followed(page, "text=Look what is known of them")
    page.fill("[name=confirm]", "Victor")
    serving.followed(page, "text=Erase for good")
    assert "Nothing was erased" in page.inner_text("[role=alert]")
    page.fill("[name=confirm]", "Victor Kane")
    page.click("text=Erase for good")
    page.wait_for_url("**/erase/*")
    assert "Nothing of the person is left in this home." in page.inner_text(".lead")
    assert "Kane" not in page.content()
    page.goto(desk.url + "/search?q=Kane")
    assert "Victor" not in page.inner_text("main")


def test_what_a_decision_knew_says_what_changed(browser, desk):
    page = console.opened(browser, desk.url, 390, script=False)
    page.goto(desk.url + "/knew/run-1")
    said = page.inner_text("main")
    assert "2 of the things it was given are different now." in said
    assert "now version" in said


def test_a_pair_is_merged_and_taken_back(browser, desk):
    page = console.opened(browser, desk.url, script=False)
    page.goto(desk.url + "/records/merges")
    page.click("button:has-text('Merge, keep Mina Sato (first)')")
    page.wait_for_url("**done=merged**")
    page.click("button:has-text('Take the merge back')")
    page.wait_for_url("**done=unmerged**")
    assert "Both are what they were" in page.inner_text(".note[role=status]")


def test_two_versions_are_put_together(browser, desk):
    page = console.opened(browser, desk.url, script=False)
    stale(page, desk)
    assert "has changed in the meantime" in page.inner_text("h1")
    page.check(".sidepick >> nth=0 >> input[value=yours]")
    page.click("text=Save as version")
    page.wait_for_url(f"**/records/person/{desk.ids['ada']}*")
    assert "Likes walnut." in page.inner_text("main")
