"""Steps of ``soloist connect``: what is asked, shown and waited for at a terminal; what is done is in the flow."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from soloist.cli.common import USAGE, interactive

if TYPE_CHECKING:
    from soloist.engine.discovery import Found, Search
    from soloist.engine.oauth import Begun, Client, Tokens
    from soloist.flows.connecting import Connecting, Mailbox, Tried

NOTHING_FOUND = 7
CALLBACK = "/connect/callback"
SIGN_IN_WITHIN = 600.0
"""Seconds a person has to sign in with the provider."""
_DONE_PAGE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n"
    b"Thank you. You can close this window; Soloist goes on in the terminal.\n"
)
_NOT_HERE = b"HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True)
class Wish:
    """What the flags say; an empty value means: find it out, or ask."""

    address: str = ""
    name: str = ""
    imap_host: str = ""
    imap_port: int = 0
    imap_security: str = ""
    smtp_host: str = ""
    smtp_port: int = 0
    smtp_security: str = ""
    username: str = ""
    client_id: str = ""
    authorize_url: str = ""
    token_url: str = ""
    device_url: str = ""
    scope: str = ""
    ca_file: str = ""
    ask_public: bool = False
    allow_private: bool = False
    device: bool = False
    port: int = 0
    secret_stdin: bool = False
    yes: bool = False


def stop(code: int, words: str) -> NoReturn:
    """End with words on standard error."""
    typer.echo(f"soloist: {words}", err=True)
    raise typer.Exit(code)


def wanted_mailbox(flow: Connecting, wish: Wish) -> Mailbox:
    """The mailbox to be tested: found or named by flags, looked at by the operator."""
    from soloist.engine.discovery import checked_address
    from soloist.flows.connecting import from_found

    address = wish.address or _asked("Mail address", "--address")
    address, _ = checked_address(address)
    name = flow.check_name(wish.name or flow.free_name(address), address)
    by_hand = bool(wish.imap_host and wish.smtp_host)
    found = _typed(address, wish) if by_hand else _found(flow, address, wish)
    mailbox = from_found(found, name, client_id=wish.client_id, allow_private=wish.allow_private)
    mailbox = _with_flags(mailbox, wish)
    _show(found, mailbox)
    if found.doubt and not by_hand:
        typer.echo(found.doubt)
        if not interactive():
            stop(
                NOTHING_FOUND, "Nobody is here to look at this, so nothing was done. Name --imap-host and --smtp-host."
            )
    if interactive() and not wish.yes and not typer.confirm("Use these settings?", default=True):
        stop(USAGE, "Nothing was stored. Give the right ones with --imap-host, --smtp-host and --username.")
    return mailbox


def _found(flow: Connecting, address: str, wish: Wish) -> Found:
    """Settings from discovery, in a second look from the public database when the operator agrees, else typed."""
    search = _search(flow, address, wish, wish.ask_public)
    if search.found is None and not wish.ask_public and interactive():
        question = (
            f"Ask Thunderbird's public database? It learns the domain {address.rpartition('@')[2]}, nothing else."
        )
        if typer.confirm(question, default=False):
            search = _search(flow, address, wish, True)
    if search.found is not None:
        return search.found
    typer.echo("No settings were found. Looked at: " + "; ".join(search.looked) + ".", err=True)
    if not interactive():
        stop(NOTHING_FOUND, "Give --imap-host and --smtp-host (your provider's help names them). Nothing was stored.")
    return _typed(address, wish)


def _search(flow: Connecting, address: str, wish: Wish, ask_public: bool) -> Search:
    return asyncio.run(flow.discover(address, ask_public=ask_public, allow_private=wish.allow_private))


def _typed(address: str, wish: Wish) -> Found:
    """Settings by hand: from flags, the rest asked."""
    from soloist.engine.discovery import Found
    from soloist.engine.presets import Place

    imap = wish.imap_host or _asked("Server for reading (IMAP)", "--imap-host")
    smtp = wish.smtp_host or _asked("Server for sending (SMTP)", "--smtp-host")
    source = "what you typed"
    return Found(address, Place(imap, 993, "tls"), Place(smtp, 465, "tls"), address, source)


def _with_flags(mailbox: Mailbox, wish: Wish) -> Mailbox:
    """Flags win over what was found; a port that is known for STARTTLS brings it along."""
    imap = replace(mailbox.imap, **_place(wish.imap_host, wish.imap_port, wish.imap_security, 143))
    smtp = replace(mailbox.smtp, **_place(wish.smtp_host, wish.smtp_port, wish.smtp_security, 587))
    keys = ("username", "client_id", "authorize_url", "token_url", "device_url", "scope", "ca_file")
    given: dict[str, Any] = {key: getattr(wish, key) for key in keys if getattr(wish, key)}
    if wish.token_url:
        given["auth"] = "xoauth2"
    return replace(mailbox, imap=imap, smtp=smtp, **given)


def _place(host: str, port: int, security: str, starttls_port: int) -> dict[str, Any]:
    found: dict[str, Any] = {"host": host} if host else {}
    if port:
        found |= {"port": port, "security": "starttls" if port == starttls_port else "tls"}
    return found | ({"security": security} if security else {})


def _show(found: Found, mailbox: Mailbox) -> None:
    """The settings with their source, and what the provider wants."""
    typer.echo(f"{mailbox.address}{f' ({found.title})' if found.title else ''}, from {found.source}:")
    for label, place in (("reading", mailbox.imap), ("sending", mailbox.smtp)):
        typer.echo(f"  {label}: {place.host} port {place.port} ({place.security})")
    how = "sign-in with your client id" if mailbox.auth == "xoauth2" else "password"
    typer.echo(f"  user name: {mailbox.username}, {how}")
    for note in found.notes:
        typer.echo(f"  {note}")
    if found.password and mailbox.auth == "password":
        typer.echo(f"  {found.password}")


def secrets_for(mailbox: Mailbox, wish: Wish) -> dict[str, str]:
    """The secrets by their names in the vault: a password, or what a sign-in gave."""
    names = mailbox.names()
    if mailbox.auth == "password":
        return {names["password"]: _secret("Password (an app password, if your provider makes them)", wish, "password")}
    mailbox.client()  # says what is missing before a secret is asked for
    secret = _secret("Client secret (empty for a public client)", wish, "client secret", empty=True)
    tokens = asyncio.run(_sign_in(mailbox.client(secret), mailbox.address, wish))
    found = {names["refresh"]: tokens.refresh}
    return found | ({names["client-secret"]: secret} if secret else {})


def _secret(label: str, wish: Wish, what: str, *, empty: bool = False) -> str:
    """A secret typed unseen or from standard input; never from a flag, which other users of the computer could see."""
    if wish.secret_stdin:
        text = sys.stdin.readline().rstrip("\r\n")
    elif interactive():
        text = typer.prompt(label, hide_input=True, default="" if empty else None, show_default=False)
    elif empty:
        return ""
    else:
        stop(USAGE, f"There is nobody to ask for the {what}. Give it on standard input with --password-stdin.")
    if not text and not empty:
        stop(USAGE, f"The {what} is empty. Nothing was done.")
    return str(text)


async def _sign_in(client: Client, address: str, wish: Wish) -> Tokens:
    """A sign-in with the provider: by a code for another device, or by a link whose answer comes back to us."""
    from soloist.engine import oauth

    if wish.device:
        device = await oauth.begin_device(client)
        typer.echo(f"Open {device.page} on any device and type {device.typed}. Waiting.")
        return await oauth.finish_device(client, device)
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode("latin-1").split(" ")
        ours = len(line) > 1 and line[0] == "GET" and line[1].partition("?")[0] == CALLBACK
        writer.write(_DONE_PAGE if ours else _NOT_HERE)
        await writer.drain()
        writer.close()
        if ours and not answer.done():
            answer.set_result(line[1])

    server = await asyncio.start_server(serve, "127.0.0.1", wish.port)
    async with server:
        port = server.sockets[0].getsockname()[1]
        begun: Begun = oauth.begin(client, f"http://localhost:{port}{CALLBACK}", address)
        typer.echo(f"Open this link on this computer and allow the access. Waiting for the answer.\n{begun.url}")
        try:
            async with asyncio.timeout(SIGN_IN_WITHIN):
                target = await answer
        except TimeoutError:
            stop(3, "Nobody signed in within ten minutes. Nothing was stored; begin again.")
    return await oauth.finish(client, begun, f"http://localhost:{port}{target}")


def tested(flow: Connecting, mailbox: Mailbox, secrets: dict[str, str]) -> Tried:
    """Test before anything is stored; a test that fails ends the command with what to do and its exit code."""
    from soloist.flows.connect_advice import exit_code

    typer.echo("Testing. Nothing is stored until this works.")
    tried = asyncio.run(flow.test(mailbox, secrets))
    if not tried.ok:
        stop(exit_code(tried.advice.why), f"{tried.advice.sentence} Nothing was stored.")
    if tried.health.detail:
        typer.echo(tried.health.detail)
    subjects(tried.health.samples)
    return tried


def subjects(samples: tuple[str, ...]) -> None:
    """The newest subjects, made harmless for a terminal."""
    typer.echo("The newest subjects:" if samples else "It works. There is no mail in it yet.")
    for subject in samples:
        typer.echo("  " + "".join(c if c.isprintable() else " " for c in subject)[:100])


def _asked(label: str, flag: str) -> str:
    if not interactive():
        stop(USAGE, f"There is nobody to ask. Give {flag}.")
    return str(typer.prompt(label)).strip()
