"""The command ``soloist reconcile``: compares what is outside with what is here, now, and prints what differs."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show


def reconcile(
    connector: Annotated[str, typer.Argument(metavar="[CONNECTOR]", help="One connection; else all.")] = "",
    listing: Annotated[bool, typer.Option("--list", help="Only print what is known; compare nothing.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Compare what was done with what is there outside. Nothing is sent; what differs is listed and can be decided."""
    from soloist.flows.reconciling import Reconciling
    from soloist.insight import reconcile as rows

    with opened(home, database) as app:
        compared: list[dict[str, Any]] = []
        if not listing:
            compared = asyncio.run(Reconciling(app.desk).now(connector))
        found = app.store.read_now(lambda conn: rows.rows(conn, "open", ("", ""), 1000))
    found = [one for one in found if connector in ("", one["connector"])]
    show({"compared": compared, "mismatches": found}, as_json, "\n".join(_lines(compared, found)))


def _lines(compared: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    """What a person reads."""
    lines = []
    for one in compared:
        told = one["trouble"] or f"{one['listed']} listed, {one['matched']} agree, {one['mismatches']} differ"
        lines.append(f"{one['connector']}.{one['operation']}: {told}")
    for one in found:
        lines += [f"{one['id'][:13]}  {one['kind']:<16} {one['connector']}: {one['title']}"]
        lines += [f"  {line['field']}: {line['inside']} here, {line['outside']} outside" for line in one["fields"]]
    return [*lines, *([] if found else ["Nothing is open."])]
