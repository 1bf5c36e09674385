"""``soloist import``: a file from elsewhere (table, contacts, calendar, mailbox) or a whole home is taken over."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soloist.cli.common import (
    FAULT,
    USAGE,
    DatabaseOption,
    HomeOption,
    JsonOption,
    home_of,
    interactive,
    opened,
    said_plainly,
    show,
)

if TYPE_CHECKING:
    from soloist.app import App
    from soloist.flows.importing import Importing


def import_(
    file: Annotated[
        Path | None, typer.Argument(help="A .xlsx, .csv, .vcf, .ics, .mbox file, or an exported home.")
    ] = None,
    home: HomeOption = None,
    database: DatabaseOption = "",
    *,
    kind: Annotated[str, typer.Option(help="What the rows are: person, company, invoice, ...; empty: found out.")] = "",
    column: Annotated[
        list[str] | None,
        typer.Option("--map", help='"Column=field", again for each; "Column=" leaves it out; or a .toml file of them.'),
    ] = None,
    sheet: Annotated[str, typer.Option(help="Which sheet of a spreadsheet; empty: the first with rows.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Take over what the dry run says without asking.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen; the import waits.")] = False,
    undo: Annotated[str, typer.Option(help="Take a whole import back, by its id.")] = "",
    go_on: Annotated[bool, typer.Option("--continue", help="Finish imports that were interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take a file over: read, dry run, then (asked) taken over; without a file, the imports there are."""
    if file is not None and _is_house(file):
        _house(file, home_of(home), database, as_json)
        return
    with opened(home, database) as app:
        from soloist.flows.importing import Importing

        work = Importing(app.desk)
        if file is not None:
            value, text = asyncio.run(_take(app, work, file.expanduser(), _Wish(kind, column or [], sheet, yes, dry)))
        elif undo:
            value, text = asyncio.run(_undo(app, work, undo))
        elif go_on:
            done = asyncio.run(work.go_on())
            value, text = {"finished": done}, f"{len(done)} finished." if done else "Nothing was interrupted."
        else:
            value, text = _list(app)
    show(value, as_json, text)


class _Wish:
    """What was asked for on the command line."""

    def __init__(self, kind: str, columns: list[str], sheet: str, yes: bool, dry: bool) -> None:
        self.kind, self.sheet, self.yes, self.dry = kind, sheet, yes, dry
        self.columns: list[tuple[str, str]] = []
        for part in columns:
            head, equals, field = part.rpartition("=")
            self.columns += [(head, field)] if equals else self._file(Path(part))

    def _file(self, path: Path) -> list[tuple[str, str]]:
        """Columns from a file: "Column" = "field" under [columns], and perhaps a kind."""
        try:
            told = tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
            self.kind = self.kind or str(told.get("kind", ""))
            return [(str(head), str(field)) for head, field in told["columns"].items()]
        except (OSError, KeyError, AttributeError, ValueError) as error:
            why = "it has no table [columns]" if isinstance(error, KeyError | AttributeError) else str(error)
            typer.echo(f'soloist: --map {path}: neither "Column=field" nor a file of them: {why}.', err=True)
            raise typer.Exit(USAGE) from error


async def _take(app: App, work: Importing, file: Path, wish: _Wish) -> tuple[dict[str, Any], str]:
    """One file, step by step."""
    from soloist.flows.import_mail import Mailing
    from soloist.insight import importing

    try:
        with file.open("rb") as begun:
            start = begun.read(5)
        if start == b"From ":
            ident = await Mailing(app.desk).take(file, who="operator")
            row = app.store.read_now(lambda conn: importing.line(conn, ident))
            return row.as_json(), f"{row.said}. When Soloist runs, open: /takeover/{row.review}"
        data = await asyncio.to_thread(file.read_bytes)
        ident = await work.begin(file.name, data, kind=wish.kind, who="operator", run=False)
    except OSError as error:
        typer.echo(f"soloist: {file} cannot be read: {error.strerror}. Nothing was taken over.", err=True)
        raise typer.Exit(USAGE) from error
    await work.step("", ident, "read")
    view = _view(app, ident)
    if wish.sheet and wish.sheet != view.sheet:
        await work.sheet(ident, wish.sheet, who="operator", run=False)
        await work.step("", ident, "read")
        view = _view(app, ident)
    fields = {str(one.number): one.field for one in view.columns} | _said_columns(view, wish.columns)
    await work.map(ident, view.kind, fields, who="operator", run=False)
    await work.step("", ident, "check")
    view = _view(app, ident)
    if wish.dry or not _agreed(view, wish):
        return view.as_json(), "\n".join([*view.lines, f"Nothing was taken over yet; it waits as import {ident}."])
    await work.take(ident, who="operator", run=False)
    await work.work(ident)
    view = _view(app, ident)
    return view.as_json(), "\n".join([*view.lines, f"Take it back with: soloist import --undo {ident}"])


def _view(app: App, ident: str) -> Any:
    """The import as it is now; one that failed ends the command with its reason."""
    from soloist.insight import importing

    view = app.store.read_now(lambda conn: importing.page(conn, ident))
    if view.state == "failed":
        typer.echo(f"soloist: {view.why}", err=True)
        raise typer.Exit(FAULT)
    return view


def _said_columns(view: Any, given: list[tuple[str, str]]) -> dict[str, str]:
    """The columns named on the command line, by their numbers."""
    numbers = {one.head: str(one.number) for one in view.columns}
    found = {}
    for head, field in given:
        if head not in numbers:
            typer.echo(f"soloist: there is no column {head!r}. There are: {', '.join(numbers)}.", err=True)
            raise typer.Exit(USAGE)
        found[numbers[head]] = field
    return found


def _agreed(view: Any, wish: _Wish) -> bool:
    """Whether the operator lets it go on."""
    if wish.yes:
        return True
    if not interactive():
        return False
    typer.echo("\n".join(view.lines))
    return typer.confirm("Take it over?", default=False)


async def _undo(app: App, work: Importing, ident: str) -> tuple[dict[str, Any], str]:
    await work.undo(ident, who="operator", run=False)
    await work.unwork(ident)
    view = _view(app, ident)
    return view.as_json(), "\n".join(view.lines)


def _list(app: App) -> tuple[Any, str]:
    from soloist.insight import importing

    found = app.store.read_now(importing.lines)
    text = "\n".join(f"{one.id}  {one.name}  {one.state}: {one.said}" for one in found)
    return [one.as_json() for one in found], text or "Nothing was imported yet. Begin with: soloist import FILE"


def _is_house(file: Path) -> bool:
    """Whether it is an exported home: a folder with a manifest, or a zip with one."""
    import zipfile

    if file.is_dir():
        return True
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as zipped:
        return "manifest.json" in zipped.namelist()


def _house(file: Path, root: Path, database: str, as_json: bool) -> None:
    """An exported home into an empty one."""
    with said_plainly():
        from soloist.flows import house_copy

        done = house_copy.take_in(file.expanduser().absolute(), root, url=database)
    lines = [
        f"Everything is in {root}: {done['rows']} rows, {done['files']} files, the journal up to event {done['seq']}.",
        "Passwords and keys are not in an export: connect mailboxes again, and make a recovery sheet.",
        f"It begins in safe mode: nothing leaves until you have looked. Start it with: soloist up --home {root}",
    ]
    show({"home": str(root), **done}, as_json, "\n".join(lines))
