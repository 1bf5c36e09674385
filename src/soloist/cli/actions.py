"""The command ``soloist actions``: everything that can be done, with its risk, its owner and its use."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show


def actions(
    query: Annotated[str, typer.Argument(help="Words that all have to be in an action's facts.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """List everything that can be done: contract, risk, way back, who proposes and decides, last use."""
    from soloist.insight import actions as insight
    from soloist.web.actions_door import Actions

    with opened(home, database) as app:
        found = insight.fitting(asyncio.run(Actions(app).lines()), query)
    rows = [insight.as_row(line) for line in found]
    text = "\n".join(insight.sentence(line) for line in found) or "Nothing fits."
    show({"items": rows}, as_json, text)
