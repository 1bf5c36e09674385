"""Memory in Chromium over a real App: a story through its pages, for everybody, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from soloist.engine.store import memories, records
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import Search, facts
from tests.servers import serving
from tests.servers import test_console_browser as console
from tests.servers.serving import aside

pytestmark = pytest.mark.servers

FROM = "ada@okafor-ceramics.example"
LONG = "We need the glaze list before the spring collection goes on sale. " * 30


def fill(tx: Any) -> dict[str, str]:
    """Ada with facts, a contradiction, business, and 40 items."""
    ada = records.create(tx, "person", "Ada Okafor", {"emails": [FROM]}, why="a mail")
    money = {"minor": 180000, "currency": "EUR"}
    bill = {"number": "2026-041", "client": ada, "amount": money, "issued": "2026-10-01", "due": "2026-10-15"}
    records.create(tx, "invoice", "2026-041", bill, state="sent", why="written")
    visit = {"subject": "Studio visit", "client": ada, "begins": "2030-01-01T09:00:00Z"}
    records.create(tx, "appointment", "Studio visit", visit, state="confirmed", why="written")
    told = [("preference", "calls before noon", "unverified"), ("deadline", "1 March", "rule"), ("deadline", "May", "")]
    for attribute, value, trust in told:
        said = NewFact(ada, attribute, value, quote="in the morning, please", source="mail", actor=FROM)
        facts.state(tx, NewFact(**{**vars(said), "trust": trust or "unverified"}))
    items = [NewMemory(f"Ada wrote about piece {n} of the collection.", record=ada, source="mail") for n in range(39)]
    (first, *_) = memories.add(tx, [NewMemory(LONG, record=ada, origin=[f"outside:{FROM}"]), *items], actor="soloist")
    return {"ada": ada, "item": first}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A real server without its engine; (address, ids)."""
    app = serving.made(tmp_path_factory.mktemp("home"))
    ids = app.store.write_now(fill)
    ids["asked"] = aside(app.desk.memory.search(Search("which glaze", actor="operator"))).id
    serving.signed_in(app)
    with serving.served(app) as base:
        yield base, ids


def paths(ids: dict[str, str]) -> list[str]:
    found = ["/memory", "/memory/items", "/memory/items?tier=canonical&trust=rule", f"/memory/items/{ids['item']}"]
    found += [
        "/memory/about",
        "/memory/about?q=nobody",
        f"/memory/about/{ids['ada']}?done=confirmed",
        "/memory/ask",
        "/memory/work",
    ]
    found += [
        "/memory/ask?q=glaze",
        "/memory/ask?q=...",
        f"/memory/retrievals/{ids['asked']}",
        "/memory/retrievals",
        "/memory/work",
    ]
    return [*found, f"/clients/{ids['ada']}", "/search?q=qqqq", "/search?q=noon", "/routing"]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_is_accessible(browser, desk, width, scheme):
    page = console.opened(browser, desk[0], width, scheme)
    found = []
    for path in paths(desk[1]):
        page.goto(desk[0] + path)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = !d.closest('.topline') })")
        found += console.wrong(page, path, width)
    assert found == []
    assert [fault for fault in page.faults if "422" not in fault] == []


def test_a_question_is_asked_explained_and_asked_again(browser, desk):
    page = console.opened(browser, desk[0])
    page.goto(desk[0] + "/memory")
    page.fill(".ask [name=q]", "Which glaze do we need?")
    page.keyboard.press("Enter")
    page.wait_for_url("**/memory/ask*")
    marked = page.eval_on_selector_all(".answers-found mark", "all => all.map(m => m.innerText)")
    assert {"glaze", "need"} <= set(marked)
    page.click(".ranked summary >> nth=0")
    assert "words of the question that it holds" in page.inner_text(".ranked dl >> nth=0")
    page.click("text=Ask the same again and compare")
    page.wait_for_url("**/replay")
    assert "Identical: the same" in page.inner_text(".note[role=status]")
    assert page.faults == []


@pytest.mark.parametrize("script", [True, False])
def test_the_operator_settles_writes_and_forgets(browser, desk, script):
    page = console.opened(browser, desk[0], 390, script=script)
    ada = f"{desk[0]}/memory/about/{desk[1]['ada']}"
    page.goto(ada)
    page.click(".write > summary")
    page.fill("[name=attribute]", "payment terms" if script else "notice period")
    page.fill(".write [name=value]", "14 days")
    page.click("text=Keep it")
    page.wait_for_url("**done=written**")
    assert "on your word" in page.inner_text(".note.go")
    written = page.locator(".facts-list > li", has_text="14 days").first
    written.locator("summary:has-text('Forget')").click()
    written.locator("[name=why]").fill("It was a trial")
    written.locator("button:has-text('Forget it')").click()
    page.wait_for_url("**done=forgotten")
    page.click(".past > summary")
    assert "It was a trial" in page.inner_text(".past")


def test_a_contradiction_is_settled_from_the_page_of_the_client(browser, desk):
    page = console.opened(browser, desk[0])
    page.goto(f"{desk[0]}/clients/{desk[1]['ada']}")
    said = page.inner_text("main")
    assert "EUR 1,800" in said
    assert "1 invoice overdue" in said
    page.click("text=Settle them")
    page.wait_for_url("**/memory/about/**")
    page.click("#disputed button:has-text('Confirm')")
    page.wait_for_url("**done=confirmed**")
    assert page.locator("#disputed").count() == 0
    assert "May" in page.inner_text(".facts-list >> nth=0") or "May" in page.inner_text("main")


def test_an_item_is_corrected_and_its_history_stays(browser, desk):
    page = console.opened(browser, desk[0], 390, script=False)
    page.goto(f"{desk[0]}/memory/items/{desk[1]['item']}")
    page.click(".act summary:has-text('Correct')")
    page.fill("textarea[name=text]", "The glaze list is needed by May.")
    page.click("text=Keep this instead")
    page.wait_for_url("**done=corrected")
    said = page.inner_text("main")
    assert "What it took the place of" in said
    assert f"words from outside: {FROM}" in said
