"""A home and the real process that serves it: started as a person would, ended politely or killed."""

from __future__ import annotations

import email
import email.policy
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from playwright.sync_api import Browser, Page

from soloist.app import App
from soloist.cli import sample
from soloist.engine.store import effects, tables
from soloist.engine.store.tx import Tx
from soloist.stages.effects.waiting import EFFECT
from tests.servers import test_console_browser as console

LINK = re.compile(r"Open (http://localhost:\d+\S*)")
LONG = "1h"
"""A hold that no slow machine outlasts; ``end_hold`` ends it."""


def until(true: Callable[[], Any], seconds: float = 240.0) -> Any:
    """The first true answer; fails when none comes in time."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"not true within {seconds:.0f} s"
        time.sleep(0.05)
    return found


class Running:
    """One process of ``soloist``; what it prints is kept in a file beside the home."""

    def __init__(self, home: Path, *words: str, port: int = 0) -> None:
        """Start it; ``words`` is the command, on a free port unless one is given."""
        self.home, self.began = home, time.monotonic()
        self.log = home.parent / f"{home.name}.{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "soloist", *words, "--home", str(home), "--no-open", "--port", str(port)]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ})

    def said(self) -> str:
        """Everything it printed so far."""
        return self.log.read_text(encoding="utf-8")

    @property
    def link(self) -> str:
        """The link it prints, as soon as it does."""
        found = until(lambda: LINK.search(self.said()) or self.process.poll() is not None)
        assert isinstance(found, re.Match), self.said()
        return found[1]

    @property
    def base(self) -> str:
        """The console's address."""
        return "/".join(self.link.split("/")[:3])

    def ready(self) -> Running:
        """Wait until it takes work."""
        until(lambda: _answers(self.base + "/readyz"))
        return self

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def end(self) -> float:
        """Ask it to end; returns how many seconds that took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(180)
            except subprocess.TimeoutExpired:
                self.kill()
        return time.monotonic() - began


def _answers(address: str) -> bool:
    """Whether 200 comes from there."""
    try:
        return httpx.get(address, timeout=60).status_code == 200
    except httpx.TransportError:
        return False


def sample_home(root: Path, hold: str) -> Path:
    """The sample company with another hold than its 30 seconds."""
    root.mkdir(parents=True)
    sample.write_into(root, datetime.now(UTC))
    set_hold(root, hold)
    return root


def set_hold(root: Path, hold: str) -> None:
    """Change how long an approved mail is held."""
    toml = root / "soloist.toml"
    text, changed = re.subn(r'^hold = "\w+"', f'hold = "{hold}"', toml.read_text("utf-8"), flags=re.MULTILINE)
    assert changed == 1
    toml.write_text(text, encoding="utf-8")


def end_hold(home: Path) -> None:
    """The hold of every mail that was approved ends now; waits until there is one that is held."""
    app = App(home)
    try:
        until(lambda: app.store.write_now(_end_holds))
    finally:
        app.close()


def _end_holds(tx: Tx) -> int:
    """How many were held."""
    held = [row for row in effects.in_states(tx.conn, ["intended"]) if row["not_before"] > tx.now]
    for row in held:
        effects.touch(tx, row, "the hold is over", not_before=tx.now)
        tx.send(row["run"], EFFECT, {"state": "woken"})
    return len(held)


def read_all(home: Path, count: int) -> None:
    """Wait until so many mails were taken in to their end, so that no card comes of its own any more."""
    taken = sa.select(tables.runs.c.state).where(tables.runs.c.flow == "intake")
    app = App(home)
    try:
        until(lambda: app.store.read_now(lambda conn: list(conn.execute(taken).scalars())) == ["done"] * count)
    finally:
        app.close()


def sent(home: Path) -> list[EmailMessage]:
    """The mails that left into the outgoing folder."""
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted((home / "mail/out/new").glob("*"))
    ]


def write_mail(folder: Path, name: str, *, sender: str, subject: str, text: str, answers: str = "") -> str:
    """Deliver a mail as a mail program would (first elsewhere, then moved); returns its Message-ID."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "mara@studio-linde.example", subject
    message["Message-ID"] = f"<{name}@story.example>"
    message["Date"] = datetime.now(UTC)
    if answers:
        message["In-Reply-To"] = message["References"] = answers
    message.set_content(text)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f"{name}.part"
    draft.write_bytes(message.as_bytes())
    draft.rename(folder / f"{name}.eml")
    return str(message["Message-ID"])


def visitor(browser: Browser, running: Running, *, script: bool = True) -> Page:
    """A page that nobody is signed in to; what it asks of other machines is stopped and kept as a fault."""
    base = running.base
    page = console.opened(browser, base, script=script)
    page.context.clear_cookies()
    page.context.route(lambda url: not url.startswith(base), lambda route: route.abort())
    page.set_default_timeout(120_000)
    return page


def inbox(browser: Browser, running: Running, *, script: bool = True) -> Page:
    """The console, opened with the link that was printed."""
    page = visitor(browser, running, script=script)
    page.goto(running.link)
    return page


def faults(page: Page) -> list[str]:
    """Errors of the page and requests to others."""
    found: list[str] = page.faults  # type: ignore[attr-defined]
    return found


def open_card(page: Page, title: str) -> str:
    """Open the card whose title holds some words; returns its id once it is shown."""
    row = page.locator(".row", has_text=title)
    card = str(row.get_attribute("id")).removeprefix("row-")
    row.click()
    page.wait_for_url(f"**/?card={card}*")
    page.wait_for_selector(f".sheet[data-card='{card}']")
    return card


def said(page: Page, selector: str, words: str) -> str:
    """The text of the one element of this kind that holds some words, once it is there: an older one is not meant."""
    found = page.locator(selector, has_text=words)
    found.wait_for()
    return found.inner_text()
