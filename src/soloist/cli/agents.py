"""``soloist agents``: who works here, under which contract and version; versions are published, used and compared."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, said_plainly, show

if TYPE_CHECKING:
    from soloist.app import App
    from soloist.web.registry_door import Registered

agents = typer.Typer(help="Agents: contracts, versions, what is in use.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of an agent.")]
AnywayOption = Annotated[
    str, typer.Option("--anyway", metavar="REASON", help="Use it although it does worse on what you corrected.")
]
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="A published version.")]
WhyOption = Annotated[str, typer.Option("--why", help="Why; it is kept in the journal.")]


def _door(app: App) -> Registered:
    from soloist.web.registry_door import Registered

    return Registered(app)


@agents.command("list")
def listed(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Every agent: version, state, runs, cost, how much of it you edit; what is wrong with a file is said."""
    with opened(home, database) as app:
        page = asyncio.run(_door(app).agents())
    lines = []
    for one in page.lines:
        edits = "" if one.edit_share is None else f", {one.edit_share:.0%} of {one.decided} edited"
        pin = " (pinned)" if one.pinned else ""
        runs = f"{one.runs} runs" + (f", {one.pieces} pieces of work in runs of others" if one.pieces else "")
        lines += [f"{one.name}@{one.version}{pin}  {one.said}, {runs}{edits}", f"    {one.summary}"]
    lines += [f"Not used: {text}" for text in page.troubles]
    show({"items": [asdict(one) for one in page.lines], "troubles": page.troubles}, as_json, "\n".join(lines))


@agents.command("show")
def contract(
    name: NameArgument, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """The contract of one agent in plain words, and its versions."""
    with opened(home, database) as app:
        page = asyncio.run(_door(app).agent(name))
        raw = app.desk.runtime.roster.get(name).model_dump(mode="json")
    lines = [f"{name}@{page.line.version}, {page.line.said}: {page.line.summary}"]
    lines += [f"  {label:<18} {text}" for label, text in page.words]
    lines += [f"  version {v.version} {'in use' if v.here else ''} {v.at[:16]} {v.why}" for v in page.versions]
    versions = [asdict(version) for version in page.versions]
    show({**asdict(page.line), "contract": raw, "versions": versions}, as_json, "\n".join(lines))


@agents.command("check")
def check(folder: Annotated[Path, typer.Argument(help="Folder with an agent.toml.")]) -> None:
    """Whether a folder is an agent: what is wrong is said with the file, the key, and what would be right."""
    from soloist.stages.runtime.agents import read_agent

    with said_plainly():
        spec = read_agent(folder)
    typer.echo(f"{spec.label} is sound: {spec.summary}")


@agents.command("publish")
def publish(
    folder: Annotated[Path, typer.Argument(help="Folder with agent.toml and instructions.md.")],
    why: WhyOption = "",
    *,
    use: Annotated[bool, typer.Option(help="Put it in use.")] = True,
    anyway: AnywayOption = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Publish the version in a folder and put it in use; a version that exists is never changed."""
    from soloist.flows.publishing import from_folder

    with opened(home, database) as app:
        content = from_folder(folder)
        said = {"who": "operator", "why": why, "source": "cli", "anyway": anyway}
        making = _door(app).publishing.publish(content, use=use, **said)
        found = asyncio.run(making)
    show(found, as_json, f"Published: {found['name']}@{found['version']}" + (", in use" if use else ""))


@agents.command("use")
def use_version(
    name: NameArgument,
    version: VersionArgument,
    why: WhyOption = "",
    *,
    pin: Annotated[bool | None, typer.Option("--pin/--unpin", help="Whether upgrades may move it.")] = None,
    anyway: AnywayOption = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Put a published version in use."""
    with opened(home, database) as app:
        said = {"who": "operator", "why": why, "anyway": anyway}
        row = asyncio.run(_door(app).publishing.use(name, version, pin=pin, **said))
    typer.echo(f"In use: {name}@{row['version']}{', pinned' if row['pinned'] else ''}")


@agents.command("back")
def back(name: NameArgument, why: WhyOption = "", home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Go back to the version that was in use before, and pin it."""
    with opened(home, database) as app:
        row = asyncio.run(_door(app).publishing.back(name, who="operator", why=why))
    typer.echo(f"In use: {name}@{row['version']}, pinned")


@agents.command("pause")
def pause(name: NameArgument, why: WhyOption = "", home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Pause an agent; new runs of its flows wait, and none is lost."""
    with opened(home, database) as app:
        asyncio.run(_door(app).publishing.switch(name, "paused", who="operator", why=why))
    typer.echo(f"{name} is paused. Its new runs wait.")


@agents.command("resume")
def resume(name: NameArgument, why: WhyOption = "", home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Let a paused agent work again."""
    with opened(home, database) as app:
        asyncio.run(_door(app).publishing.switch(name, "active", who="operator", why=why))
    typer.echo(f"{name} works again.")


@agents.command("work")
def work(
    name: NameArgument,
    given: Annotated[str, typer.Option("--input", help="A file with JSON or plain text; - for standard input.")] = "-",
    skill: Annotated[str, typer.Option("--skill", help="One of its skills; empty for its own way.")] = "",
    *,
    by_morning: Annotated[bool, typer.Option("--by-morning", help="It may wait for the cheap hours.")] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it costs; nothing is begun.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Hand an agent a piece of work; the running server does it, and `soloist runs` shows how it stands."""
    from soloist.flows.giving import Asked
    from soloist.web.giving_door import Handing

    with opened(home, database) as app:
        text = _read(given)
        handing, lane = Handing(app), "morning" if by_morning else "now"
        asked = Asked(name, handing.plain_or_json(name, skill, text), skill, lane=lane)
        if estimate:
            found = asyncio.run(handing.look(asked))
            show(found, as_json, str(found["said"]))
            return
        made = asyncio.run(handing.give(asked, who="operator"))
    show(made, as_json, f"{made['agent']} was given this: {made['id']}\n{made['estimate'].get('said', '')}")


def _read(given: str) -> str:
    """Standard input, or a file (BadInput)."""
    from soloist.kernel.errors import BadInput

    if given == "-":
        return sys.stdin.read()
    try:
        return Path(given).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInput(f"{given} cannot be read: {error.strerror}. Nothing was begun.") from error


@agents.command("compare")
def compare(
    name: NameArgument,
    old: VersionArgument,
    new: VersionArgument,
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """What differs between two versions, line by line."""
    import difflib

    with opened(home, database) as app:
        found = asyncio.run(_door(app).compare("agent", name, old, new))
    rows = [{"part": field.label, "before": field.before, "after": field.after} for field in found.fields]
    lines: list[str] = []
    for row in rows:
        both = (row["before"].splitlines(), row["after"].splitlines())
        lines += difflib.unified_diff(*both, f"{row['part']} {old}", f"{row['part']} {new}", lineterm="", n=1)
    show({"items": rows}, as_json, "\n".join(lines) or "Nothing differs.")
