"""Commands against the loss of a machine: backup, recovery-sheet, restore, safe-mode."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soloist.cli.common import FAULT, USAGE, DatabaseOption, HomeOption, JsonOption, home_of, opened, said_plainly, show

if TYPE_CHECKING:
    from soloist.app import App

MEGABYTE = 1024 * 1024


def backup(
    home: HomeOption = None,
    database: DatabaseOption = "",
    to: Annotated[Path | None, typer.Option("--to", help="Folder for the file; default: backups in the home.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="A drill: restore it beside, look at all of it.")] = False,
    *,
    of: Annotated[Path | None, typer.Option("--of", help="With --verify: try this backup, make none.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make an encrypted backup while everything goes on; keys are never in it, the recovery sheet carries them."""
    import asyncio

    with opened(home, database) as app:
        from soloist.flows.backups import SHEET, Backups
        from soloist.insight.safety import value

        backups = Backups(app.store, app.home, app.settings)
        try:
            made = None if of else asyncio.run(backups.make(to.expanduser().absolute() if to else None))
            path = of or Path(made["path"])  # type: ignore[index]  # one of the two is there
            tried = asyncio.run(backups.drill(path.expanduser().absolute())) if verify or of else None
        except OSError as error:
            typer.echo(f"soloist: {error.filename} cannot be written: {error.strerror}. No backup was made.", err=True)
            raise typer.Exit(FAULT) from error
        lines = [*_made(made), *_tried(tried)]
        if not app.store.read_now(lambda conn: value(conn, SHEET)):
            lines.append("There is no recovery sheet yet; without one no backup can be opened: soloist recovery-sheet")
    show({"made": made, "drill": tried}, as_json, "\n".join(lines))
    if tried and not tried["ok"]:
        raise typer.Exit(FAULT)


def _made(made: dict[str, Any] | None) -> list[str]:
    """What was written, in words."""
    if made is None:
        return []
    size = f"{made['size'] / MEGABYTE:.1f} MB, {made['files']} files, up to event {made['cut_seq']}"
    lines = [f"Backup: {made['path']}", f"{size}, in {made['seconds']:.1f} s."]
    lines += [f"Copied to {made['copied']}"] if made["copied"] else []
    return lines + ([f"But: {made['fault']}"] if made["fault"] else [])


def _tried(tried: dict[str, Any] | None) -> list[str]:
    """What the drill showed, in words."""
    if tried is None:
        return []
    if not tried["ok"]:
        return [f"The drill of {tried['path']} found trouble:", *tried["faults"]]
    counted = f"{tried['events']} events with their signatures, {tried['rows']} rows, {tried['assets']} large files"
    secrets = f"{tried['opened']} of {tried['secrets']} secrets opened"
    return [f"The drill restored all of it in {tried['seconds']:.1f} s: {counted}, {secrets}. Nothing left the house."]


def recovery_sheet(
    home: HomeOption = None,
    database: DatabaseOption = "",
    to: Annotated[
        Path | None, typer.Option("--to", help="File to write, .html to print or .txt; default: the terminal.")
    ] = None,
) -> None:
    """The keys of this home on one page, to print and to keep away from this machine; it is never kept in the home."""
    with opened(home, database) as app:
        write_sheet(app, to)


def write_sheet(app: App, to: Path | None) -> None:
    """Write or print the sheet, and remember that there is one."""
    from soloist.engine import recovery
    from soloist.engine.vault import Vault
    from soloist.flows.backups import sheet_made

    sheet, business = recovery.of(Vault(app.home.keys)), app.settings.business
    made = f"{app.store.clock().astimezone(business.zone):%d.%m.%Y}"
    target = to.expanduser().absolute() if to else None
    if target is None:
        typer.echo(recovery.text(sheet, business=business.name, made=made))
    else:
        if target.resolve().is_relative_to(app.home.root.resolve()):
            typer.echo("soloist: the sheet must not lie in the home, beside what it opens. Nothing written.", err=True)
            raise typer.Exit(FAULT)
        form = recovery.page if target.suffix.lower() in (".html", ".htm") else recovery.text
        _private(target, form(sheet, business=business.name, made=made))
        typer.echo(f"Recovery sheet: {target}. Print it, keep it away from this machine, then delete the file.")
    sheet_made(app.store)


def _private(target: Path, text: str) -> None:
    """A new file that only its owner can read; one that is there stays as it is."""
    import os

    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        typer.echo(f"soloist: {target} cannot be written: {error.strerror}. Nothing was written.", err=True)
        raise typer.Exit(FAULT) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def restore(
    archive: Annotated[Path, typer.Argument(help="The backup.")],
    sheet: Annotated[
        str, typer.Option("--sheet", help="File with the lines of the recovery sheet; - reads them here.")
    ],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put a home back from a backup and its recovery sheet, into a new folder; it starts in safe mode."""
    with said_plainly():
        from soloist.engine import backup as backups
        from soloist.engine import recovery

        keys = recovery.read(_typed(sheet))
        root = home_of(home)
        done = backups.restore(archive.expanduser().absolute(), root, keys, url=database)
    lines = [
        f"Restored to {root} in {done.seconds:.1f} s: {done.files} files, the journal up to event {done.cut_seq}.",
        f"The backup was made at {done.at[:16].replace('T', ' ')} (UTC). What happened after that is not in it.",
        "It is in safe mode: nothing leaves until you have seen what was found outside. Start it and open Safety:",
        f"soloist up --home {root}",
        "If the machine it came from still runs, end it there first: two copies would both work.",
    ]
    if done.erased:
        with opened(root, database):  # opening it erases again whoever was erased after the backup was made
            lines.append(f"Erased again, because it had been erased since the backup: {done.erased}.")
    elif done.erased is None:
        lines.append(
            "No list of erasures lies beside this backup: whoever was erased after it was made would be in it again."
        )
    value = {"home": str(root), "at": done.at, "cut_seq": done.cut_seq, "files": done.files, "seconds": done.seconds}
    value["erased"] = done.erased
    show(value, as_json, "\n".join(lines))


def _typed(sheet: str) -> str:
    """The text of a sheet from a file or from the keyboard."""
    if sheet == "-":
        if sys.stdin.isatty():
            typer.echo("Type the eight lines of the sheet, then Ctrl D:", err=True)
        return sys.stdin.read()
    path = Path(sheet).expanduser()
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        typer.echo(f"soloist: the sheet {path} cannot be read: {error.strerror}. Nothing was changed.", err=True)
        raise typer.Exit(USAGE) from error


def safe_mode(
    home: HomeOption = None,
    database: DatabaseOption = "",
    leave: Annotated[bool, typer.Option("--leave", help="End safe mode: what is listed goes out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What was found after a restore, and what will leave; --leave ends safe mode."""
    import asyncio

    with opened(home, database) as app:
        from soloist.flows.restoring import Restoring
        from soloist.insight import safety

        if leave:
            asyncio.run(Restoring(app.desk).leave(who="operator"))
        halt = app.desk.effects.halt
        view = app.store.read_now(lambda conn: safety.restored(conn, halt))
    if leave:
        text = f"Safe mode is over. Approved things that go out now: {len(view.ready)}."
        show({"left": True, "ready": len(view.ready)}, as_json, text)
        return
    show(safety.as_json(view), as_json, "\n".join(safety.lines(view)))
