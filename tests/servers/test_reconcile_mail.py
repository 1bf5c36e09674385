"""The folder of sent mail of a real Dovecot against what this home holds: shown, proven, missing, doubled, your own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import settings as switches
from soloist.flows.after_cut import everything_since
from soloist.flows.reconciling import Reconciling
from soloist.sdk import Ctx, Trouble
from tests.flows.shelf import Stock
from tests.servers.dovecot_postfix import DOMAIN, PASSWORD, MailHouse
from tests.servers.mail_house import MAIL, ctx_for

pytestmark = pytest.mark.servers
KEY = "b3" * 13
SINCE = datetime.now(UTC) - timedelta(days=3)
TOML = """
[business]
email = "{user}@{domain}"
[connectors.post]
kind = "mail"
address = "{user}@{domain}"
username = "{user}"
password_secret = "pw"
imap_host = "localhost"
imap_port = {imaps}
smtp_host = "localhost"
smtp_port = {submission}
allow_private_network = true
ca_file = "{ca}"
"""


@pytest.fixture(scope="module")
def house() -> Iterator[MailHouse]:
    made = MailHouse()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
async def left() -> AsyncIterator[None]:
    yield
    await MAIL.close()


async def keep(ctx: Ctx, key: str, **payload: Any) -> None:
    """A copy in Sent as this home puts it there."""
    plan = MAIL.prepare(ctx, "mail.send", payload, key, datetime.now(UTC).isoformat())
    said = await MAIL.mailbox.keep(ctx, plan.request, str(plan.data["message_id"]))
    assert said.startswith("a copy"), said


async def kept_elsewhere(ctx: Ctx, subject: str, ident: str = "mine@phone.example") -> None:
    """A mail sent with another program."""
    message = EmailMessage()
    message["Subject"], message["To"], message["Message-ID"] = subject, "ada@okafor-ceramics.example", f"<{ident}>"
    message["Date"] = datetime.now(UTC)
    message.set_content("Hello")
    await MAIL.mailbox.keep(ctx, message.as_bytes(), ident)


async def listed(ctx: Ctx) -> list[Any]:
    return [thing async for thing in MAIL.inventory(ctx, "mail.send", SINCE)]


async def test_sent_is_listed_with_our_keys_and_readable_words(house: MailHouse) -> None:
    ctx = ctx_for(house, house.guest())
    long = "Größe der Töpfe und noch mehr " * 4
    await keep(ctx, KEY, to=["Ada <ada@okafor-ceramics.example>"], subject=long, body="x")
    await kept_elsewhere(ctx, "=?utf-8?q?Gr=C3=BC=C3=9Fe?=")
    first, other = await listed(ctx)
    assert (first.key, first.fields["to"]) == (KEY, ["ada@okafor-ceramics.example"])
    assert first.title == long.strip()
    assert (other.key, other.title) == ("", "Grüße")
    assert first.ref != other.ref
    assert first.at > SINCE.isoformat()


async def test_many_are_listed_page_by_page_and_nothing_is_marked(house: MailHouse) -> None:
    user = house.guest()
    ctx = ctx_for(house, user)
    for number in range(3):
        key = f"{'c4' * 12}{'abc'[number]}2"
        await keep(ctx, key, to=["ada@okafor-ceramics.example"], subject=str(number), body="x")
    assert [thing.title for thing in await listed(ctx)] == ["0", "1", "2"]
    assert [t async for t in MAIL.inventory(ctx, "mail.send", datetime.now(UTC) + timedelta(days=5))] == []


async def test_without_a_folder_of_sent_mail_it_is_a_trouble(house: MailHouse) -> None:
    with pytest.raises(Trouble, match="Nowhere"):
        await listed(ctx_for(house, house.guest(), sent_folder="Nowhere"))


class Post(Stock):
    """A home with a real mailbox instead of the shelf."""

    connector = "post"

    def __init__(self, app: App, house: MailHouse, user: str) -> None:
        super().__init__(app)
        app.keyring.put("pw", PASSWORD)
        ports = {"imaps": house.imaps, "submission": house.submission, "ca": house.certificate}
        app.home.toml.write_text(TOML.format(user=user, domain=DOMAIN, **ports), encoding="utf-8")
        app.connect()
        app.store.write_now(lambda tx: switches.put(tx, "sending.post", "allowed"))
        self.ctx = ctx_for(house, user)

    def given(self) -> dict[str, Any]:
        return {"to": ["ada@okafor-ceramics.example"], "subject": f"Letter {self.count}", "body": "Hello"}

    async def mailed(self, state: str, *, copy: bool = True) -> dict[str, Any]:
        """An effect in a state, and its copy in Sent."""
        effect = await self.effect(state, "mail.send")
        if copy:
            await keep(self.ctx, effect["key"], **self.given())
        return effect

    async def look(self) -> dict[str, Any]:
        (found,) = await Reconciling(self.desk).now("post")
        return dict(found)


@pytest.fixture
def post(tmp_path: Path, house: MailHouse) -> Iterator[Post]:
    app = App(tmp_path)
    app.store.writer.send = lambda *_: None
    yield Post(app, house, house.guest())
    app.close()


async def test_what_sent_shows_is_done_and_what_it_lacks_is_asked_about(post: Post) -> None:
    await post.mailed("succeeded")
    doubt, gone = await post.mailed("needs_human"), await post.mailed("succeeded", copy=False)
    await kept_elsewhere(post.ctx, "From my phone")
    found = await post.look()
    assert (found["listed"], found["matched"], found["own_hand"], found["proven"]) == (3, 1, 1, 1)
    assert post.row("effects", doubt["id"])["state"] == "resolved_done"
    (row,) = post.all()
    assert (row["kind"], row["effect"], row["title"]) == ("missing_outside", gone["id"], "Letter 3")


async def test_a_mail_that_lies_in_sent_after_a_restore_is_not_sent_again(post: Post) -> None:
    sent, waits = await post.mailed("intended"), await post.mailed("intended", copy=False)
    found = await everything_since(post.desk, datetime.now(UTC) - timedelta(hours=1))
    assert (found.found, found.unclear) == (1, 1)
    assert post.row("effects", sent["id"])["state"] == "succeeded"
    assert post.row("effects", waits["id"])["state"] == "intended"
