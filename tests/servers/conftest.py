"""What the tests with real servers share: one Chromium for the pages of a module, and which files begin first."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = os.environ.get("SOLOIST_CHROMIUM", "/usr/bin/chromium")
LONGEST = ("test_console_browser", "test_mailbox_story", "test_story_browser", "test_mail_real", "test_connect_mailbox")
"""Files that begin first, so that two workers end at about the same time."""
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first; the files stay whole."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser that the tests of one module look with."""
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=180_000)
        yield opened
        opened.close()
