"""Deciding by mail with a real Postfix and Dovecot, and by a one-time link in Chromium."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Browser

from soloist.app import App
from soloist.engine.store import settings, tables_out, tasks
from soloist.flows.deciding import Deciding
from soloist.flows.urgent import Urgent
from soloist.kernel.proposal import NewProposal
from tests.flows.conftest import prepare
from tests.flows.test_by_mail import code_in, press
from tests.servers import serving
from tests.servers import test_console_browser as console
from tests.servers.dovecot_postfix import DOMAIN, PASSWORD, MailHouse
from tests.servers.test_mailbox_story import Desk, _toml, asked, in_box, submit

pytestmark = pytest.mark.servers
SIZES = [(1280, "light"), (390, "dark")]


@pytest.fixture(scope="module")
def house() -> Iterator[MailHouse]:
    made = MailHouse()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
async def desk(tmp_path: Path, house: MailHouse) -> AsyncIterator[tuple[Desk, str]]:
    """Studio Linde on the mailbox of a guest, who is its operator and lets it send."""
    user, root = house.guest(), tmp_path / "home"
    prepare(root, _toml(house, user), {"hold": "1s"})
    toml = (root / "soloist.toml").read_text("utf-8")
    toml, changed = re.subn(r'^email = ".*"', f'email = "{user}@{DOMAIN}"', toml, count=1, flags=re.MULTILINE)
    assert changed == 1
    (root / "soloist.toml").write_text(toml, "utf-8")
    home = Desk(root, "")
    home.app.keyring.put("mailbox", PASSWORD)
    await home.app.start()
    await home.until(lambda: [r for r in home.rows("streams") if r["stream"] == "inbox:INBOX"], 120.0)
    await home.desk.allow_sending("mailbox", True, who="operator")
    yield home, user
    await home.app.stop()
    home.app.close()


def answer(letter: EmailMessage, user: str, words: str) -> EmailMessage:
    """What the operator's mail program sends to the operator."""
    message = EmailMessage()
    message["From"] = message["To"] = f"{user}@{DOMAIN}"
    message["Subject"], message["Message-ID"] = f"Re: {letter['Subject']}", f"<answer@{DOMAIN}>"
    message["In-Reply-To"] = message["References"] = letter["Message-ID"]
    quoted = "".join(f"> {line}\n" for line in letter.get_content().splitlines())
    message.set_content(f"{words}\n\nOn Saturday, 21 November 2026, Soloist wrote:\n{quoted}")
    return message


def told(house: MailHouse, user: str) -> str:
    """The words of what came as an answer to the answer."""
    found = in_box(house, user, f"In-Reply-To: <answer@{DOMAIN}>")
    letters = [cast(EmailMessage, email.message_from_string(raw, policy=email.policy.default)) for raw in found]
    return " ".join(" ".join(letter.get_content().split()) for letter in letters)


async def test_a_letter_arrives_is_answered_and_the_mail_leaves_once(desk: tuple[Desk, str], house: MailHouse):
    home, user = desk
    await asked(home, house, user, "by-mail")
    press(home)
    assert len(await Urgent(home.desk).look()) <= 1, "the server's own look may have been first"
    (raw,) = await home.until(lambda: in_box(house, user, "Your code for this one"), 120.0)
    letter = cast(EmailMessage, email.message_from_string(raw, policy=email.policy.default))
    said = answer(letter, user, f"approve {code_in(letter)}")
    house.deliver(f"{user}/.Gesendet", said.as_bytes(), read=True)
    await asyncio.to_thread(submit, house, said, user)
    await home.until(lambda: in_box(house, "bob", "In-Reply-To: <by-mail@carter-bakery.example>"), 120.0)
    await home.until(lambda: "approved. It goes out once." in told(house, user), 120.0)
    await home.until(lambda: len(home.rows("runs", flow="sent")) >= 1, 120.0)
    (one,) = [row for row in home.rows("approvals") if row["who"] == "operator"]
    assert (one["decision"], one["via"]) == ("approve", "mail")
    assert len(in_box(house, "bob", "In-Reply-To: <by-mail@carter-bakery.example>")) == 1
    assert len(home.rows("messages", direction="in")) == 1
    await home.until(lambda: not home.rows("tasks", state="open"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Callable[[], str], App]]:
    """A served home with a held answer on a known thread; (makes a link to its card, the App)."""
    (tmp_path / "soloist.toml").write_text('[business]\nname = "Studio Linde"\nemail = "mara@studio-linde.example"\n')
    app = App(tmp_path)
    with serving.served(app) as base:
        app.store.write_now(lambda tx: settings.put(tx, "console.address", base))
        yield lambda: f"{base}/d/{Deciding(app.desk).secrets.token(app.store.write_now(lambda tx: mark(app, tx)))}", app


def mark(app: App, tx: Any) -> str:
    """The mark of a fresh code for the card of one proposal, which is made once."""
    body = "Hello Ada,\n\nyour site is ready: https://okafor-ceramics.example/\n\nMara"
    payload = {"to": ["ada@okafor-ceramics.example"], "subject": "Your new site", "body": body}
    new = NewProposal("p1", "mail", "mail.send", payload, "She asked.", "agent:intake", title="Reply to Ada Okafor",
                      new_recipient=False, thread_known=True)  # fmt: skip
    app.desk.approvals.propose(tx, new, app.desk.facts("mail", "mail.send"), actor="intake")
    card = tasks.open_for(tx.conn, "p1")
    assert card is not None
    return Deciding(app.desk).ticket(tx, card, to="mara@studio-linde.example").mark


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_page_of_a_link_without_scripts(browser: Browser, served: Any, width: int, scheme: Any):
    link, app = served
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=False
    )
    page, foreign = context.new_page(), []
    page.set_default_timeout(120_000)
    base = link().partition("/d/")[0]
    page.on("request", lambda request: None if request.url.startswith(base) else foreign.append(request.url))
    page.goto(link())
    assert page.locator("h1").inner_text() == "Reply to Ada Okafor"
    assert page.locator("a[href*='okafor']").count() == 0
    page.screenshot(path=str(app.home.root / "oneclick.png"), full_page=True)
    with page.expect_navigation():
        page.get_by_role("button", name="Approve", exact=True).click()
    assert "You approved it" in page.locator("main").inner_text()
    rows = app.store.read_now(lambda conn: conn.execute(tables_out.decision_codes.select()).all())
    assert all(row.used for row in rows)
    assert foreign == []
    context.close()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_page_of_a_link_can_be_used_by_everybody(browser: Browser, served: Any, width: int, scheme: Any):
    link, _app = served
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(link())
    page.evaluate(console.AXE)
    found = page.evaluate(console.RULES)
    assert [fault["id"] for fault in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()
