"""What lies in an outgoing folder, listed: our keys, readable words, what is older left out."""

from datetime import UTC, datetime, timedelta

from soloist.app import App
from soloist.flows.reconciling import Reconciling
from soloist.sdk.mail import render

KEY = "b3" * 13
SENDER = {"name": "Mara", "address": "mara@studio-linde.example"}


def put(app: App, key: str, *, at: str, folder: str = "new", domain: str = "localhost") -> None:
    payload = {"to": ["ada@okafor-ceramics.example"], "subject": "Größe", "body": "x"}
    mail = render(payload, key, at, sender=SENDER, domain=domain)
    place = app.home.root / "mail/out" / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{key}.soloist").write_bytes(mail.message)


async def listed(app: App) -> list:
    since = datetime.now(UTC) - timedelta(days=30)
    return [thing async for thing in app.desk.connections["mail"].inventory("mail.send", since)]


async def test_mails_are_listed_with_our_key(app):
    now = datetime.now(UTC).isoformat()
    put(app, KEY, at=now)
    put(app, "c4" * 13, at=now, folder="cur", domain="elsewhere.example")
    put(app, "d5" * 13, at="2020-01-01T00:00:00+00:00")
    found = await listed(app)
    assert [(one.key, one.title) for one in found] == [(KEY, "Größe"), ("", "Größe")]
    assert found[0].fields["to"] == ["ada@okafor-ceramics.example"]


async def test_a_mail_with_a_key_nobody_here_knows_is_shown(app):
    put(app, KEY, at=datetime.now(UTC).isoformat())
    app.store.clock = lambda: datetime.now(UTC) + timedelta(minutes=5)
    (found,) = await Reconciling(app.desk).now("mail")
    assert (found["listed"], found["mismatches"]) == (1, 1)


async def test_a_folder_that_is_not_there_lists_nothing_and_is_no_fault(app):
    assert await listed(app) == []
