"""The command that prints the board of failures."""

from __future__ import annotations

from typing import Annotated

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show


def failures(
    trace: Annotated[bool, typer.Option("--trace", help="With the stack traces.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """What does not work: each fault once, with its inputs and what can be done."""
    from soloist.insight import failures as board

    with opened(home, database) as app:
        rows = app.store.read_now(board.rows)
    lines = []
    for row in rows:
        lines += [f"{row['id'][:13]}  {row['state']:<12} {row['times']:>4}x  {row['title']}", f"  {row['why']}"]
        lines += [f"  {row['done']}", *(f"  {run}" for run in row["runs"][-3:])]
        lines += [row["trace"]] if trace else []
    show(rows, as_json, "\n".join(lines) or "Everything works.")
