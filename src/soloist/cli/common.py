"""What every command shares: which home, how errors are said, how JSON is printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from soloist.app import App

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder that holds everything. Default: SOLOIST_HOME or the user's data folder."),
]
DatabaseOption = Annotated[
    str, typer.Option("--database", help="Postgres address; empty for the SQLite file.", envvar="SOLOIST_DATABASE")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FAULT = 1
USAGE = 2


def home_of(given: Path | None) -> Path:
    """The home folder that is meant."""
    if given is not None:
        return given.expanduser().absolute()
    if os.environ.get("SOLOIST_HOME"):
        return Path(os.environ["SOLOIST_HOME"]).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("soloist", appauthor=False))


@contextmanager
def said_plainly() -> Iterator[None]:
    """Print our own errors as one sentence on standard error and end with 1; other errors keep their trace."""
    from soloist.kernel.errors import SoloistError

    try:
        yield
    except SoloistError as error:
        typer.echo(f"soloist: {error.detail}", err=True)
        raise typer.Exit(FAULT) from error
    except PermissionError as error:
        typer.echo(f"soloist: {error.filename} cannot be used: permission denied. Nothing was changed.", err=True)
        raise typer.Exit(FAULT) from error


@contextmanager
def opened(home: Path | None, database: str = "") -> Iterator[App]:
    """An existing home, opened without starting the server; a missing one is said, never made by a reading command."""
    with said_plainly():
        root = home_of(home)
        if not database and not (root / "soloist.db").exists():
            typer.echo(f"soloist: there is no home in {root} yet. Make one with: soloist up --home {root}", err=True)
            raise typer.Exit(FAULT)
        from soloist.app import App

        app = App(root, database=database)
        try:
            yield app
        finally:
            app.close()


def show(value: Any, as_json: bool, text: str) -> None:
    """JSON for programs, text for people."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2) if as_json else text)


def interactive() -> bool:
    """Whether a person sits at the terminal."""
    return sys.stdin.isatty()
