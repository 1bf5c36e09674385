"""``soloist give``: work in one plain sentence; what was understood is shown first, and begins with your word."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soloist.cli.common import FAULT, DatabaseOption, HomeOption, JsonOption, interactive, opened, show

if TYPE_CHECKING:
    from soloist.flows.talking import Turn


def give(
    said: Annotated[str, typer.Argument(help='What is to be done, like "What does Nora Feld owe us?"')],
    text: Annotated[str, typer.Option(help="A file with a text of somebody else for it; - for standard input.")] = "",
    conversation: Annotated[str, typer.Option("--in", help="The conversation it goes on in.")] = "",
    *,
    way: Annotated[str, typer.Option(help="What is meant, when it was not clear: AGENT.WAY")] = "",
    pick: Annotated[str, typer.Option(help="Id of the record that is meant, when several were named.")] = "",
    by_morning: Annotated[bool, typer.Option("--by-morning", help="It may wait for the cheap hours.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Begin without asking again.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Give work in plain words; the running server does it, and `soloist runs` shows how it stands."""
    from soloist.flows.talking import Talking

    with opened(home, database) as app:
        doing = Talking(app.desk)
        below = sys.stdin.read() if text == "-" else _read(text) if text else ""
        message = asyncio.run(doing.say(f"{said}\n\n{below}".strip(), who="operator", conversation=conversation))
        turn = asyncio.run(doing.turn(message, way=way))
        picked = {name: [pick] for name in turn.meant.unclear} if pick else {}
        turn = asyncio.run(doing.turn(message, way=way, picked=picked)) if picked else turn
        talk = asyncio.run(doing.conversation(message))
        told = {"conversation": talk, "message": message, "way": turn.meant.way, "input": dict(turn.meant.input)}
        if not turn.meant.ready:
            show({**told, "choices": dict(turn.choices)}, as_json, _asked(turn))
            raise typer.Exit(FAULT)
        if not as_json:
            typer.echo(_lines(turn))
        if not yes and not (interactive() and typer.confirm("Do this?")):
            typer.echo("Nothing was begun. With --yes it begins at once.", err=True)
            raise typer.Exit(FAULT)
        given: dict[str, Any] = {"who": "operator", "way": way, "picked": picked, "by_morning": by_morning}
        made = asyncio.run(doing.give(message, **given))
    more = f'Go on with: soloist give --in {talk} "Make it shorter"'
    show({**told, "work": made["id"]}, as_json, f"{made['agent']} was given this: {made['id']}\n{more}")


def _lines(turn: Turn) -> str:
    """What was understood, a line each."""
    meant = turn.meant
    rows = [f"{meant.agent}: {meant.label}", *(f"  {label}: {text}" for label, text in meant.shown)]
    rows += [f"  by {meant.due}"] if meant.due else []
    return "\n".join([*rows, f"  {turn.estimate}"])


def _asked(turn: Turn) -> str:
    """What has to be said, with the ways and records that may be meant."""
    from soloist.flows.talking import unclear

    ways = [f"  --way {name}   {label}" for name, label in turn.choices if name != turn.meant.way]
    picks = [f"  --pick {one.id}   {one.label}" for found in turn.meant.unclear.values() for one in found]
    return "\n".join([unclear(turn), *picks, *(ways if not picks else [])])


def _read(path: str) -> str:
    """A file (BadInput)."""
    from soloist.kernel.errors import BadInput

    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}. Nothing was begun.") from error
