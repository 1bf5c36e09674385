"""``soloist confidence``: what each skill may do alone by the operator's own decisions, and a few things to look at."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show

if TYPE_CHECKING:
    from soloist.insight.confidence import ConfidencePage

confidence = typer.Typer(help="What may go alone by your own decisions, and a few things to look at.")


@confidence.callback(invoke_without_command=True)
def overview(
    context: typer.Context, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """Decisions, how many were right, and what is proved, by skill and language."""
    if context.invoked_subcommand is not None:
        return
    from soloist.web.confidence_door import Proved

    with opened(home, database) as app:
        page = asyncio.run(Proved(app).page())
    show(asdict(page), as_json, _said(page))


def _said(page: ConfidencePage) -> str:
    lines = [f"{line.state_said:<15} {line.said}" for line in page.lines] or ["Nothing was decided yet."]
    if page.samples:
        lines += ["", "Look at these:"]
        lines += [f"{one.id}  {one.title[:60]}  (taken for {one.told})" for one in page.samples]
        lines += ["Say so: soloist confidence judge ID right, or what it is."]
    return "\n".join(lines)


@confidence.command()
def judge(
    sample: Annotated[str, typer.Argument(help="Id of a sample, as soloist confidence prints it.")],
    said: Annotated[str, typer.Argument(help="right, wrong; for a message: right, enquiry or client.")],
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Your word on one that went alone."""
    from soloist.web.confidence_door import Proved

    with opened(home, database) as app:
        done = asyncio.run(Proved(app).judge(sample, said, "operator"))
    typer.echo(f"Counted as {done['outcome']}.")
