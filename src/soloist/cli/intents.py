"""``soloist intents``: what messages want by your own examples, and where each leads."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show

if TYPE_CHECKING:
    from soloist.insight.intents import IntentsPage

intents = typer.Typer(help="What messages want by your own examples, and where each leads.")
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of an intent.")]


@intents.callback(invoke_without_command=True)
def overview(
    context: typer.Context, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """Every intent, where it leads, and what is told apart in which language."""
    if context.invoked_subcommand is not None:
        return
    from soloist.web.intents_door import Wanted

    with opened(home, database) as app:
        page = asyncio.run(Wanted(app).page())
    show(asdict(page), as_json, _said(page))


def _said(page: IntentsPage) -> str:
    lines = [
        f"{one.name:<20} leads to {one.leads_to}; {len(one.examples)} examples, {one.told} messages told"
        for one in page.intents
    ]
    lines = lines or ["There are none. Two are needed before anything can be told apart."]
    lines += [f"{one.name}: {one.said}" for one in page.languages]
    return "\n".join([*lines, *(["The examples are not learned yet: soloist intents fit"] if page.due else [])])


@intents.command("set")
def set_intent(
    name: NameArgument,
    leads: Annotated[
        str, typer.Argument(help="way:KIND, reply:TEMPLATE, agent:NAME, operation:CONNECTION.NAME or playbook:NAME.")
    ],
    examples: Annotated[Path, typer.Argument(help="A text file with one example a line.", exists=True, dir_okay=False)],
    title: Annotated[str, typer.Option(help="What it is about.")] = "",
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Keep an intent in place of the one of its name."""
    from soloist.web.intents_door import Wanted

    lead, _, target = leads.partition(":")
    row = {"name": name, "title": title, "lead": lead, "target": target}
    with opened(home, database) as app:
        lines = examples.read_text(encoding="utf-8").splitlines()
        asyncio.run(Wanted(app).keep({**row, "examples": lines}, "operator"))
    typer.echo(f"{name} is kept. It is learned while the server runs, or by: soloist intents fit")


@intents.command()
def remove(name: NameArgument, *, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Take an intent out of use."""
    from soloist.web.intents_door import Wanted

    with opened(home, database) as app:
        asyncio.run(Wanted(app).end(name, "operator"))
    typer.echo(f"{name} is out of use.")


@intents.command()
def tell(
    message: Annotated[str, typer.Argument(help="Id of a message.")],
    name: NameArgument,
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Say what a message wants; it is an example from then on."""
    from soloist.web.intents_door import Wanted

    with opened(home, database) as app:
        asyncio.run(Wanted(app).tell(message, name, "operator"))
    typer.echo(f"{message} wants {name}.")


@intents.command()
def fit(*, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Learn the examples now."""
    from soloist.web.intents_door import Wanted

    with opened(home, database) as app:
        done = asyncio.run(Wanted(app).fit())
        page = asyncio.run(Wanted(app).page())
    typer.echo("\n".join([f"Learned from {done['examples']} examples.", *(one.said for one in page.languages)]))
