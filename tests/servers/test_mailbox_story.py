"""The whole job on the operator's own mailbox: a real Dovecot and Postfix, both stores, one story."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from soloist.app import App
from soloist.kernel.errors import NotAllowed
from tests.acceptance.ports import free_port
from tests.engine.store import databases
from tests.flows.conftest import House, prepare
from tests.servers.dovecot_postfix import DOMAIN, PASSWORD, MailHouse

pytestmark = pytest.mark.servers
ASKS = (
    "Hello Mara,\n\nwe need a new website with about six pages. Our budget is 3,000 to 4,000 EUR and we would like "
    "to start in March. How long does a website take?\n\nKind regards\nEmily Carter\n"
)


class NobodyHere:
    """The mail server of a domain where nobody has a mailbox."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        return f"550 5.1.1 <{address}>: there is nobody of this name here"


@pytest.fixture(scope="module")
def house() -> Iterator[MailHouse]:
    made = MailHouse()
    outside = Controller(NobodyHere(), hostname="127.0.0.1", port=free_port(), ready_timeout=120)
    try:
        outside.start()
        made.start()
        with (made.root / "postfix/main.cf").open("a") as file:
            file.write(f"transport_maps = inline:{{ carter-bakery.example=smtp:[127.0.0.1]:{outside.port} }}\n")
        with (made.root / "postfix/master.cf").open("a") as file:
            file.write("smtp unix - - n - - smtp\n")
        made._run("postfix", "-c", f"{made.root}/postfix", "reload")
        yield made
    finally:
        made.stop()
        outside.stop()


class Desk(House):
    """Studio Linde on a real mailbox of its own."""

    def __init__(self, root: Path, database: str) -> None:
        self.root, self.app = root, App(root, database=database)
        self.desk, self.delivered = self.app.desk, 0

    async def until(self, true: Callable[[], Any], seconds: float = 120.0) -> Any:
        """The first true answer; mail servers take their time."""
        return await super().until(true, seconds)


Open = Callable[..., Any]


@pytest.fixture(params=databases.KINDS)
async def desk(request: pytest.FixtureRequest, tmp_path: Path, house: MailHouse) -> AsyncIterator[Open]:
    """Opens the desk on the mailbox of a user."""
    opened: list[Desk] = []

    async def open_desk(user: str, **values: str) -> Desk:
        prepare(tmp_path / "home", _toml(house, user), {"hold": "0s", **values})
        database = "" if request.param == "sqlite" else databases.empty("postgres", tmp_path)
        made = Desk(tmp_path / "home", database)
        opened.append(made)
        made.app.keyring.put("mailbox", PASSWORD)
        await made.app.start()
        await made.until(lambda: [r for r in made.rows("streams") if r["stream"] == "inbox:INBOX"], 120.0)
        return made

    yield open_desk
    for made in opened:
        await made.app.stop()
        made.app.close()


def _toml(house: MailHouse, user: str) -> str:
    return f"""
[connectors.mailbox]
kind = "mail"
address = "{user}@{DOMAIN}"
username = "{user}"
password_secret = "mailbox"
imap_host = "localhost"
imap_port = {house.imaps}
smtp_host = "localhost"
smtp_port = {house.submission}
allow_private_network = true
ca_file = "{house.certificate}"
"""


def asks(user: str, ident: str, *, sender: str = f"bob@{DOMAIN}", name: str = "Emily Carter") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = f"{name} <{sender}>", f"{user}@{DOMAIN}"
    message["Subject"], message["Message-ID"] = "New website for our bakery", f"<{ident}@carter-bakery.example>"
    message.set_content(ASKS)
    return message


def submit(house: MailHouse, message: EmailMessage, sender: str = "bob") -> None:
    """Another person's mail program sends it."""
    with smtplib.SMTP("localhost", house.submission) as line:
        line.starttls(context=ssl.create_default_context(cafile=str(house.certificate)))
        line.login(sender, PASSWORD)
        line.send_message(message, from_addr=f"{sender}@{DOMAIN}")


def in_box(house: MailHouse, user: str, words: str, folder: str = "") -> list[str]:
    """The mails in a Maildir that hold some words."""
    box = house.box(user) / folder
    files = [path for name in ("new", "cur") for path in (box / name).glob("*")]
    try:
        return [text for text in (path.read_text(errors="replace") for path in files) if words in text]
    except FileNotFoundError:  # Dovecot moves a mail from new to cur when somebody opens the folder
        return in_box(house, user, words, folder)


async def asked(home: Desk, house: MailHouse, user: str, ident: str, **more: str) -> dict[str, Any]:
    """An enquiry is pushed and becomes a card; its proposal."""
    before = {row["id"] for row in home.rows("proposals")}
    began = time.monotonic()
    await asyncio.to_thread(submit, house, asks(user, ident, **more))

    def fresh() -> Any:
        return [row for row in home.rows("proposals", state="waiting") if row["id"] not in before]

    (proposal,) = await home.until(fresh, 120.0)
    print(f"pushed mail to card: {time.monotonic() - began:.2f} s")
    return dict(proposal)


async def test_read_allowed_answered_and_kept_in_sent(desk: Open, house: MailHouse):
    user = house.guest()
    home = await desk(user)
    proposal = await asked(home, house, user, "one")
    with pytest.raises(NotAllowed, match="only reads for now"):
        await home.say(proposal, "approve")
    await home.desk.allow_sending("mailbox", True, who="operator")
    await home.say(proposal, "approve")
    await home.until(lambda: home.rows("effects", state="succeeded"), 120.0)
    await home.until(lambda: in_box(house, "bob", f"Reply-To: {user}") or in_box(house, "bob", "<one@carter"), 120.0)
    assert in_box(house, user, "<one@carter-bakery.example>", ".Gesendet")
    await home.until(lambda: home.rows("messages", direction="out"))
    await asyncio.sleep(1.0)  # the copy in Sent comes back to us
    assert len(home.rows("messages", direction="out")) == 1


async def test_an_own_answer_withdraws_and_is_kept(desk: Open, house: MailHouse):
    user = house.guest()
    home = await desk(user)
    proposal = await asked(home, house, user, "two")
    own = asks(user, "mine")
    for name in ("From", "To", "Subject"):
        del own[name]
    own["From"], own["To"] = f"Mara Linde <{user}@{DOMAIN}>", f"bob@{DOMAIN}"
    own["Subject"], own["In-Reply-To"] = "Re: New website for our bakery", "<two@carter-bakery.example>"
    path = house.root / f"{user}.eml"
    path.write_bytes(own.as_bytes())
    path.chmod(0o644)
    house.doveadm("save", "-u", user, "-m", "Gesendet", str(path))
    home.app.sources.wake()
    await home.until(lambda: home.rows("proposals", id=proposal["id"], state="withdrawn"), 120.0)
    await home.until(lambda: home.rows("notes", kind="correction"))
    await home.until(lambda: home.rows("runs", flow="followup"))


async def test_a_bounce_turns_the_receipt(desk: Open, house: MailHouse):
    user = house.guest()
    home = await desk(user)
    await home.desk.allow_sending("mailbox", True, who="operator")
    proposal = await asked(home, house, user, "three", sender="emily@carter-bakery.example")
    await home.say(proposal, "approve")
    await home.until(lambda: home.rows("effects", state="failed"), 120.0)
    effect = home.rows("effects")[0]
    assert effect["late"]["recipients"][0]["address"] == "emily@carter-bakery.example"
    card = await home.until(lambda: home.card(type="failure"))
    assert card["title"].startswith("Not delivered: ")


async def test_the_past_is_one_card(desk: Open, house: MailHouse):
    user = house.guest()
    house.deliver(
        user, *[asks(user, f"old{n}", sender=f"client{n}@x.example").as_bytes() for n in range(30)], read=True
    )
    home = await desk(user)
    card = await home.until(lambda: home.card(type="review"), 120.0)
    assert "open threads" in card["title"]
    assert home.rows("proposals") == []
