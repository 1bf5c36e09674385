"""The smtp connector against a real Postfix on loopback: delivery, refusals, a line cut after DATA."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from soloist.config import parse
from soloist.engine.outbound import Door
from soloist.engine.registry import load
from soloist.sdk import CannotTell, Done, Outcome, Refused, Unknown

pytestmark = pytest.mark.servers

_spec = importlib.util.spec_from_file_location("mail_server", Path(__file__).with_name("mail_server.py"))
mail_server = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mail_server)

AT = "2026-11-21T09:30:00+00:00"
PAYLOAD = {"to": ["ada@studio-linde.example"], "subject": "Größe – Preis", "body": ".a dot\n" + "ü" * 2000}


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    made = mail_server.MailServer()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def trusted(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))


def door_for(home: Path, port: int, password: str = "", **mail: Any) -> Door:
    given = {"kind": "smtp", "host": "localhost", "port": port, "allow_private_network": True, **mail}
    business = {"owner": "Mara Linde", "email": "mara@studio-linde.example"}
    return Door(parse({"business": business, "connectors": {"mail": given}}), home, load(), lambda name: password)


def submission(home: Path, server: Any, password: str) -> Door:
    return door_for(home, server.submission, password, username="mara", password_secret="mail_password")


async def send(door: Door, key: str, **payload: Any) -> Outcome:
    return await door.execute("mail", door.prepare("mail", "mail.send", {**PAYLOAD, **payload}, key, AT))


def with_key(mails: list[bytes], key: str) -> list[bytes]:
    return [raw for raw in mails if f"Message-ID: <{key}@".encode() in raw]


async def delivered(server: Any, key: str) -> list[bytes]:
    """The mails of that key in Ada's box, waiting up to two minutes for the first."""
    for _ in range(2400):
        if found := with_key(server.mails("ada"), key):
            return found
        await asyncio.sleep(0.05)
    return []


@pytest.mark.usefixtures("trusted")
async def test_a_mail_is_delivered_over_starttls_with_a_password(server: Any, tmp_path: Path) -> None:
    found = await send(submission(tmp_path, server, mail_server.PASSWORD), "key-delivered")
    assert isinstance(found, Done)
    (raw,) = await delivered(server, "key-delivered")
    message = message_from_bytes(raw, policy=default)
    assert message["Subject"] == PAYLOAD["subject"]
    assert message.get_content().rstrip("\n") == PAYLOAD["body"]


@pytest.mark.usefixtures("trusted")
async def test_a_wrong_password_is_an_auth_refusal(server: Any, tmp_path: Path) -> None:
    found = await send(submission(tmp_path, server, "wrong"), "key-password")
    assert isinstance(found, Refused)
    assert found.auth
    assert "535" in found.evidence
    assert "wrong" not in found.evidence


async def test_an_untrusted_certificate_sends_nothing(server: Any, tmp_path: Path) -> None:
    found = await send(submission(tmp_path, server, mail_server.PASSWORD), "key-untrusted")
    assert isinstance(found, Refused)
    assert "certificate" in found.reason
    await asyncio.sleep(0.3)
    assert with_key(server.mails("ada"), "key-untrusted") == []


@pytest.mark.usefixtures("trusted")
async def test_an_unknown_recipient_is_refused_for_good(server: Any, tmp_path: Path) -> None:
    found = await send(
        submission(tmp_path, server, mail_server.PASSWORD), "key-nobody", to=["nobody@studio-linde.example"]
    )
    assert isinstance(found, Refused)
    assert (found.retry_after, found.evidence[:3]) == (None, "550")


@pytest.mark.usefixtures("trusted")
async def test_a_mail_over_the_servers_limit_is_refused_before_it_is_sent(server: Any, tmp_path: Path) -> None:
    found = await send(submission(tmp_path, server, mail_server.PASSWORD), "key-large", body="x" * 1_000_000)
    assert isinstance(found, Refused)
    assert "at most 1000000 bytes" in found.reason


async def test_a_relay_that_wants_a_password_refuses_strangers(server: Any, tmp_path: Path) -> None:
    door = door_for(tmp_path, server.smtp, security="none")
    found = await send(door, "key-relay", to=["jonas@brandt-physio.example"])
    assert isinstance(found, Refused)
    assert found.retry_after is None


@asynccontextmanager
async def deaf_proxy(port: int) -> AsyncIterator[int]:
    """Passes everything on, and cuts the line to the client as soon as the whole message has gone to the server."""

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_connection("127.0.0.1", port)

        async def back() -> None:
            while data := await upstream.read(4096):
                writer.write(data)

        answers = asyncio.ensure_future(back())
        tail = b""
        while data := await reader.read(65536):
            tail = (tail + data)[-5:]
            if tail == b"\r\n.\r\n":
                answers.cancel()
                writer.transport.abort()
            to_server.write(data)
            if tail == b"\r\n.\r\n":
                await to_server.drain()
                await upstream.read(4096)
                break
        to_server.close()

    proxy = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield proxy.sockets[0].getsockname()[1]
    finally:
        proxy.close()


async def test_a_line_cut_after_the_message_is_unknown_and_the_mail_did_arrive(server: Any, tmp_path: Path) -> None:
    """The case that must never be retried: nobody here can know, and the mail is there."""
    async with deaf_proxy(server.smtp) as port:
        door = door_for(tmp_path, port, security="none")
        found = await send(door, "key-cut-off")
        looked_up = await door.find("mail", door.prepare("mail", "mail.send", PAYLOAD, "key-cut-off", AT))
    assert isinstance(found, Unknown)
    assert isinstance(looked_up, CannotTell)
    assert len(await delivered(server, "key-cut-off")) == 1
