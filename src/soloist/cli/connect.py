"""``soloist connect``: mailboxes are connected, listed, tested, allowed to send, and removed.

Exit codes: 0 done, 1 other fault, 2 wrong use, 3 sign-in refused, 4 server not reached, 5 certificate not valid,
6 something must be switched on with the provider, 7 no settings found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, interactive, opened, show
from soloist.cli.connect_calendar import calendar

if TYPE_CHECKING:
    from soloist.app import App
    from soloist.flows.connecting import Connecting

connect = typer.Typer(help="Connect mailboxes and calendars; each begins by reading only.", no_args_is_help=True)
connect.add_typer(calendar, name="calendar")
NameArgument = Annotated[str, typer.Argument(help="Name of the mailbox, as soloist connect list shows it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Ask nothing.")]


@connect.command("mail")
def mail(
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
    address: Annotated[str, typer.Option(help="Your mail address; the servers are found from it.")] = "",
    name: Annotated[str, typer.Option(help="Name of the mailbox in soloist.toml.")] = "",
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", "--app-password-stdin", help="Read the password from standard input."),
    ] = False,
    username: Annotated[str, typer.Option(help="User name, when it is not the address.")] = "",
    imap_host: Annotated[str, typer.Option(help="Server for reading.")] = "",
    imap_port: Annotated[int, typer.Option(min=0, max=65535, help="993 for TLS at once, 143 for STARTTLS.")] = 0,
    imap_security: Annotated[str, typer.Option(help="tls or starttls.")] = "",
    smtp_host: Annotated[str, typer.Option(help="Server for sending.")] = "",
    smtp_port: Annotated[int, typer.Option(min=0, max=65535, help="465 for TLS at once, 587 for STARTTLS.")] = 0,
    smtp_security: Annotated[str, typer.Option(help="tls or starttls.")] = "",
    client_id: Annotated[str, typer.Option(help="Your own client id: sign in instead of a password.")] = "",
    client_secret_stdin: Annotated[bool, typer.Option(help="Read the client secret from standard input.")] = False,
    authorize_url: Annotated[str, typer.Option(help="Sign-in page of another provider.")] = "",
    token_url: Annotated[str, typer.Option(help="Token address of another provider.")] = "",
    scope: Annotated[str, typer.Option(help="What another provider is asked for.")] = "",
    device_url: Annotated[str, typer.Option(help="Device code address of another provider.")] = "",
    device: Annotated[bool, typer.Option(help="Sign in on another device by typing a code (Microsoft).")] = False,
    callback_port: Annotated[int, typer.Option(min=0, max=65535, help="Port the sign-in answers to; 0: free.")] = 0,
    ask_public_database: Annotated[
        bool, typer.Option(help="Also ask Thunderbird's public database; it learns the domain of your address.")
    ] = False,
    allow_private_network: Annotated[
        bool, typer.Option(help="The server is on this computer or your network.")
    ] = False,
    ca_file: Annotated[str, typer.Option(help="Certificate authority of a server you run yourself.")] = "",
    yes: YesOption = False,
) -> None:
    """Find the servers, test, show five subjects, then store. It reads only until you allow it to send."""
    from pathlib import Path

    from soloist.cli import connect_steps as steps

    for place in (imap_security, smtp_security):
        if place not in ("", "tls", "starttls"):
            steps.stop(2, f"{place!r} is not a way to secure a connection: tls or starttls.")
    wish = steps.Wish(
        address=address, name=name, imap_host=imap_host, imap_port=imap_port, imap_security=imap_security,
        smtp_host=smtp_host, smtp_port=smtp_port, smtp_security=smtp_security, username=username, client_id=client_id,
        authorize_url=authorize_url, token_url=token_url, device_url=device_url, scope=scope,
        ca_file=str(Path(ca_file).expanduser().absolute()) if ca_file else "", ask_public=ask_public_database,
        allow_private=allow_private_network, device=device, port=callback_port,
        secret_stdin=password_stdin or client_secret_stdin, yes=yes,
    )  # fmt: skip
    with opened(home, database) as app:
        _connect(app, wish)


def _connect(app: App, wish: Any) -> None:
    """The steps in their order."""
    from soloist.cli import connect_steps as steps

    flow = _flow(app)
    mailbox = steps.wanted_mailbox(flow, wish)
    tried = steps.tested(flow, mailbox, steps.secrets_for(mailbox, wish))
    if interactive() and not wish.yes and not typer.confirm("Is this your mailbox? Keep it?", default=True):
        steps.stop(2, "Nothing was stored.")
    flow.keep(tried, who="operator")
    app.connect(mailbox.name)
    typer.echo(f"{mailbox.address} is connected as {mailbox.name}.")
    if app.desk.observe_only(mailbox.name):
        typer.echo("It reads and prepares; it can send nothing. To let it send what you approve:")
        typer.echo(f"  soloist connect allow-sending {mailbox.name}")
    running = "Soloist is running and takes it over within seconds." if app.lock.held() else "Start with: soloist up"
    typer.echo(running)


@connect.command("list")
def list_mailboxes(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Mailboxes: what they do, when they were read last, what troubles them."""
    from dataclasses import asdict

    from soloist.insight import mailboxes

    with opened(home, database) as app:
        known = [_known(app, name) for name in _flow(app).mailboxes()]
        found = app.store.read_now(lambda conn: mailboxes.lines(conn, known))
    text = "\n".join(_line(row) for row in found) or "No mailbox is connected. Connect one with: soloist connect mail"
    show([asdict(row) for row in found], as_json, text)


@connect.command("allow-sending")
def allow_sending(name: NameArgument, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Let a mailbox send what you approve."""
    _let(name, True, home, database)
    typer.echo(f"{name} may send what you approve. Take it back with: soloist connect observe-only {name}")


@connect.command("observe-only")
def observe_only(name: NameArgument, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Let a mailbox read only; it can send nothing any more."""
    _let(name, False, home, database)
    typer.echo(f"{name} only reads. Let it send with: soloist connect allow-sending {name}")


@connect.command("test")
def try_mailbox(
    name: NameArgument, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """Sign in as it is stored and show five subjects; changes nothing."""
    import asyncio

    from soloist.cli import connect_steps as steps
    from soloist.flows.connect_advice import exit_code

    with opened(home, database) as app:
        health, advice = asyncio.run(_flow(app).test_stored(name))
    value = {"name": name, "state": health.state, "why": advice.why, "detail": advice.seen, "todo": advice.todo}
    if as_json:
        show({**value, "samples": list(health.samples)}, True, "")
    elif advice.why == "ok":
        steps.subjects(health.samples)
    if advice.why != "ok":
        if as_json:
            raise typer.Exit(exit_code(advice.why))
        steps.stop(exit_code(advice.why), advice.sentence)


@connect.command("remove")
def remove(name: NameArgument, home: HomeOption = None, database: DatabaseOption = "", yes: YesOption = False) -> None:
    """Disconnect a mailbox and forget its password; what was read from it stays."""
    from soloist.cli import connect_steps as steps

    with opened(home, database) as app:
        flow = _flow(app)
        part = flow.mailboxes().get(name)
        if part is not None and not yes:
            question = f"Disconnect {part.address} and forget its password? Mail and records that were read stay."
            if not interactive():
                steps.stop(2, f"{question} Say so with --yes.")
            if not typer.confirm(question, default=False):
                steps.stop(2, "Nothing was changed.")
        flow.remove(name, who="operator")
    typer.echo(f"{name} is disconnected and its secrets are deleted. The former soloist.toml is soloist.toml.bak.")


def _flow(app: App) -> Connecting:
    from soloist.flows.connecting import Connecting

    return Connecting(app.home, app.registry, app.keyring, app.store)


def _let(name: str, allowed: bool, home: Any, database: str) -> None:
    import asyncio

    with opened(home, database) as app:
        asyncio.run(app.desk.allow_sending(name, allowed, who="operator"))


def _known(app: App, name: str) -> Any:
    """What is known of a mailbox without asking it."""
    from soloist.insight.mailboxes import Known

    half, part = app.desk.connections.get(name), _flow(app).mailboxes()[name]
    past = [stream for stream, about in half.streams().items() if about.past] if half else []
    trouble = "" if half else "It is not opened: soloist doctor says why."
    return Known(name, part.address, part.imap_host, app.desk.observe_only(name), trouble, past)


def _line(row: Any) -> str:
    """One mailbox on one line."""
    leave = "may send" if row.may_send else "reads only"
    looked = f", last read {row.looked}" if row.looked else ""
    past = f", {row.past_done} of {row.past_total} older mails read" if row.past_state == "going on" else ""
    trouble = f": {row.trouble}" if row.trouble else ""
    return f"{row.name}  {row.address}  {leave}, {row.state}{looked}{past}{trouble}"
