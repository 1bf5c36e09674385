"""The command ``soloist records``: kinds, tables, one record and its versions, changes over a version, going back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from soloist.cli.common import USAGE, DatabaseOption, HomeOption, JsonOption, opened, show

WHO = "operator"


def records(
    kind: Annotated[str, typer.Argument(help="person, company, invoice ...; empty for the kinds there are.")] = "",
    ident: Annotated[str, typer.Argument(metavar="ID", help="One record; empty for the table.")] = "",
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    kind_option: Annotated[str, typer.Option("--kind", help="The same as the argument.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="The whole table as CSV, as the console gives it.")] = False,
    query: Annotated[str, typer.Option("--filter", help="Text that a row holds.")] = "",
    state: Annotated[str, typer.Option("--state", help="The state a row has, or is to have when written.")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="As it was at an instant or a sequence number.")] = "",
    history: Annotated[bool, typer.Option("--history", help="Every version of the record.")] = False,
    new: Annotated[bool, typer.Option("--new", help="Write a new record from what --set says.")] = False,
    given: Annotated[list[str] | None, typer.Option("--set", help="FIELD=VALUE. Repeat; - as VALUE clears.")] = None,
    version: Annotated[int, typer.Option("--version", help="The version that was read; needed to write.")] = 0,
    restore: Annotated[int, typer.Option("--restore", help="Write this old version again as the newest.")] = 0,
    why: Annotated[str, typer.Option("--why", help="The reason; some fields change only with one.")] = "",
) -> None:
    """Records: the kinds there are, a table, one record, its history; write over the version that was read."""
    kind = kind or kind_option
    if as_csv:
        _print_csv(kind, home, database, query=query, state=state)
        return
    if (given or restore) and not new and not version:
        typer.echo("soloist: say which version you read: --version 3. Nothing was changed.", err=True)
        raise typer.Exit(USAGE)
    with opened(home, database) as app:
        if not kind:
            _kinds(app, as_json)
        elif new:
            made = asyncio.run(_create(app, kind, given or [], state, why))
            show(made, as_json, f"Kept: {made['title']}  {made['id']}  version 1")
        elif restore:
            done = asyncio.run(app.desk.records.restore(kind, ident, version, restore, actor=WHO, why=why))
            show(done, as_json, f"{done['title']}: version {restore} again, as version {done['version']}")
        elif given or (ident and state):
            done = asyncio.run(_change(app, (kind, ident, version), given or [], state, why))
            show(done, as_json, f"{done['title']}: version {done['version']}")
        elif ident and history:
            _history(app, kind, ident, as_json)
        elif ident:
            _one(app, kind, ident, as_of, as_json)
        else:
            _table(app, kind, limit, {"text": query, "state": state, "as_of": as_of}, as_json)


def _kinds(app: Any, as_json: bool) -> None:
    """Every kind with how many there are."""
    from soloist.insight import record_rows

    found = app.store.read_now(record_rows.every)
    lines = [f"{row['kind']:<14} {row['records']:>6}  {row['help']}" for row in found]
    show(found, as_json, "\n".join(lines))


def _table(app: Any, kind: str, limit: int, asked: Mapping[str, str], as_json: bool) -> None:
    """Records of a kind, newest change first."""
    from soloist.insight import record_rows

    found = app.store.read_now(lambda conn: record_rows.rows(conn, kind, None, limit, **asked))
    lines = [f"{row['id']}  v{row['version']}  {row['title']}  {row['state']}".rstrip() for row in found]
    show(found, as_json, "\n".join(lines) or "There are no records of this kind.")


def _one(app: Any, kind: str, ident: str, as_of: str, as_json: bool) -> None:
    """One record, each field with who set it."""
    from soloist.insight import record_rows

    row = app.store.read_now(lambda conn: record_rows.row(conn, kind, ident, as_of))
    lines = [f"{row['title']}  ({row['kind']}, version {row['version']}{', ' + row['state'] if row['state'] else ''})"]
    for name, value in row["body"].items():
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"  {name:<16} {told}  [{row['owners'].get(name, '')}]".replace("  []", ""))
    show(row, as_json, "\n".join(lines))


def _history(app: Any, kind: str, ident: str, as_json: bool) -> None:
    """Every version, newest first, with what it changed."""
    from soloist.insight import record_rows

    found = app.store.read_now(lambda conn: record_rows.versions(conn, kind, ident))
    lines = []
    for row, old in zip(found, [*found[1:], {"body": {}}], strict=True):
        changed = sorted(n for n in {**old["body"], **row["body"]} if old["body"].get(n) != row["body"].get(n))
        lines.append(f"v{row['version']}  {row['at'][:19]}  {row['actor']}: {row['reason']}  ({', '.join(changed)})")
    show(found, as_json, "\n".join(lines))


async def _create(app: Any, kind: str, given: Sequence[str], state: str, why: str) -> dict[str, Any]:
    """A new record from FIELD=VALUE."""
    from soloist.stages.records import NewRecord

    body = {name: value for name, value in _values(app, kind, given).items() if value not in ("", [])}
    found: dict[str, Any] = await app.desk.records.create(NewRecord(kind, body, state=state, why=why), actor=WHO)
    return found


async def _change(app: Any, place: tuple[str, str, int], given: Sequence[str], state: str, why: str) -> dict[str, Any]:
    """Fields from FIELD=VALUE as a new version."""
    from soloist.insight import record_rows

    kind, ident, version = place
    app.store.read_now(lambda conn: record_rows.row(conn, kind, ident))
    values = _values(app, kind, given)
    found: dict[str, Any] = await app.desk.records.change(
        ident, version, values, actor=WHO, state=state or None, why=why
    )
    return found


def _values(app: Any, kind: str, given: Sequence[str]) -> dict[str, Any]:
    """What --set says as values of the fields (BadInput names the field and what would be right)."""
    from soloist.insight import record_form, record_rows
    from soloist.kernel.errors import BadInput
    from soloist.kernel.kind import Field

    schema, business = app.store.read_now(lambda conn: record_rows.known(conn, kind)), app.settings.business
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise BadInput(f"--set: write FIELD=VALUE, not {text[:60]!r}. Nothing was changed.")
        known = (schema.fields.get(name) if schema else None) or Field(name)
        texts = [] if value == "-" else value.split(",") if known.type == "list" else [value]
        found[name] = record_form.read(known, texts, zone=business.zone, currency=business.currency)
    return found


def _print_csv(kind: str, home: Any, database: str, *, query: str, state: str) -> None:
    """The bytes of the file to standard output, whatever the terminal's own encoding is."""
    import sys

    from soloist.insight import records as tables

    if not kind:
        typer.echo("soloist: say which table: soloist records person --csv", err=True)
        raise typer.Exit(USAGE)
    with opened(home, database) as app:
        pieces = app.store.read_now(lambda conn: list(tables.csv_pieces(conn, kind, query=query, state=state)))
    sys.stdout.buffer.write("".join(pieces).encode())
    sys.stdout.buffer.flush()
