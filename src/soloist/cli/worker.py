"""The command ``worker``: a process beside the server that carries out flows; it listens nowhere and pulls nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

import typer

from soloist.cli.common import FAULT, USAGE, DatabaseOption, HomeOption, home_of, said_plainly

if TYPE_CHECKING:
    from soloist.app import App

ENOUGH = (
    "soloist: without --database this home keeps everything in one SQLite file, and there one process is enough: "
    "soloist up does all the work. Workers run beside it on Postgres."
)


def worker(home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Carry out flows beside the server, on Postgres; start as many as you like."""
    if not database or database.startswith("sqlite"):
        typer.echo(ENOUGH, err=True)
        raise typer.Exit(USAGE)
    with said_plainly():
        from soloist.app import App
        from soloist.cli import logs
        from soloist.flows import running

        root = home_of(home)
        said = running.not_prepared(database)
        if not said and not (root / "soloist.toml").exists():
            said = f"There is no home in {root}. Nothing was started. Give the server's home folder with --home."
        if said:
            typer.echo(f"soloist: {said}", err=True)
            raise typer.Exit(FAULT)
        app = App(root, database=database)
        try:
            logs.begin(app.home.logs, "worker.log")
            asyncio.run(_work(app))
        finally:
            app.close()
        if app.presence.lost:
            raise typer.Exit(FAULT)


async def _work(app: App) -> None:
    """Work until SIGINT or SIGTERM; open calls get ten seconds to end."""
    ending = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows ends the process, which is taken over like any other
            asyncio.get_running_loop().add_signal_handler(number, ending.set)
    try:
        await app.start("worker")
        typer.echo(
            f"Worker {os.getpid()} is running. Home: {app.home.root}. End it with Ctrl C; its work goes on elsewhere."
        )
        await ending.wait()
    finally:
        await app.stop()
