"""The open page and a real home: what this process and another one commit shows up without a reload."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.servers import story

pytestmark = pytest.mark.servers


@pytest.fixture
def running(tmp_path: Path) -> Iterator[story.Running]:
    started = story.Running(story.sample_home(tmp_path / "home", "30s"), "demo").ready()
    yield started
    started.end()


def test_a_page_follows_its_home_and_a_stop_is_quick(browser: Browser, running: story.Running) -> None:
    page = story.inbox(browser, running)
    page.evaluate("window.reloaded = false")
    page.locator(".row").nth(3).wait_for(timeout=180_000)
    drop = running.home / "drop"
    story.write_mail(
        drop, "ida", sender="Ida Moor <ida@moor.example>", subject="Fonts for a poster", text="Hello, what?"
    )
    page.locator(".row", has_text="Ida Moor").wait_for(timeout=180_000)
    card = story.open_card(page, "Emily Carter")
    said = subprocess.run(
        [sys.executable, "-m", "soloist", "reject", card, "--home", str(running.home), "--yes"], capture_output=True
    )
    assert said.returncode == 0, said.stderr
    page.locator("#moved", has_text="You rejected it").wait_for()
    page.locator(f"#row-{card}").wait_for(state="detached")
    assert page.evaluate("window.reloaded") is False
    assert story.faults(page) == []
    print(f"ended {running.end():.1f} s after it was asked to")
    assert running.process.returncode != -9, "it had to be killed"
    page.wait_for_selector(".offbar:visible")
