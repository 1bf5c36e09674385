"""The console in Chromium behind the real wall: nothing breaks, nothing leaves, everybody can use it."""

from __future__ import annotations

import importlib.util
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.applications import Starlette

from soloist.config import Server
from soloist.web.pages import routes
from soloist.web.pages.edge import faults
from soloist.web.security import SecurityMiddleware

pytestmark = pytest.mark.servers

WEB = Path(__file__).parents[1] / "web"
CHROMIUM = os.environ.get("SOLOIST_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
AXE = (WEB / "vendor/axe.min.js").read_text()
RULES = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
PAGES = ["/", "/?card=c1", "/?card=c1&mode=edit", "/?card=c5", "/cards/c4", "/activity", "/records"]
PAGES += ["/records/person/p1", "/runs", "/runs/r2", "/why/c1", "/settings", "/settings/forms/contact", "/nothing"]
SIZES = [(1440, "light"), (1000, "dark"), (390, "light"), (390, "dark")]


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, WEB / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def desk() -> Iterator[tuple[str, Any]]:
    """A server with the story of Studio Linde; (address, the Door behind it)."""
    door, access = load("fake_door").FakeDoor(), load("memory_access").MemoryAccess()
    access.add_session("the-session", time.time())
    inner = Starlette(routes=routes(), exception_handlers=faults())
    inner.state.soloist = door
    listening = socket.create_server(("127.0.0.1", 0))
    wall = SecurityMiddleware(inner, access, Server())
    server = uvicorn.Server(uvicorn.Config(wall, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://localhost:{listening.getsockname()[1]}", door
    door.tell()
    server.should_exit = True
    thread.join(10)


def opened(browser: Browser, base: str, width: int = 1440, scheme: Any = "light", script: bool = True) -> Page:
    """A signed-in page that notes faults and requests that leave."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    context.add_cookies([{"name": "soloist", "value": "the-session", "url": base}])
    page = context.new_page()
    page.faults = []  # type: ignore[attr-defined]
    page.on("console", lambda m: page.faults.append(m.text) if m.type in ("error", "warning") else None)  # type: ignore[attr-defined]
    page.on("request", lambda r: None if r.url.startswith(base) else page.faults.append(r.url))  # type: ignore[attr-defined]
    return page


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_every_page_is_accessible_and_keeps_to_itself(browser, desk, width, scheme):
    page = opened(browser, desk[0], width, scheme)
    found = []
    for path in PAGES:
        page.goto(desk[0] + path)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append((path, "scrolls sideways"))
        page.evaluate(AXE)
        found += [(path, v["id"], v["nodes"][0]["html"][:120]) for v in page.evaluate(RULES)["violations"]]
    assert found == []
    assert [fault for fault in page.faults if "404" not in fault] == []


def test_a_day_by_keys(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/")
    page.keyboard.press("j")
    page.wait_for_url("**/?card=c1")
    page.keyboard.press("e")
    page.locator("textarea").fill("Dear Ada, yes.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("ins")
    page.keyboard.press("a")
    page.wait_for_selector(".toast")
    assert "4 things need you" in page.inner_text("h1")
    assert desk[1].decided[0][1].edits == {"text": "Dear Ada, yes."}
    page.keyboard.press("u")
    page.wait_for_selector(".toast.warn")
    assert "5 things need you" in page.inner_text("h1")
    assert page.faults == []


def test_money_needs_the_key_twice(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c3")
    page.keyboard.press("2")
    page.keyboard.press("a")
    assert page.inner_text("[data-key=a]") == "Press a again"
    assert desk[1].decided == []
    page.keyboard.press("a")
    page.wait_for_selector(".toast")
    assert desk[1].decided[0][1].option == "did_not_happen"


def test_what_will_run_follows_the_chosen_option(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c3")
    assert not page.get_by_text("shop.create_charge EUR 1,200").is_visible()
    page.keyboard.press("3")
    assert page.get_by_text("shop.create_charge EUR 1,200").is_visible()


def test_everything_works_without_scripts(browser, desk):
    page = opened(browser, desk[0], script=False)
    page.goto(desk[0] + "/")
    page.click("#row-c2")
    page.click("text=Edit")
    page.fill("textarea", "Dear Jonas, no.")
    page.click("text=Compare")
    page.click("text=Approve edit")
    assert "Approved. Runs in 30 s." in page.inner_text(".toast")
    page.click(".toast >> text=Undo")
    assert "Taken back" in page.inner_text(".toast")


def test_a_rejection_carries_its_reason(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c1")
    page.keyboard.press("x")
    page.keyboard.type("Too early")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?done=c1")
    assert (desk[1].decided[0][1].option, desk[1].decided[0][1].reason) == ("reject", "Too early")


def test_single_keys_can_be_turned_off(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c1")
    page.keyboard.press("?")
    page.uncheck("#single-keys")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert desk[1].decided == []


def test_on_a_phone_the_open_card_has_the_page_to_itself(browser, desk):
    page = opened(browser, desk[0], 390)
    page.goto(desk[0] + "/")
    assert not page.locator(".sheet").is_visible()
    page.click("#row-c1")
    assert not page.locator(".rail").is_visible()
    box = page.locator(".actions button.go").bounding_box()
    assert box is not None
    assert box["height"] >= 48
    assert box["y"] + box["height"] <= 900


def test_the_queue_follows_what_comes_in(browser, desk):
    page = opened(browser, desk[0])
    page.clock.install()
    page.goto(desk[0] + "/?card=c1")
    del desk[1].sheets["c4"]
    with page.expect_response("**/?card=c1"):
        page.clock.run_for(21_000)
    page.wait_for_selector("#row-c4", state="detached")
    assert page.locator(".row").count() == 4
    assert page.faults == []
