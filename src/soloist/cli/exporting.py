"""``soloist export``: everything of this home in open formats, as a folder or one zip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from soloist.cli.common import FAULT, DatabaseOption, HomeOption, JsonOption, opened, show


def export(
    to: Annotated[Path, typer.Argument(help="A new folder, or a file ending in .zip.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write everything in open formats; passwords and keys are not in it, and it is not encrypted."""
    with opened(home, database) as app:
        from soloist.flows import exporting

        target = to.expanduser().absolute()
        try:
            done = exporting.write(app.store, app.home, app.vault, target)
        except OSError as error:
            typer.echo(f"soloist: {error.filename} cannot be written: {error.strerror}.", err=True)
            raise typer.Exit(FAULT) from error
    lines = [
        f"Everything is in {target}: {done['rows']} rows, {done['files']} files, to event {done['seq']}.",
        "It is not encrypted and holds the words of your clients. Passwords and keys are not in it.",
        f"Into an empty home: soloist import {target} --home FOLDER",
    ]
    show({"path": str(target), **{key: done[key] for key in ("rows", "files", "seq", "at")}}, as_json, "\n".join(lines))
