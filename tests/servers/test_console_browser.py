"""The console in Chromium behind the real wall: nothing breaks, nothing leaves, everybody can use it."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette

from soloist.config import Server
from soloist.insight import views
from soloist.web.auth import SignIn
from soloist.web.pages import routes
from soloist.web.pages.edge import faults
from soloist.web.security import SecurityMiddleware
from tests.servers import serving

pytestmark = pytest.mark.servers

WEB = Path(__file__).parents[1] / "web"
AXE = (WEB / "vendor/axe.min.js").read_text()
RULES = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
SEEN_RULES = "['color-contrast', 'target-size', 'scrollable-region-focusable']"
SEEN = f"axe.run(document, {{runOnly: {{type: 'rule', values: {SEEN_RULES}}}}})"
"""The rules whose answer depends on colours or widths."""
PAGES = ["/", "/?card=c1", "/?card=c1&mode=edit", "/?card=c5", "/cards/c4", "/activity", "/records"]
PAGES += ["/records/kinds", "/records/person/new", "/records/person/p1/edit"]
PAGES += ["/records/person/p1", "/runs", "/runs/r2", "/why/c1", "/settings", "/settings/forms/contact", "/nothing"]
PAGES += [
    "/safety",
    "/failures",
    "/actions",
    "/actions/shop/create_charge",
    "/agents",
    "/agents/billing",
    "/agents/billing/compare?old=1&new=2",
    "/skills",
    "/skills/read_invoice",
    "/attention",
    "/together/c1",
    "/alone",
    "/runs/r1/holds",
    "/runs/r2/holds",
    "/together/c2",
    "/review",
    "/review?sitting=115",
    "/review?sitting=105",
    "/cards/none",
    "/budgets",
    "/models",
    "/reconcile",
    "/records/merges",
    "/rules",
    "/rules/1",
    "/rules/2",
    "/reconcile/domains",
    "/corrections",
    "/replay",
    "/replay/t1",
]
PAGES += [
    "/give",
    "/give/t1",
    "/give/t2",
    "/agents/planner/work",
    "/agents/planner/work/w1",
    "/confidence",
    "/intents",
    "/telemetry",
    "/packages",
    "/packages/postcodes/be139ae1",
    "/playbooks",
    "/playbooks/new-client",
    "/playbooks/new-client/compare?old=1&new=2",
    "/playbooks/plans/plan:new-client:p1",
    "/packages/terse/be139ae1",
]
PAGES += ["/policy", "/policy/of/c1", "/signin", "/welcome/used", "/welcome/good", "/static/offline.html"]
SIZES = [(1440, 1000), (390, 390)]
"""Widths at which each page is looked at: with every rule in light, then with what can differ in dark."""


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, WEB / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def desk() -> Iterator[tuple[str, Any]]:
    """A server with the story of Studio Linde; (address, the Door behind it)."""
    door, access = load("fake_door").FakeDoor(), load("memory_access").MemoryAccess()
    access.add_session("the-session", time.time())
    access.add_link("good", sets_password=True)
    inner = Starlette(routes=[*SignIn(access).routes(), *routes()], exception_handlers=faults())
    inner.state.soloist = door
    with serving.listening(SecurityMiddleware(inner, access, Server())) as base:
        yield base, door
        door.tell()


def opened(browser: Browser, base: str, width: int = 1440, scheme: Any = "light", script: bool = True) -> Page:
    """A signed-in page that notes faults and requests that leave."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    context.add_cookies([{"name": "soloist", "value": "the-session", "url": base}])
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.faults = []  # type: ignore[attr-defined]
    page.on("console", lambda m: page.faults.append(m.text) if m.type in ("error", "warning") else None)  # type: ignore[attr-defined]
    page.on("request", lambda r: None if r.url.startswith(base) else page.faults.append(r.url))  # type: ignore[attr-defined]
    return page


STATES: dict[str, tuple[str, Callable[[Page], object]]] = {
    "keys": ("/", lambda page: page.keyboard.press("?")),
    "offline": ("/", lambda page: page.evaluate("dispatchEvent(new Event('offline'))")),
    "later": ("/?card=c1", lambda page: page.click("#later summary")),
    "reject": ("/?card=c1", lambda page: page.click("#reject summary")),
    "chosen": ("/?card=c3", lambda page: page.click(".option >> nth=2")),
    "moved": ("/?card=c1", lambda page: page.evaluate("document.querySelector('#moved').hidden = false")),
    "compared": ("/?card=c1&mode=edit", lambda page: edit(page, "Dear Ada, yes.")),
    "stale": ("/?card=c1", lambda page: stale(page)),
    "done": ("/?card=c2", lambda page: done(page)),
    "menu": ("/activity", lambda page: page.evaluate("document.querySelector('.menu').open = true")),
    "stopped": ("/settings", lambda page: serving.followed(page, "main form[action='/stop'] button")),
}
"""What can be on the screen besides a page as it loads: where it begins, and what makes it."""


def edit(page: Page, text: str) -> None:
    page.fill("textarea", text)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("ins")


def done(page: Page) -> None:
    page.click("[data-key=a]")
    page.wait_for_selector(".toast")


def stale(page: Page) -> None:
    page.evaluate("document.querySelector('#decide [name=payload_hash]').value = 'old'")
    page.click("[data-key=a]")
    page.wait_for_selector(".changed")


def wrong(page: Page, name: str, width: int) -> list[tuple[str, ...]]:
    """What is not as it should be for the one who looks: axe's findings, and a page that is wider than its screen."""
    page.wait_for_load_state()
    page.emulate_media(reduced_motion="reduce")  # colours do not move then, so that nothing waits for them
    page.evaluate(AXE)
    return _found(page, name, width, RULES)


def in_the_dark(page: Page, name: str, width: int) -> list[tuple[str, ...]]:
    """The same page in dark and as wide as this, by the rules whose answer can change; the page is light again then."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark")
    found = _found(page, f"{name} in dark", width, SEEN)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before)
    return found


def _found(page: Page, name: str, width: int, rules: str) -> list[tuple[str, ...]]:
    wide = page.evaluate("document.documentElement.scrollWidth") > width
    found = page.evaluate(rules)["violations"]
    return [(name, "scrolls sideways")] * wide + [(name, v["id"], v["nodes"][0]["html"][:160]) for v in found]


@pytest.mark.parametrize(("width", "dark"), SIZES)
def test_every_page_is_accessible_and_keeps_to_itself(browser, desk, width, dark):
    page = opened(browser, desk[0], width)
    found = []
    for path in PAGES:
        page.goto(desk[0] + path)
        found += wrong(page, path, width)
        found += in_the_dark(page, path, dark)
    assert found == []
    assert [fault for fault in page.faults if "404" not in fault and "410" not in fault] == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_every_state_is_accessible(browser, desk, width, scheme):
    page = opened(browser, desk[0], width, scheme)
    found = []
    for name, (path, act) in STATES.items():
        page.goto(desk[0] + path)
        act(page)
        found += wrong(page, name, width)
    assert found == []


@pytest.mark.parametrize("width", [1440, 390])
def test_an_empty_console_and_one_that_only_reads_are_accessible(browser, desk, width):
    page = opened(browser, desk[0], width, "dark" if width == 390 else "light")
    desk[1].sheets["c1"] = replace(desk[1].sheets["c1"], observed=True)
    page.goto(desk[0] + "/?card=c1")
    assert "This mailbox only reads for now" in page.inner_text(".actions")
    found = wrong(page, "observed", width)
    desk[1].empty()
    for path in ("/", "/activity", "/records", "/runs"):
        page.goto(desk[0] + path)
        found += wrong(page, f"empty {path}", width)
    assert found == []


def test_dark_can_be_chosen_for_one_browser(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/")
    page.keyboard.press("?")
    page.select_option("#theme", "dark")
    page.reload()
    assert page.get_attribute("html", "data-theme") == "dark"
    assert (
        page.evaluate(
            "getComputedStyle(document.body).colorScheme || getComputedStyle(document.documentElement).colorScheme"
        )
        == "dark"
    )


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
    page.locator(".toast", has_text="Approved. Runs in 30 s.").wait_for()
    page.click(".toast >> text=Undo")
    page.locator(".toast", has_text="Taken back").wait_for()


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
    page.wait_for_selector(".opened")
    assert not page.locator(".rail").is_visible()
    box = page.locator(".actions button.go").bounding_box()
    assert box is not None
    assert box["height"] >= 48
    assert box["y"] + box["height"] <= 900


def test_the_queue_follows_what_comes_in(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c1")
    listened(desk)
    del desk[1].sheets["c4"]
    desk[1].tell("inbox", "activity")
    page.wait_for_selector("#row-c4", state="detached")
    assert (page.locator(".row").count(), page.inner_text("h1")) == (4, "4 things need you")
    assert page.inner_text("#count-inbox").split() == ["4", "waiting"]
    assert page.faults == []


def listened(desk: tuple[str, Any], pages: int = 1) -> None:
    """Wait until that many pages have a stream."""
    until(lambda: len(desk[1].listening) >= pages)


def until(true: Callable[[], Any], wait: Callable[[], object] = lambda: time.sleep(0.01)) -> None:
    """Wait until it is so; a ``wait`` of the page lets what the page reports come in meanwhile."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, "not within 120 s"
        wait()


def test_an_empty_desk_shows_the_first_card_that_comes(browser, desk):
    page = opened(browser, desk[0])
    sheet = desk[1].sheets["c1"]
    desk[1].empty()
    page.goto(desk[0] + "/")
    listened(desk)
    desk[1].sheets["c1"] = sheet
    desk[1].tell("inbox")
    page.wait_for_selector(".sheet")


def test_the_open_card_is_never_swapped_under_the_reader(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c1&mode=edit")
    page.fill("textarea", "my careful words")
    listened(desk)
    body = replace(desk[1].sheets["c1"].draft[2], value="Dear Ada,\n\nno.\n\nMara Linde")
    fresh = replace(desk[1].sheets["c1"], payload_hash="new", draft=(*desk[1].sheets["c1"].draft[:2], body))
    desk[1].sheets["c1"] = fresh
    desk[1].tell("inbox")
    page.wait_for_selector("#moved:not([hidden])")
    assert page.input_value("textarea") == "my careful words"
    page.click("#moved button")
    page.wait_for_selector(".changed ins")
    assert "This changed since you looked" in page.inner_text(".changed")
    assert desk[1].decided == []


def test_a_second_tab_cannot_approve_what_it_has_not_seen(browser, desk):
    first, second = opened(browser, desk[0]), opened(browser, desk[0])
    for page in (first, second):
        page.goto(desk[0] + "/?card=c1")
    changed = replace(desk[1].sheets["c1"].draft[2], value="Dear Ada, another text.")
    desk[1].sheets["c1"] = replace(
        desk[1].sheets["c1"], payload_hash="new", draft=(*desk[1].sheets["c1"].draft[:2], changed)
    )
    second.keyboard.press("a")
    second.wait_for_selector(".changed ins")
    assert "nothing was approved" in second.inner_text(".changed")
    assert desk[1].decided == []
    second.keyboard.press("a")
    second.wait_for_selector(".toast")
    assert [d.payload_hash for _, d in desk[1].decided] == ["new"]
    listened(desk, 2)
    desk[1].tell("inbox")
    first.wait_for_selector("#moved:not([hidden])")
    assert "You approved it" in first.inner_text("#moved")


def test_the_activity_grows_at_its_top(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/activity")
    listened(desk)
    desk[1].more.append(views.Entry(1847, "2026-11-20T13:04:00Z", "mail", "Ada Okafor", "wrote again", "/why/c1"))
    desk[1].tell("activity")
    page.wait_for_selector(".log li:first-child >> text=wrote again")


def test_a_card_is_put_off_by_keys_and_taken_up_again(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c1")
    page.keyboard.press("s")
    page.keyboard.press("2")
    page.wait_for_selector(".toast >> text=It comes back tomorrow 08:00.")
    assert [(d.option, d.until) for _, d in desk[1].decided] == [("defer", "3days")]
    assert page.locator("#row-c1").count() == 0
    page.keyboard.press("u")
    page.wait_for_selector("#row-c1")


def kept_back(page: Page, address: str) -> Callable[[], None]:
    """Requests to an address stay on their way until what is answered here is called; it waits for the first."""
    kept: list[Any] = []
    free: list[bool] = []
    page.route(address, lambda route: route.continue_() if free else kept.append(route))

    def let_go() -> None:
        until(lambda: kept, lambda: page.wait_for_timeout(10))
        free.append(True)
        for route in kept:
            route.continue_()

    return let_go


def test_keys_that_come_while_a_card_is_on_its_way_wait_for_that_card(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/")
    let_go = kept_back(page, "**/?card=*")
    page.keyboard.press("j")
    page.keyboard.press("e")
    let_go()
    page.wait_for_selector("textarea")
    assert page.locator(".sheet").get_attribute("data-card") == "c1"


def test_keys_that_come_while_a_page_loads_are_kept_for_it(browser, desk):
    page = opened(browser, desk[0])
    page.clock.set_fixed_time("2026-11-20T13:05:00Z")  # keys are kept for five seconds, less than a load may take
    page.goto(desk[0] + "/activity")
    typed = "for (const key of 'gija') document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
    page.evaluate(typed)
    page.wait_for_selector(".sheet[data-card=c1]")
    assert desk[1].decided == []
    assert page.inner_text("#say") in ("", "A key came before its card was shown and was not counted.")


def test_a_key_pressed_twice_decides_one_card(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c1")
    let_go = kept_back(page, "**/decision")
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.keyboard.press("u")
    let_go()
    page.wait_for_selector(".toast.warn")
    assert [card for card, _ in desk[1].decided] == ["c1"]
    assert desk[1].undone == ["c1"]


def test_keys_go_to_the_search_to_pages_and_away_from_an_edit(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c1")
    page.keyboard.press("/")
    page.keyboard.type("a")
    assert page.input_value("#find") == "a"
    assert desk[1].decided == []
    page.locator("#sheet-title").click()
    page.keyboard.press("e")
    page.wait_for_selector("textarea:focus")
    page.keyboard.press("Escape")
    page.wait_for_selector("textarea", state="detached")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/activity")


def test_an_edit_is_not_left_by_accident(browser, desk):
    page = opened(browser, desk[0])
    asked: list[str] = []
    page.on("dialog", lambda d: (asked.append(d.message), d.dismiss()))
    page.goto(desk[0] + "/?card=c1&mode=edit")
    page.fill("textarea", "my careful words")
    page.click("#row-c2")
    page.keyboard.press("Escape")
    until(lambda: len(asked) == 2, lambda: page.wait_for_timeout(10))
    assert asked == ["Leave this card without keeping your edit?"] * 2
    assert page.input_value("textarea") == "my careful words"


def test_of_two_quick_choices_the_later_one_is_shown(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/")
    let_go = kept_back(page, "**/?card=c1")
    page.evaluate("for (const id of ['c1', 'c2']) document.querySelector(`#row-${id}`).click()")
    page.wait_for_url("**/?card=c2")
    page.wait_for_selector(".sheet[data-card=c2]")
    with page.expect_event("requestfinished", lambda request: request.url.endswith("card=c1")):
        let_go()
    page.wait_for_timeout(300)
    assert page.get_attribute(".sheet", "data-card") == "c2"
    assert page.url.endswith("card=c2")


def test_a_lost_server_says_that_decisions_are_kept(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/?card=c1")
    listened(desk)
    page.context.set_offline(True)
    page.wait_for_selector(".offbar:visible")
    page.keyboard.press("a")
    page.wait_for_function("document.querySelector('#say').textContent.includes('No answer came')")
    assert desk[1].decided == []
    page.context.set_offline(False)
    page.wait_for_selector(".offbar", state="hidden")
    page.keyboard.press("a")
    page.wait_for_selector(".toast")


def test_only_a_page_that_is_looked_at_says_so(browser, desk):
    page = opened(browser, desk[0])
    page.goto(desk[0] + "/")
    until(lambda: desk[1].looks)
    listened(desk)
    assert desk[1].looks == [("operator", 1846)]
    hidden = opened(browser, desk[0])
    hidden.add_init_script("Object.defineProperty(document, 'hidden', {get: () => true})")
    hidden.goto(desk[0] + "/")
    hidden.wait_for_timeout(300)
    assert len(desk[1].looks) == 1
    assert len(desk[1].listening) == 1


def test_the_console_can_be_installed_and_has_a_page_for_offline(browser, desk):
    page = opened(browser, desk[0], 390)
    page.goto(desk[0] + "/")
    manifest = page.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then(a => a.json())")
    sizes = {(i["sizes"], i["purpose"]) for i in manifest["icons"]}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= sizes
    assert all(page.evaluate("(u) => fetch(u).then(a => a.status)", i["src"]) == 200 for i in manifest["icons"])
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.context.set_offline(True)
    page.goto(desk[0] + "/activity")
    assert page.inner_text("h1") == "You are offline"
    kept = page.evaluate("caches.keys().then(n => caches.open(n[0])).then(c => c.keys()).then(k => k.map(r => r.url))")
    assert all("/static/" in url for url in kept)


def test_on_a_phone_an_action_has_room_for_a_thumb(browser, desk):
    page = opened(browser, desk[0], 390)
    page.goto(desk[0] + "/?card=c1")
    for button in page.locator(".actions > button, .actions > a, .actions summary").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 48
    page.click("#later summary")
    inside = page.locator("#later form").bounding_box()
    assert inside is not None
    assert inside["x"] >= 0
    assert inside["x"] + inside["width"] <= 390


def test_a_page_weighs_less_than_150_kilobytes_on_the_wire(browser, desk):
    page = opened(browser, desk[0])
    weights = {}
    for path in ("/?card=c1", "/activity", "/settings"):
        page.context.clear_cookies(name="none")
        sizes: list[int] = []
        page.on("requestfinished", lambda r, s=sizes: s.append(r.sizes()["responseBodySize"]))
        page.goto(desk[0] + path)
        page.wait_for_timeout(200)
        weights[path] = sum(sizes)
    assert max(weights.values()) < 150_000, weights
