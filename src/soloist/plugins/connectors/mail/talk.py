"""One SMTP conversation, phase by phase, over aiosmtplib; it knows what each broken phase means and retries nothing."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from typing import TYPE_CHECKING

from soloist.plugins.connectors.mail.server import Credential, Server, certificate
from soloist.sdk import Ctx, NotSent, Plan

if TYPE_CHECKING:
    import aiosmtplib

PHASE = 20.0
"""Seconds for connecting and for each command."""
BODY = 60.0
"""Seconds for handing the message over, and again for the reply to its end."""
CHUNK = 64 * 1024

TRANSIENT, LINE_TROUBLE = 300.0, 60.0
"""Seconds to wait after a 4xx reply, and after a line that broke before anything was handed over."""


class Refusal(Exception):
    """Certainly not sent; ``retry_after`` in seconds, None for never."""

    def __init__(
        self, reason: str, *, retry_after: float | None = None, auth: bool = False, evidence: str = ""
    ) -> None:
        """``evidence`` is the server's own reply."""
        super().__init__(reason)
        self.reason, self.retry_after, self.auth, self.evidence = reason, retry_after, auth, evidence


class Silence(Exception):
    """The whole message was handed over and no clear reply came."""

    def __init__(self, reason: str, evidence: str = "") -> None:
        """``evidence`` is what the server said, if anything."""
        super().__init__(reason)
        self.evidence = evidence


async def send(ctx: Ctx, plan: Plan | None, credential: Credential) -> str:
    """The conversation with one server; without a plan only up to signing in. The final reply of the server.

    A credential without a user name signs in nowhere. NotSent: no connection. Refusal: not sent. Silence: nobody can
    say.
    """
    server = Server.of(ctx.settings, "smtp")
    sock = await server.dial(ctx)
    try:
        client = await _greet(ctx, server, sock)
    except BaseException:  # also a cancelled task must not leave the socket open
        sock.close()
        raise
    try:
        await _sign_in(server, client, credential)
        if plan is None:
            await _leave(client)
            return ""
        await _envelope(client, plan)
        reply = await _hand_over(client, plan.request)
        await _leave(client)
        return reply
    finally:
        client.close()


async def _greet(ctx: Ctx, server: Server, sock: socket.socket) -> aiosmtplib.SMTP:
    """Greeting, EHLO and TLS with the server's certificate checked against its name."""
    import aiosmtplib  # start-up time: only homes with SMTP pay for it

    security, host = server.security, server.host
    client = aiosmtplib.SMTP(
        hostname=host,
        sock=sock,
        use_tls=security == "tls",
        start_tls=False,
        tls_context=None if security == "none" else _trusted(server),
        local_hostname=_greeting_name(ctx.home_domain),
        timeout=PHASE,
    )
    async with _before(host):
        await client.connect()
        await client.ehlo()
        if security == "starttls":
            if not client.supports_extension("starttls"):
                raise Refusal(f"{host} offers no encryption (STARTTLS), so neither password nor mail was sent.")
            await client.starttls(server_hostname=host)
            await client.ehlo()
    return client


def _trusted(server: Server) -> ssl.SSLContext:
    try:
        return server.tls()
    except OSError as error:
        raise Refusal(f"ca_file: {server.ca_file} cannot be read ({error}); nothing was sent.") from error


async def _sign_in(server: Server, client: aiosmtplib.SMTP, credential: Credential) -> None:
    import aiosmtplib

    host = server.host
    if not credential.username:
        return
    if server.security == "none" and not _own_computer(client):
        raise Refusal(f'{host} is reached without encryption, so the password was not sent. Use security = "starttls".')
    async with _before(host):
        try:
            if credential.token:
                await client.auth_xoauth2(credential.username, credential.secret)
            else:
                await client.login(credential.username, credential.secret)
        except (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPNotSupported) as error:
            code = getattr(error, "code", 535)
            if 400 <= code < 500:
                raise Refusal(
                    _said(host, "the sign-in", error), retry_after=TRANSIENT, evidence=_words(error)
                ) from error
            raise Refusal(_said(host, "the sign-in", error), auth=True, evidence=_words(error)) from error


async def _envelope(client: aiosmtplib.SMTP, plan: Plan) -> None:
    """MAIL and RCPT; the message itself is seven-bit, so no extension is needed beyond SIZE."""
    host = str(client.hostname)
    limit = client.esmtp_extensions.get("size", "")
    if limit.isdigit() and 0 < int(limit) < len(plan.request):
        raise Refusal(f"{host} takes mails of at most {limit} bytes, this one has {len(plan.request)}.")
    options = [f"SIZE={len(plan.request)}"] if client.supports_extension("size") else []
    async with _before(host):
        await client.mail(plan.data["sender"], options=options)
        for recipient in plan.data["recipients"]:
            await client.rcpt(recipient)


async def _hand_over(client: aiosmtplib.SMTP, message: bytes) -> str:
    """DATA by hand: the closing dot is written after all the rest is on its way, so that it alone can be doubtful."""
    import aiosmtplib

    host, protocol = str(client.hostname), client.protocol
    if protocol is None:
        raise Refusal(f"{host} closed the line before the message; nothing was sent.", retry_after=LINE_TROUBLE)
    async with _before(host):
        reply = await protocol.execute_command(b"DATA", timeout=PHASE)
        if reply.code != 354:
            raise aiosmtplib.SMTPDataError(reply.code, reply.message)
        await _write_all(client, re.sub(rb"(?m)^\.", b"..", message))
        protocol.write(b".\r\n")
    try:
        reply = await protocol.read_response(timeout=BODY)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise Silence(
            f"The whole message went to {host}, then the line broke before the server said whether it took it.",
            f"{type(error).__name__}: {error}"[:300],
        ) from error
    return _judged(host, reply.code, reply.message)


def _judged(host: str, code: int, words: str) -> str:
    """The reply to the end of the message: 2xx is sent, 5xx is refused, all else is doubtful (some servers lie)."""
    evidence = f"{code} {words}"[:300]
    if 200 <= code < 300:
        return evidence
    if 500 <= code < 600:
        raise Refusal(f"{host} refused the message after reading it: {evidence}", evidence=evidence)
    raise Silence(f"{host} read the whole message and then put it off; some servers deliver it all the same.", evidence)


async def _write_all(client: aiosmtplib.SMTP, message: bytes) -> None:
    """Hand the message to the line piece by piece and wait until it is empty; Refusal when the line breaks."""
    transport, host = client.transport, str(client.hostname)
    assert isinstance(transport, asyncio.WriteTransport)
    async with asyncio.timeout(BODY):
        for start in range(0, len(message), CHUNK):
            if client.protocol is None or not client.is_connected:
                raise Refusal(
                    f"{host} closed the line in the middle of the message; nothing was sent.", retry_after=60.0
                )
            client.protocol.write(message[start : start + CHUNK])
            while transport.get_write_buffer_size() > 0 and client.is_connected:  # noqa: ASYNC110  # no public drain
                await asyncio.sleep(0.005)
            await asyncio.sleep(0)


class _before:  # reads as a word at its uses: "async with _before(host)"
    """Everything that fails inside happened before the message's end was sent, so it is a Refusal."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def __aenter__(self) -> None:
        """Nothing to set up."""

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Turn what the library raises into a Refusal."""
        import aiosmtplib

        if error is None or isinstance(error, (Refusal, Silence, NotSent)):
            return
        if isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPResponseException):
            code = error.code
            retry = TRANSIENT if 400 <= code < 500 else None
            raise Refusal(_said(self._host, "", error), retry_after=retry, evidence=_words(error)) from error
        for fault in (error, error.__cause__):
            if isinstance(fault, ssl.SSLCertVerificationError):
                raise Refusal(certificate(self._host, fault), retry_after=LINE_TROUBLE) from error
        if isinstance(error, (aiosmtplib.SMTPException, OSError)):
            raise Refusal(
                f"The line to {self._host} failed before the message was handed over; nothing was sent.",
                retry_after=LINE_TROUBLE,
                evidence=f"{type(error).__name__}: {error}"[:300],
            ) from error


async def _leave(client: aiosmtplib.SMTP) -> None:
    """QUIT politely; the mail is already taken, so a fault here says nothing about it."""
    import aiosmtplib

    try:
        await client.quit(timeout=2.0)
    except (aiosmtplib.SMTPException, OSError):
        return


def _own_computer(client: aiosmtplib.SMTP) -> bool:
    """Whether the other end is this computer."""
    peer = client.get_transport_info("peername")
    return bool(peer) and (str(peer[0]).startswith("127.") or peer[0] == "::1")


def _greeting_name(domain: str) -> str:
    """The name in EHLO: the home's domain, never this computer's own name."""
    return domain if domain.isascii() and "." in domain else "localhost"


def _said(host: str, what: str, error: BaseException) -> str:
    return f"{host} refused{f' {what}' if what else ''}: {_words(error)}"


def _words(error: BaseException) -> str:
    """The server's reply as one short line."""
    text = f"{getattr(error, 'code', '')} {getattr(error, 'message', '') or error}".strip()
    return re.sub(r"\s+", " ", text)[:300]
