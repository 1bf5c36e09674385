"""The commands ``soloist merges``: records that may be one, listed, merged, kept apart and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show

merges = typer.Typer(help="Records that may be one: list, merge, keep apart, take back.", no_args_is_help=True)
WHO = "operator"


@merges.command("list")
def listed(
    state: Annotated[str, typer.Option("--state", help="proposed, merged, apart or unmerged; empty for all.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Pairs of records that may be, are or were one."""
    from soloist.insight import merging as rows

    with opened(home, database) as app:
        found = app.store.read_now(lambda conn: rows.rows(conn, state, ("", ""), 1000))
    show(found, as_json, "\n".join(map(_line, found)) or "There is nothing to show.")


@merges.command("merge")
def merge(
    kept: Annotated[str, typer.Argument(help="The record that stays.")],
    other: Annotated[str, typer.Argument(help="The record that leads to it from then on.")],
    *,
    choose: Annotated[list[str] | None, typer.Option("--choose", help="FIELD=kept, other or both. Repeat.")] = None,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let two records be one. Neither is rewritten; take it back with: soloist merges unmerge ID."""
    from soloist.flows.merging import Merging
    from soloist.insight import merging as rows

    with opened(home, database) as app:
        row = asyncio.run(Merging(app.desk).merge(kept, other, _choices(choose or ()), who=WHO))
    show(rows.as_json(row), as_json, f"Merged. Take it back with: soloist merges unmerge {row['id']}")


@merges.command("unmerge")
def unmerge(
    ident: Annotated[str, typer.Argument(metavar="ID", help="The merge.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a merge back: both records are what they were."""
    from soloist.flows.merging import Merging
    from soloist.insight import merging as rows

    with opened(home, database) as app:
        row = asyncio.run(Merging(app.desk).unmerge(ident, who=WHO))
    show(rows.as_json(row), as_json, "Taken back. Both records are what they were.")


@merges.command("apart")
def apart(
    ident: Annotated[str, typer.Argument(metavar="ID", help="The proposed pair.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Remember that a pair is two; it is not proposed again unless something changes."""
    from soloist.flows.merging import Merging
    from soloist.insight import merging as rows

    with opened(home, database) as app:
        row = asyncio.run(Merging(app.desk).keep_apart(ident, who=WHO))
    show(rows.as_json(row), as_json, "Kept apart.")


@merges.command("look")
def look(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Look through all records now for pairs that may be one. It only proposes."""
    from soloist.flows.merging import Merging

    with opened(home, database) as app:
        told = asyncio.run(Merging(app.desk).look(everything=True))
    show(told, as_json, f"{told['looked']} looked at, {told['proposed']} proposed, {told['cards']} cards opened.")


def _choices(given: Sequence[str]) -> dict[str, str]:
    """``field=kept`` pairs; a wrong one is said by the merge itself."""
    return {name: choice for name, _, choice in (one.partition("=") for one in given)}


def _line(one: dict[str, Any]) -> str:
    """What a person reads of one pair."""
    agree = ", ".join(field["field"] for field in one["fields"] if field["verdict"] == "agrees")
    return f"{one['id']}  {one['state']:<9} {one['score']:.3f}  {one['kept']} and {one['other']}  same: {agree or '-'}"
