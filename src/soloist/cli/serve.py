"""Commands that make a home and serve it: up, demo, init."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soloist.cli.common import FAULT, DatabaseOption, HomeOption, home_of, opened, said_plainly

if TYPE_CHECKING:
    from soloist.app import App

_ARENA_MAX = -8
"""M_ARENA_MAX of glibc's mallopt."""

HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one.")]
OpenOption = Annotated[bool, typer.Option("--open/--no-open", help="Open the console in the browser.")]
ConsoleOption = Annotated[
    str, typer.Option("--console", help="Host name of the console behind your TLS proxy.", envvar="SOLOIST_CONSOLE")
]


def up(
    home: HomeOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8787,
    database: DatabaseOption = "",
    browser: OpenOption = True,
    *,
    console: ConsoleOption = "",
) -> None:
    """Start Soloist; a home that does not exist is made."""
    with said_plainly():
        root = home_of(home)
        fresh = not (root / "soloist.toml").exists()
        if fresh:
            _starter(root, business="", timezone="", language="")
        _serve(root, host=host, port=port, database=database, browser=browser, console=console)


def demo(
    home: HomeOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8787,
    browser: OpenOption = True,
    fresh: Annotated[bool, typer.Option(help="Begin the sample anew.")] = False,
) -> None:
    """Start with an invented sample company; without --home nothing is left behind."""
    with said_plainly():
        kept = home is not None
        root = home_of(home) if kept else Path(tempfile.mkdtemp(prefix="soloist-demo-"))
        try:
            _sample(root, fresh)
            _serve(root, host=host, port=port, database="", browser=browser)
        finally:
            if not kept:
                shutil.rmtree(root, ignore_errors=True)


def init(
    home: HomeOption = None,
    business: Annotated[str, typer.Option(help="Name of your business.")] = "",
    timezone: Annotated[str, typer.Option(help="Your time zone, like Europe/Berlin.")] = "",
    language: Annotated[str, typer.Option(help="Your language: en, de, fr or es.")] = "",
    sheet: Annotated[Path | None, typer.Option("--sheet", help="File for the recovery sheet, .html to print.")] = None,
) -> None:
    """Make a home: soloist.toml, the house book, the folders, the keys; and the recovery sheet."""
    with said_plainly():
        root = home_of(home)
        if (root / "soloist.toml").exists():
            typer.echo(f"There is a home in {root} already; nothing was changed.")
            return
        if sys.stdin.isatty():
            business = business or typer.prompt("Name of your business", default="My company")
            timezone = timezone or typer.prompt("Time zone", default="UTC")
            language = language or typer.prompt("Language (en, de, fr, es)", default="en")
        _starter(root, business=business, timezone=timezone, language=language)
        typer.echo(f"Everything is in {root}.")
        typer.echo(f"Write your services and prices into {root / 'house-book.md'}: replies take facts only from there.")
        _sheet(root, sheet)
        typer.echo(f"Start with: soloist up --home {root}")


def _sheet(root: Path, target: Path | None) -> None:
    """The recovery sheet of a new home: into a file, or onto a terminal; into no pipe and no log."""
    from soloist.app import App
    from soloist.cli.backup import write_sheet

    if target is None and not sys.stdout.isatty():
        typer.echo(f"Make the recovery sheet: soloist recovery-sheet --home {root} --to recovery-sheet.html")
        return
    app = App(root)
    try:
        write_sheet(app, target)
    finally:
        app.close()


def open_console(home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Print a link to the console that works once; on a real home it sets a new password."""
    with opened(home, database) as app:
        address = app.address() or "http://localhost:8787"
        typer.echo(f"{_link(app, address)}  (works once, for one hour)")
        if not app.lock.held():
            typer.echo("Soloist is not running; start it with soloist up, then open the link.", err=True)


def _starter(root: Path, *, business: str, timezone: str, language: str) -> None:
    """The files of a new real home."""
    from soloist import config
    from soloist.cli import starter

    root.mkdir(parents=True, exist_ok=True)
    starter.write_into(root, business=business or "My company", timezone=timezone or "UTC", language=language or "en")
    config.read(root / "soloist.toml")


def _sample(root: Path, fresh: bool) -> None:
    """The sample company, in a new folder or one that holds it already."""
    from soloist import config
    from soloist.cli import sample

    toml = root / "soloist.toml"
    if toml.exists() and not config.read(toml).sample:
        typer.echo(f"soloist: {root} is a real home; the sample company is not put into it.", err=True)
        raise typer.Exit(FAULT)
    if fresh and toml.exists():
        shutil.rmtree(root)
    if not toml.exists():
        root.mkdir(parents=True, exist_ok=True)
        sample.write_into(root, datetime.now(UTC))
        sample.speak(root)


def _serve(root: Path, *, host: str, port: int, database: str, browser: bool, console: str = "") -> None:
    """Open the home, say where the console is, serve until told to end."""
    import asyncio

    from soloist.cli import logs
    from soloist.web import server
    from soloist.web.security import check_bind, check_console

    listening = server.listen(host, port)
    from soloist.app import App

    app = App(root, database=database)
    try:
        app.lock.take()  # a second server is refused before it says anything; the start itself takes it for good
        app.lock.release()
        logs.begin(app.home.logs)
        _small_heaps()
        check_bind(host, app.settings.server, bool(asyncio.run(app.access.password_hash())))
        console = console or app.settings.server.console_host
        check_console(console, app.settings.server)
        address = f"http://localhost:{listening.getsockname()[1]}"
        link = _way_in(app, address)
        typer.echo(f"Soloist is starting. Home: {root}")
        typer.echo(f"Open {link}" + ("" if link == address else "  (works once, for one hour)"))
        if console:
            typer.echo(f"Behind your proxy: {link.replace(address, f'https://{console}')}")
        typer.echo("End it with Ctrl C; what waits goes on at the next start.")
        page = link if browser and sys.stdout.isatty() else ""
        server.serve(app, listening, open_page=page, hosts=(console,) if console else ())
    finally:
        app.close()
    if app.presence.lost:
        raise typer.Exit(FAULT)  # taken for dead by the others: a service manager starts it afresh


def _small_heaps() -> None:
    """Two heaps instead of one for each thread: glibc would keep some 10 MB more for nothing."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def _way_in(app: App, address: str) -> str:
    """The console's address, with a one-time link while no password is set."""
    import asyncio

    app.remember_address(address)
    if asyncio.run(app.access.password_hash()) and not app.settings.sample:
        return address
    return _link(app, address)


def _link(app: App, address: str) -> str:
    """A one-time link that lets in; on a real home it asks for a password first."""
    import time

    token = app.access.issue_link(time.time() + 3600, sets_password=not app.settings.sample)
    return f"{address}/welcome/{token}"
