"""How quick the console is to its operator: a decision to its toast, an event to the page, the weight of pages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

from bench.figures import Figure, Stopwatch, both
from soloist.insight import ranking

SOLOIST = (sys.executable, "-m", "soloist")
CHROMIUM = os.environ.get("SOLOIST_CHROMIUM", "/usr/bin/chromium")
TIMES = 20
PAGES = ("/", "/activity", "/records", "/runs", "/settings")
NOW = "2026-11-21T12:00:00.000000Z"

TOLD = """() => {
  window.seen = {};
  new MutationObserver(() => {
    for (const row of document.querySelectorAll('.row')) window.seen[row.textContent] ??= Date.now();
  }).observe(document.body, {childList: true, subtree: true});
}"""
DECIDED = """() => new Promise((done) => {
  const begun = performance.now(), before = document.querySelector('#toast [data-card]')?.dataset.card;
  const watch = new MutationObserver(() => {
    const now = document.querySelector('#toast [data-card]')?.dataset.card;
    if (!now || now === before) return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - begun));
  });
  watch.observe(document.body, {childList: true, subtree: true});
  document.querySelector('[data-key=a]').click();
})"""


def run() -> list[Figure]:
    """A real server with the sample company, and a real browser in front of it."""
    with tempfile.TemporaryDirectory(prefix="soloist-bench-") as folder, sync_playwright() as player:
        home = Path(folder, "home")
        server, link = _up(home)
        try:
            base = "/".join(link.split("/")[:3])
            browser = player.chromium.launch(executable_path=CHROMIUM, args=["--headless=new", "--no-sandbox"])
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            page.goto(link)
            told = _told(page, base, _token(home))
            decided = [_decided(page) for _ in range(TIMES)]
            weights = {path: _weight(context, base + path) for path in PAGES}
            browser.close()
        finally:
            server.terminate()
            server.wait(20)
    note = ", ".join(f"{path} {weight:.0f}" for path, weight in weights.items())
    return [
        *both(
            "an event to the open page", told, p95="< 150", note="from the answer of the API to the row in the queue"
        ),
        *both("a decision to its toast", decided, p95="< 150", note="from the click to the frame that shows it"),
        Figure(
            "heaviest page", max(weights.values()), "KB", "< 150", f"everything, as served to an empty cache: {note}"
        ),
        _order(),
    ]


def _up(home: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A server with the sample company, ready, and its one-time link."""
    log = home.parent / "log"
    command = (*SOLOIST, "demo", "--home", str(home), "--port", "0", "--no-open")
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        found = re.search(r"Open (http://localhost:\d+\S*)", log.read_text())
        if found and _ready("/".join(found[1].split("/")[:3]) + "/readyz"):
            time.sleep(5)  # the sample mails are being read
            return server, found[1]
        time.sleep(0.1)
    server.terminate()
    raise TimeoutError(f"the server was not ready within a minute: {log.read_text()[-400:]}")


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _token(home: Path) -> str:
    """A token that may propose."""
    command = (*SOLOIST, "token", "create", "--home", str(home), "--scope", "read,propose")
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _told(page: Page, base: str, token: str) -> list[float]:
    """Milliseconds from the commit of a card, as the API answers it, to its row on an open page."""
    page.goto(base + "/")
    page.wait_for_timeout(500)
    page.evaluate(TOLD)
    found = []
    for number in range(TIMES):
        subject = f"Number {number} of {TIMES}"
        _propose(base, token, subject, number)
        answered = time.time() * 1000
        page.wait_for_function("(s) => Object.keys(window.seen ?? {}).some((t) => t.includes(s))", arg=subject)
        seen: dict[str, float] = page.evaluate("window.seen")
        found.append(next(at for title, at in seen.items() if subject in title) - answered)
        page.wait_for_timeout(350)
    return [max(0.0, value) for value in found]


def _propose(base: str, token: str, subject: str, number: int) -> None:
    """A proposed mail that waits for the operator."""
    payload = {"to": ["ada@okafor-ceramics.example"], "subject": subject, "body": "Dear Ada,\n\nyes.\n\nMara Linde"}
    body: dict[str, Any] = {"connector": "mail", "operation": "mail.send", "payload": payload, "reason": subject}
    request = urllib.request.Request(
        base + "/api/v1/proposals",
        json.dumps({**body, "source_ref": str(number)}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=20).close()


def _decided(page: Page) -> float:
    """Milliseconds from the click on the approval of a proposed mail to its toast."""
    row = page.locator(".row", has_text="Number").first
    row.click()
    page.wait_for_selector(".row[aria-current=true]:has-text('Number')")
    page.wait_for_timeout(200)
    return float(page.evaluate(DECIDED))


def _weight(context: BrowserContext, address: str) -> float:
    """KB that a page and all it needs take on the wire with nothing in the cache."""
    browser = context.browser
    assert browser is not None
    fresh = browser.new_context(storage_state=context.storage_state(), service_workers="block")
    page, sizes = fresh.new_page(), [0]
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto(address, wait_until="load")
    page.wait_for_timeout(300)
    fresh.close()
    return sum(sizes) / 1000


def _order() -> Figure:
    """Milliseconds to order a thousand cards."""
    cards = [
        {
            "id": str(n),
            "created": NOW,
            "judgement": n % 2,
            "deadline": f"2026-11-{22 + n % 8}T12:00:00.000000Z",
            "value_minor": n * 977 % 10**6,
            "currency": "EUR",
            "estimate": 20 + n % 90,
            "snoozed_until": "",
        }
        for n in range(1000)
    ]
    with Stopwatch() as watch:
        ranking.ranked(cards, NOW)
    return Figure("order of 1,000 cards", watch.cpu * 1000, "ms", "< 50", "CPU")
