"""The first ten minutes, minute by minute, in a real browser against real processes and real folders."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.servers import story

pytestmark = pytest.mark.servers

PASSWORD = "a calm desk at the window"
EMILY = "New website for our bakery"
NORA = "Nora Feld <nora@feld-yoga.example>"
ASKS = """Hello,

we need a new website for our yoga studio in Berlin, about five pages. Our budget is 3,500 EUR and we would like to
start in June. How long does a website take?

Kind regards
Nora Feld
Feld Yoga
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The sample company of minutes 0 to 3: {now: the process that runs}; tests put another in its place."""
    held: dict[str, Any] = {"home": tmp_path_factory.mktemp("demo") / "home"}
    held["now"] = story.Running(held["home"], "demo")
    yield held
    held["now"].end()


@pytest.fixture
def house(tmp_path: Path, browser: Browser) -> Iterator[SimpleNamespace]:
    """A real home of its own for each test: made with init, served with up, its operator signed in."""
    home = tmp_path / "home"
    made = [sys.executable, "-m", "soloist", "init", "--home", str(home), "--business", "Studio Linde"]
    said = subprocess.run(made, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout
    story.set_hold(home, "1s")
    now = story.Running(home, "up").ready()
    yield SimpleNamespace(home=home, said=said, now=now, drop=home / "drop")
    now.end()


def approve(page: Page) -> str:
    """Approve the open card by key; returns the toast."""
    page.keyboard.press("a")
    page.wait_for_selector(".toast")
    return page.inner_text(".toast")


def signed_in(browser: Browser, house: SimpleNamespace) -> Page:
    """The console of a fresh home after its password was chosen."""
    page = story.inbox(browser, house.now)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rail")
    return page


def test_minute_0_the_sample_opens_on_an_inbox_with_work_in_it(browser, demo, record_property):
    page = story.inbox(browser, demo["now"])
    first = time.monotonic() - demo["now"].began
    page.locator(".row", has_text=EMILY).wait_for()
    full = time.monotonic() - demo["now"].began
    print(f"first page after {first:.1f} s, work in the inbox after {full:.1f} s")
    record_property("seconds_to_inbox", round(full, 1))
    page.reload()
    assert page.locator(".row").count() >= 4
    assert "Sample data" in page.inner_text(".brand")
    assert re.match(r"\d+ things need you", page.inner_text("h1"))
    assert story.faults(page) == []


def test_minute_1_edit_approve_undo_approve_by_keys(browser, demo):
    page = story.visitor(browser, demo["now"])
    page.goto(way_in(demo))
    story.until(lambda: page.reload() and page.locator(".row").count() >= 7)
    while not page.locator(".row[aria-current=true]", has_text=EMILY).count():
        with page.expect_navigation(timeout=60_000):
            page.keyboard.press("j")
    edit_price(page)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("ins")
    assert "2,800" in page.inner_text(".diff del")
    assert "2,950" in page.inner_text(".diff ins")
    toast = approve(page)
    assert re.search(r"Approved\. Runs in (30|2\d) s\.", toast)
    assert "Undo" in toast
    page.keyboard.press("u")
    page.wait_for_selector(".toast.warn")
    assert page.locator(".row", has_text=EMILY).count() == 1
    story.open_card(page, EMILY)
    assert "2,950" in page.inner_text("#draft")
    approve(page)
    assert story.sent(demo["home"]) == []
    (mail,) = story.until(lambda: story.sent(demo["home"]), 60)
    assert "from 2,950 EUR" in mail.get_content()
    assert mail["To"] == "emily@carter-bakery.example"
    assert mail["In-Reply-To"] == "<CAF8x1-enquiry@carter-bakery.example>"
    assert story.faults(page) == []


def test_minute_3_a_kill_in_the_middle_loses_and_doubles_nothing(browser, demo):
    page = story.visitor(browser, demo["now"])
    page.goto(way_in(demo))
    story.open_card(page, "Demande pour une identité visuelle")
    approve(page)
    page.context.close()
    for number in range(20):
        story.write_mail(demo["home"] / "mail/in/new", f"k{number}", sender=NORA, subject=f"Site {number}", text=ASKS)
    story.until(lambda: any((demo["home"] / "mail/in/cur").glob("k*")))
    demo["now"].kill()
    assert len(story.sent(demo["home"])) == 1
    demo["now"] = story.Running(demo["home"], "demo")
    page = story.inbox(browser, demo["now"])
    to = story.until(lambda: len(story.sent(demo["home"])) == 2 and [m["To"] for m in story.sent(demo["home"])], 60)
    assert sorted(to) == ["chloe@atelier-martin.example", "emily@carter-bakery.example"]
    story.until(lambda: page.goto(demo["now"].base + "/") and page.locator(".row", has_text="Site ").count() == 20, 60)
    page.goto(demo["now"].base + "/activity?group=done")
    assert page.locator(".log li", has_text="identité visuelle").count() == 1
    page.goto(demo["now"].base + "/runs?state=failed")
    assert page.locator("tbody tr").count() == 0
    time.sleep(1)
    assert len(story.sent(demo["home"])) == 2
    assert story.faults(page) == []


def test_minute_5_a_real_home_a_password_an_empty_inbox(browser, house):
    assert str(house.home) in house.said
    assert "soloist up" in house.said
    page = story.inbox(browser, house.now)
    page.fill("[name=password]", "short")
    page.evaluate("document.querySelector('form').noValidate = true")
    page.keyboard.press("Enter")
    page.wait_for_selector(".error, [role=alert]")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rail")
    assert page.inner_text("h1") == "Nothing needs you"
    assert "house-book.md" in page.inner_text("#queue")
    page.goto(house.now.base + "/settings")
    page.locator("li", has_text="this one").get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    page.fill("[name=password]", "not the password")
    page.keyboard.press("Enter")
    page.get_by_text("This is not the password.").wait_for()
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rail")
    assert [f for f in story.faults(page) if "401" not in f and "422" not in f] == []


def test_minute_8_a_dropped_mail_and_a_form_arrive_as_cards(browser, house):
    page = signed_in(browser, house)
    first = story.write_mail(house.drop, "nora-1", sender=NORA, subject="Website for us", text=ASKS)
    page.locator(".row", has_text="Website for us").wait_for()
    guest = story.visitor(browser, house.now)
    guest.goto(house.now.base + "/f/contact")
    guest.fill("[name=name]", "Otto Kern")
    guest.fill("[name=email]", "otto@kern-holz.example")
    guest.fill("[name=message]", "We need a website for our workshop. Our budget is 5,000 EUR.")
    guest.wait_for_timeout(2100)  # a form that is sent sooner is a robot's
    guest.click("button.go")
    guest.get_by_text("Thank you").wait_for()
    page.locator(".row", has_text="Otto Kern").wait_for()
    assert "2 things need you" in page.inner_text("h1")
    story.open_card(page, "Website for us")
    assert "Hello Nora" in page.inner_text("#draft") or "Dear Nora" in page.inner_text("#draft")
    page.click("aside >> text=The record")
    page.wait_for_url("**/records/*/*")
    record = page.url
    assert "nora@feld-yoga.example" in page.inner_text("main")
    story.write_mail(
        house.drop,
        "nora-2",
        sender=NORA,
        subject="Re: Website for us",
        text="Hello,\n\none more question: who hosts the website? We need a new website soon.\n\nNora",
        answers=first,
    )
    page.goto(house.now.base + "/")
    page.locator(".row", has_text="Re: Website for us").wait_for()
    page.reload()
    assert page.locator(".row", has_text="Website for us").count() == 1
    story.open_card(page, "Website for us")
    page.click("aside >> text=The record")
    page.wait_for_url(record)
    assert story.faults(page) + story.faults(guest) == []


def test_minute_9_edit_approve_sent_once_and_explained(browser, house):
    page = signed_in(browser, house)
    story.write_mail(house.drop, "nora-1", sender=NORA, subject="Our new site", text=ASKS)
    page.locator(".row", has_text="Our new site").wait_for()
    card = story.open_card(page, "Our new site")
    page.keyboard.press("e")
    box = page.locator("textarea")
    box.fill(box.input_value() + "\nP.S. I am free on Monday.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("ins")
    approve(page)
    (mail,) = story.until(lambda: story.sent(house.home))
    assert "P.S. I am free on Monday." in mail.get_content()
    assert mail["To"] == "nora@feld-yoga.example"
    page.goto(f"{house.now.base}/why/{card}")
    said = page.inner_text("main")
    for words in ("Who decided", "Edited before", "The rule", "At the outside", "our yoga studio in Berlin"):
        assert words.lower() in said.lower()
    page.click("text=The whole run")
    page.wait_for_selector(".steps")
    assert page.locator("summary", has_text="What went in and came out").count() >= 4
    page.goto(house.now.base + "/records/lead")
    story.until(lambda: page.reload() and "answered" in page.inner_text("main"))
    assert "Nora Feld" in page.inner_text("main")
    assert story.faults(page) == []


def test_minute_9_reject_later_and_the_stop_button(browser, house):
    page, drop = signed_in(browser, house), house.drop
    story.write_mail(drop, "nora-1", sender=NORA, subject="Website for us", text=ASKS)
    page.locator(".row", has_text="Website for us").wait_for()
    story.open_card(page, "Website for us")
    page.keyboard.press("x")
    page.keyboard.type("Fully booked")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?done=*")
    assert "rejected" in page.inner_text(".toast")
    story.write_mail(drop, "ida", sender="Ida Moor <ida@moor.example>", subject="Shop", text=ASKS)
    story.write_mail(drop, "ben", sender="Ben Lau <ben@lau.example>", subject="Logo", text=ASKS)
    story.until(lambda: page.goto(house.now.base + "/") and page.locator(".row").count() == 2)
    story.open_card(page, "Shop")
    page.keyboard.press("s")
    page.keyboard.press("1")
    page.wait_for_url("**/?done=*")
    assert "Put off" in page.inner_text(".toast")
    page.click("text=Stop everything outbound")
    page.wait_for_selector(".bar.bad")
    story.open_card(page, "Logo")
    assert "stopped" in approve(page)
    time.sleep(2)  # the hold is a second
    assert story.sent(house.home) == []
    page.click("text=Let it go on")
    story.until(lambda: len(story.sent(house.home)) == 1)
    time.sleep(1)
    assert [m["To"] for m in story.sent(house.home)].count("ben@lau.example") == 1
    assert story.faults(page) == []


def test_minute_1_once_more_without_scripts(browser, tmp_path):
    home = story.sample_home(tmp_path / "home", "8s")
    running = story.Running(home, "demo").ready()
    try:
        page = story.inbox(browser, running, script=False)
        row = page.locator(".row", has_text=EMILY)
        story.until(lambda: page.reload() and row.count())
        row.click()
        page.click(".actions >> text=Edit")
        edit_price(page, by_keys=False)
        page.click("text=Compare")
        assert "2,950" in page.inner_text(".diff ins")
        page.click("text=Approve edit")
        assert "Approved. Runs in" in page.inner_text(".toast")
        page.click(".toast >> text=Undo")
        assert "Taken back" in page.inner_text(".toast")
        page.locator(".row", has_text=EMILY).click()
        page.click("text=Approve and send")
        (mail,) = story.until(lambda: story.sent(home))
        assert "from 2,950 EUR" in mail.get_content()
        assert mail["In-Reply-To"] == "<CAF8x1-enquiry@carter-bakery.example>"
        assert story.faults(page) == []
    finally:
        running.end()


def edit_price(page: Page, *, by_keys: bool = True) -> None:
    """Change a price in the open draft."""
    if by_keys:
        page.keyboard.press("e")
    box = page.locator("textarea[name='edit.body']")
    box.wait_for()
    text = box.input_value()
    assert "from 2,800 EUR" in text
    box.fill(text.replace("2,800", "2,950"))


def way_in(demo: dict[str, Any]) -> str:
    """A fresh link of a home that runs (the printed one works once)."""
    command = [sys.executable, "-m", "soloist", "open", "--home", str(demo["home"])]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"http://\S+", said)
    assert found, said
    return found[0]
