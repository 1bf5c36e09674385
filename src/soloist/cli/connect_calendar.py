"""``soloist connect calendar``: calendars are connected by their address, listed, and disconnected."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, interactive, opened, show

if TYPE_CHECKING:
    from soloist.app import App
    from soloist.flows.connecting_calendar import ConnectingCalendar
    from soloist.insight.calendars import CalendarLine

calendar = typer.Typer(help="Calendars, read by their published address.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="Name of the calendar, as soloist connect calendar list shows it.")]


@calendar.command("add")
def add(
    home: HomeOption = None,
    database: DatabaseOption = "",
    *,
    name: Annotated[str, typer.Option(help="Name of the calendar in soloist.toml.")] = "",
    url_stdin: Annotated[bool, typer.Option("--url-stdin", help="Read the address from standard input.")] = False,
    every: Annotated[str, typer.Option(help="How often it is read: 15m, hourly, or by hand.")] = "15m",
    allow_private_network: Annotated[
        bool, typer.Option(help="The server is on this computer or your network.")
    ] = False,
) -> None:
    """Paste the address (it is a secret); it is read once as a test and then kept. Nothing is ever written back."""
    import asyncio

    from soloist.flows.connecting_calendar import Wanted

    if url_stdin or not interactive():
        url = sys.stdin.readline().strip()
    else:
        url = str(typer.prompt("Address of the calendar", hide_input=True)).strip()
    with opened(home, database) as app:
        flow = _flow(app)
        wanted = Wanted(name or flow.free_name(), url, every, allow_private_network)
        health = asyncio.run(flow.keep(wanted, who="operator"))
        app.connect(wanted.name)
        running = app.lock.held()
    titles = "".join(f"\n  {title}" for title in health.samples)
    typer.echo(f"{wanted.name} is connected: {health.detail}.{titles}")
    typer.echo("Soloist is running and reads it within seconds." if running else "Start with: soloist up")


@calendar.command("list")
def list_calendars(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Calendars: how often they are read, when last, what troubles them."""
    from dataclasses import asdict

    from soloist.insight import calendars

    with opened(home, database) as app:
        known = _flow(app).known()
        found = app.store.read_now(lambda conn: calendars.lines(conn, known, {}))
    text = "\n".join(map(_line, found))
    show([asdict(one) for one in found], as_json, text or "No calendar is connected: soloist connect calendar add")


@calendar.command("remove")
def remove(name: NameArgument, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Disconnect a calendar and forget its address; appointments that were read stay."""
    with opened(home, database) as app:
        _flow(app).remove(name, who="operator")
    typer.echo(f"{name} is disconnected and its address is deleted.")


def _line(one: CalendarLine) -> str:
    """One calendar on one line."""
    trouble = f": {one.trouble}" if one.trouble else ""
    return f"{one.name}  {one.host}  {one.every}, last read {one.looked or 'never'}{trouble}"


def _flow(app: App) -> ConnectingCalendar:
    from soloist.flows.connecting_calendar import ConnectingCalendar

    return ConnectingCalendar(app.home, app.registry, app.keyring, app.store)
