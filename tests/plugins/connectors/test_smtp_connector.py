"""The smtp connector against aiosmtpd and against scripted servers that break in every phase of the conversation."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, Session

from soloist.engine.egress import Egress
from soloist.plugins.connectors.mail import CONNECTORS, server, talk
from soloist.sdk import CannotTell, Ctx, Done, NotSent, Outcome, Plan, Refused, Unknown

CONNECTOR = next(one for one in CONNECTORS if one.kind == "smtp")
KEY = "k2f7q0a9example"
AT = "2026-11-21T09:30:00+00:00"
ADA = "ada@okafor-ceramics.example"


class Mailbox:
    """The other side's behaviour; each reply can be replaced by a test."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.rcpt = self.data = ""

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list
    ) -> str:
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope)
        return self.data or "250 2.0.0 queued as 4711"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def port(mailbox: Mailbox) -> Iterator[int]:
    yield from running(mailbox)


def running(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    yield controller.port
    controller.stop()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def ctx_for(port: int, *, host: str = "127.0.0.1", secrets: dict[str, str] | None = None, **settings: Any) -> Ctx:
    given = {
        "host": host,
        "port": port,
        "security": "none",
        "username": "",
        "password_secret": "",
        "hold": 30.0,
        "sender": {"name": "Mara Linde", "address": "mara@studio-linde.example"},
        **settings,
    }
    return Ctx(
        "mail",
        given,
        dial=Egress(host, port, allow_private=True, resolver=loopback),
        secrets=secrets or {},
        home_domain="studio-linde.example",
    )


async def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def plan(ctx: Ctx, **payload: Any) -> Plan:
    return CONNECTOR.prepare(
        ctx, "mail.send", {"to": [ADA], "subject": "Größe", "body": ".dot\nHello", **payload}, KEY, AT
    )


async def outcome(ctx: Ctx, **payload: Any) -> Outcome:
    return await CONNECTOR.execute(ctx, plan(ctx, **payload))


async def test_a_mail_arrives_as_it_was_approved(port: int, mailbox: Mailbox) -> None:
    ctx = ctx_for(port)
    prepared = plan(ctx)
    found = await CONNECTOR.execute(ctx, prepared)
    assert isinstance(found, Done)
    assert found.receipt.provider_ref == f"<{KEY}@studio-linde.example>"
    assert "4711" in found.receipt.detail
    assert bytes(mailbox.mails[0].content) == prepared.request
    assert (mailbox.mails[0].mail_from, mailbox.mails[0].rcpt_tos) == ("mara@studio-linde.example", [ADA])
    assert message_from_bytes(mailbox.mails[0].content, policy=default)["Subject"] == "Größe"


async def test_a_large_mail_arrives_whole(port: int, mailbox: Mailbox) -> None:
    body = "ä.\n" * 100_000
    assert isinstance(await outcome(ctx_for(port), body=body), Done)
    content = message_from_bytes(mailbox.mails[0].content, policy=default).get_content()
    assert content.replace("\r\n", "\n") == body


def test_mail_is_class_c_held_and_split_by_recipient() -> None:
    operation = CONNECTOR.operations(ctx_for(25))["mail.send"]
    assert (operation.effect_class, operation.hold, operation.split) == ("C", 30.0, "to")


async def test_a_sent_mail_cannot_be_looked_up(port: int) -> None:
    ctx = ctx_for(port)
    assert isinstance(await CONNECTOR.find(ctx, plan(ctx)), CannotTell)


@pytest.mark.parametrize(("reply", "retry"), [("550 5.1.1 no such user", None), ("451 4.7.1 greylisted", 300.0)])
async def test_a_refused_recipient_is_refused(port: int, mailbox: Mailbox, reply: str, retry: float | None) -> None:
    mailbox.rcpt = reply
    found = await outcome(ctx_for(port))
    assert isinstance(found, Refused)
    assert found.retry_after == retry
    assert reply[4:] in found.evidence
    assert mailbox.mails == []


async def test_one_refused_recipient_of_several_sends_to_none(port: int, mailbox: Mailbox) -> None:
    mailbox.rcpt = "550 no"
    assert isinstance(await outcome(ctx_for(port), cc="jonas@brandt-physio.example"), Refused)
    assert mailbox.mails == []


async def test_a_5xx_after_the_message_is_refused_for_good(port: int, mailbox: Mailbox) -> None:
    mailbox.data = "554 5.7.1 looks like spam"
    found = await outcome(ctx_for(port))
    assert isinstance(found, Refused)
    assert found.retry_after is None


async def test_a_4xx_after_the_message_is_unknown(port: int, mailbox: Mailbox) -> None:
    mailbox.data = "451 4.3.0 try later"
    found = await outcome(ctx_for(port))
    assert isinstance(found, Unknown)
    assert "451" in found.evidence
    assert len(mailbox.mails) == 1


async def test_a_mail_over_the_servers_size_is_refused_before_it_is_sent(mailbox: Mailbox) -> None:
    for port in running(mailbox, data_size_limit=2000):
        found = await outcome(ctx_for(port), body="x" * 5000)
        assert isinstance(found, Refused)
        assert "at most 2000 bytes" in found.reason
    assert mailbox.mails == []


async def test_a_closed_port_is_refused_and_tried_later() -> None:
    found = await outcome(ctx_for(free_port()))
    assert isinstance(found, Refused)
    assert found.retry_after == 60.0


async def test_an_address_outside_the_rules_is_never_dialled() -> None:
    ctx = ctx_for(25)
    refusing = Ctx(ctx.name, ctx.settings, dial=Egress("127.0.0.1", 25), home_domain=ctx.home_domain)
    found = await outcome(refusing)
    assert isinstance(found, Refused)
    assert "private network" in found.reason


# --- scripted servers ---------------------------------------------------------------------------

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


async def serve(script: Script) -> AsyncIterator[int]:
    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def until(stop: str, *, how: str = "close") -> Script:
    """A server that is polite until the command ``stop`` and then closes, resets, or says nothing more."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def end() -> None:
            if how == "silence":
                await asyncio.sleep(30)
            if how == "reset":
                writer.transport.abort()

        if stop == "greeting":
            return await end()
        writer.write(b"220 hello\r\n")
        while True:
            command = (await reader.readuntil(b"\r\n")).split()[0].decode().upper()
            if command == stop:
                return await end()
            if command == "EHLO":
                writer.write(b"250 mail.example\r\n")
            elif command == "DATA":
                writer.write(b"354 go on\r\n")
                if stop == "message":
                    await reader.readexactly(20)
                    return await end()
                await reader.readuntil(b"\r\n.\r\n")
                return await end()
            else:
                writer.write(b"250 OK\r\n")

    return script


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "PHASE", 0.8)
    monkeypatch.setattr(talk, "BODY", 0.8)


@pytest.mark.parametrize("how", ["close", "reset", "silence"])
@pytest.mark.parametrize("stop", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.usefixtures("hasty")
async def test_a_line_that_breaks_before_the_message_is_refused(stop: str, how: str) -> None:
    async for port in serve(until(stop, how=how)):
        found = await outcome(ctx_for(port))
    assert isinstance(found, Refused)
    assert found.retry_after == 60.0


@pytest.mark.usefixtures("hasty")
async def test_a_line_that_breaks_in_the_middle_of_a_large_message_is_refused() -> None:
    async for port in serve(until("message", how="reset")):
        found = await outcome(ctx_for(port), body="x" * 900_000)
    assert isinstance(found, Refused)


@pytest.mark.parametrize("how", ["close", "reset", "silence"])
@pytest.mark.usefixtures("hasty")
async def test_a_line_that_breaks_after_the_message_is_unknown(how: str) -> None:
    async for port in serve(until("never", how=how)):
        found = await outcome(ctx_for(port))
    assert isinstance(found, Unknown)
    assert "whole message" in found.reason


@pytest.mark.usefixtures("hasty")
async def test_a_reply_that_is_no_reply_after_the_message_is_unknown() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        for _ in range(3):
            await reader.readuntil(b"\r\n")
            writer.write(b"250 OK\r\n")
        await reader.readuntil(b"DATA\r\n")
        writer.write(b"354 go on\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"what?\r\n")
        await asyncio.sleep(1)

    async for port in serve(script):
        assert isinstance(await outcome(ctx_for(port)), Unknown)


# --- encryption and signing in ------------------------------------------------------------------


class Knows:
    """Accepts mara with the password "pw"."""

    def __call__(self, server: Server, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"mara", b"pw"), handled=False)


@pytest.fixture
def pem(certificate: Callable[[str], tuple[Path, ssl.SSLContext]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for mail.studio-linde.example that this process trusts."""
    path, trusting = certificate("mail.studio-linde.example")
    monkeypatch.setattr(server.Server, "tls", lambda _server: trusting)
    return path


@pytest.fixture
def secure(pem: Path, mailbox: Mailbox) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    yield from running(mailbox, tls_context=context, require_starttls=True, auth_required=True, authenticator=Knows())


SIGNED = {"security": "starttls", "username": "mara", "password_secret": "mail_password"}


def signed(port: int, password: str = "pw", host: str = "mail.studio-linde.example") -> Ctx:
    return ctx_for(port, host=host, secrets={"mail_password": password}, **SIGNED)


async def test_starttls_and_password_send(secure: int, mailbox: Mailbox) -> None:
    assert isinstance(await outcome(signed(secure)), Done)
    assert len(mailbox.mails) == 1


async def test_a_wrong_password_is_refused_as_such(secure: int, mailbox: Mailbox) -> None:
    found = await outcome(signed(secure, "wrong"))
    assert isinstance(found, Refused)
    assert found.auth
    assert (await CONNECTOR.check(signed(secure, "wrong"))).state == "auth"
    assert (await CONNECTOR.check(signed(secure))).state == "ok"
    assert mailbox.mails == []


async def test_a_missing_password_sends_nothing(secure: int, mailbox: Mailbox) -> None:
    ctx = ctx_for(secure, host="mail.studio-linde.example", **SIGNED)
    found = await outcome(ctx)
    assert isinstance(found, Refused)
    assert (found.auth, mailbox.mails) == (True, [])


async def test_a_certificate_for_another_name_is_refused(secure: int, mailbox: Mailbox) -> None:
    found = await outcome(signed(secure, host="other.example"))
    assert isinstance(found, Refused)
    assert "certificate of other.example" in found.reason
    assert mailbox.mails == []


async def test_without_encryption_neither_password_nor_mail_leaves(port: int, mailbox: Mailbox) -> None:
    found = await outcome(ctx_for(port, secrets={"mail_password": "pw"}, **SIGNED))
    assert isinstance(found, Refused)
    assert "STARTTLS" in found.reason
    assert mailbox.mails == []


def test_a_payload_fault_names_the_field() -> None:
    with pytest.raises(ValueError, match="^subject: "):
        plan(ctx_for(25), subject="a\nBcc: b@c.example")


def test_no_connection_without_a_grant() -> None:
    ctx = Ctx("mail", ctx_for(25).settings, home_domain="studio-linde.example")
    with pytest.raises(NotSent):
        asyncio.run(talk.send(ctx, plan(ctx), server.Credential("", "")))
