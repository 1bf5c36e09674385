"""Connecting a mailbox in Chromium: three forms with and without scripts, a sign-in with a real provider, axe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from soloist.app import App
from soloist.engine import registry
from soloist.sdk import Ctx, Health
from tests.flows import mailbox_fake as fake
from tests.servers import oauth_server, serving
from tests.servers import test_console_browser as console

pytestmark = pytest.mark.servers
SIZES = [(1440, "light"), (390, "dark")]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, App]]:
    """A served home whose adapter knows one password; (address, the App)."""
    real = registry.load

    def load() -> Any:
        found = real()
        found.connectors["mail"] = fake.FakeMail()
        return found

    monkeypatch.setattr(registry, "load", load)
    app = App(tmp_path)
    with serving.served(app) as base:
        yield base, app


def opened(
    browser: Browser, desk: tuple[str, App], width: int = 1440, scheme: Any = "light", script: bool = True
) -> Page:
    """A page that came in by a one-time link."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    link = desk[1].access.issue_link(time.time() + 600, sets_password=False)
    page.goto(f"{desk[0]}/welcome/{link}")
    if page.locator("form[action^='/welcome'] button").count():
        serving.followed(page, "form[action^='/welcome'] button")
    return page


def clean(page: Page, width: int) -> list[str]:
    """What axe and the width have against the page."""
    page.wait_for_load_state()
    page.evaluate(console.AXE)
    found = [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in page.evaluate(console.RULES)["violations"]]
    return found + (["scrolls sideways"] if page.evaluate("document.documentElement.scrollWidth") > width else [])


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_from_the_empty_inbox_to_a_mailbox_that_may_send(browser, desk, tmp_path, width, scheme):
    page, found = opened(browser, desk, width, scheme), []
    page.goto(desk[0] + "/")
    serving.followed(page, "text=Connect your mailbox")
    found += clean(page, width)
    page.fill("[name=address]", "ada@gmail.com")
    serving.followed(page, "text=Find the servers")
    page.wait_for_selector("[name=imap_host]")
    found += clean(page, width)
    page.screenshot(path=tmp_path / f"settings-{width}.png", full_page=True)
    page.fill("[name=secret]", "wrong")
    serving.followed(page, "button:has-text('Test')")
    page.wait_for_selector("[role=alert]")
    assert "Invalid credentials" in page.inner_text("[role=alert]")
    found += clean(page, width)
    page.fill("[name=secret]", fake.PASSWORD)
    serving.followed(page, "button:has-text('Test')")
    page.wait_for_selector("text=Invoice 2026-118")
    found += clean(page, width)
    page.screenshot(path=tmp_path / f"tested-{width}.png", full_page=True)
    serving.followed(page, "text=Keep this mailbox")
    page.wait_for_selector("text=only reads")
    found += clean(page, width)
    page.screenshot(path=tmp_path / f"mailboxes-{width}.png", full_page=True)
    serving.followed(page, "text=Allow sending")
    page.wait_for_selector("text=may send what you approve")
    assert not desk[1].desk.observe_only("mailbox")
    serving.followed(page, "text=Test now")
    page.wait_for_selector("text=The newest subjects")
    assert found + clean(page, width) == []


def test_it_works_without_scripts(browser, desk):
    page = opened(browser, desk, script=False)
    page.goto(desk[0] + "/settings/mailboxes/connect")
    page.fill("[name=address]", "ada@gmail.com")
    serving.followed(page, "text=Find the servers")
    page.fill("[name=secret]", fake.PASSWORD)
    serving.followed(page, "button:has-text('Test')")
    serving.followed(page, "text=Keep this mailbox")
    assert "can send nothing until you allow it" in page.inner_text("main")
    page.click("summary:has-text('Disconnect')")
    serving.followed(page, "button:has-text('Yes, disconnect')")
    assert "is disconnected" in page.inner_text("main")


def test_a_sign_in_goes_to_the_provider_and_comes_back(browser, desk, monkeypatch):
    accepts_any_token(monkeypatch)
    page = opened(browser, desk)
    with oauth_server.running() as provider:
        page.goto(desk[0] + "/settings/mailboxes/connect")
        page.fill("[name=address]", "ada@outlook.com")
        page.check("[name=private]")
        serving.followed(page, "text=Find the servers")
        page.fill("[name=client_id]", "mine")
        page.click("summary:has-text('other than')")
        page.fill("[name=authorize_url]", provider.authorize_url)
        page.fill("[name=token_url]", provider.token_url)
        serving.followed(page, "button:has-text('Test')")
        page.wait_for_selector("text=Go to the sign-in")
        assert clean(page, 1440) == []
        serving.followed(page, "text=Go to the sign-in")
        page.wait_for_selector("text=Invoice 2026-118")
        serving.followed(page, "text=Keep this mailbox")
        page.wait_for_selector("text=only reads")
    assert desk[1].keyring.names() == ["mailbox-refresh"]


def accepts_any_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapter takes whatever refresh token the provider gave."""

    async def check(self: Any, ctx: Ctx) -> Health:
        return Health("ok" if ctx.secrets[ctx.settings["refresh_secret"]] else "auth", samples=fake.SUBJECTS)

    monkeypatch.setattr(fake.FakeMail, "check", check)
