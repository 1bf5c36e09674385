"""``soloist skills install`` and what follows: skills with code of others are reviewed, accepted, refused, removed."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soloist.cli.common import FAULT, DatabaseOption, HomeOption, JsonOption, opened, show

if TYPE_CHECKING:
    from soloist.app import App
    from soloist.insight.packages import PackageLine
    from soloist.web.packages_door import Packaged

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a package.")]
HashOption = Annotated[str, typer.Option("--hash", help="The hash that was shown, or how it begins.")]
SHORTEST = 8


def _door(app: App) -> Packaged:
    from soloist.web.packages_door import Packaged

    return Packaged(app)


def install(
    path: Annotated[Path, typer.Argument(help="A folder, a .zip or a .tar.gz with a skill.toml.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Keep skills of others for your review: their files, their hash, what they ask for; nothing of them is run."""
    with opened(home, database) as app:
        door = _door(app)
        row = asyncio.run(door.acts.install(path, who="operator"))
        line = asyncio.run(door.one(row["name"], row["hash"])).line
    told = _review(line)
    told += [f"Nothing of it was run. Read its files: soloist skills review {line.name} --hash {line.hash[:16]}"]
    then = "compare" if line.replaces else "accept"
    told += [f"Then: soloist skills {then} {line.name} --hash {line.hash[:16]}"]
    show(asdict(line), as_json, "\n".join(told))


def _review(line: PackageLine) -> list[str]:
    told = [f"{line.name}@{line.version}, {line.said}: {line.summary}", f"  hash     {line.hash}"]
    told += [f"  says it is by {line.author}; came from {line.source}", f"  at most  {line.limits}"]
    told += [f"  skill    {name}@{version}" for name, version in line.skills]
    told += [f"  replaces the skill {line.replaces} that came with Soloist"] if line.replaces else []
    told += [f"  {said}" for said in line.trial]
    told += [f"  asks for {need}: {words}{', granted' if granted else ''}" for need, words, granted in line.needs]
    told += [] if line.needs else ["  asks for nothing but its input"]
    told += [f"  file     {name} ({size} bytes, {digest[:12]})" for name, size, digest in line.files]
    return told + [f"  {why}" for why in (line.amiss, line.why) if why]


def review(
    name: NameArgument,
    begins: HashOption = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Every file of a package as it would run, and what differs from the one in use."""
    with opened(home, database) as app:
        page = asyncio.run(_door(app).one(name, begins))
    told = _review(page.line)
    for file, text in page.texts:
        told += ["", f"----- {file}", text.rstrip()]
    if page.differs:
        told += ["", f"Differs from {page.against}: {', '.join(one.label for one in page.differs)}"]
    show({**asdict(page.line), "texts": dict(page.texts)}, as_json, "\n".join(told))


def compare(
    name: NameArgument,
    begins: HashOption,
    grant: Annotated[
        list[str] | None, typer.Option("--grant", help="A value it asks for; once for each. Default: all of them.")
    ] = None,
    none: Annotated[bool, typer.Option("--grant-none", help="Give it none of the values it asks for.")] = False,
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Hold a package against the skill whose place it would take: its examples, your corrections, the time it needs."""
    with opened(home, database) as app:
        door, granted = _door(app), [] if none else grant
        row = asyncio.run(door.replacing.compare(name, begins, who="operator", granted=granted))
        line = asyncio.run(door.one(name, row["hash"])).line
    told = [*line.trial]
    told += [f"  {one['outcome']:<8} {one['example']}: {'; '.join(one['faults'])[:200]}" for one in line.amiss_of]
    told += [f"Nothing is in use yet. Then: soloist skills accept {name} --hash {line.hash[:16]}"]
    show(asdict(line), as_json, "\n".join(told))


def back(
    skill: Annotated[str, typer.Argument(metavar="SKILL", help="Name of a skill whose place a package has.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Put the skill that came with Soloist back in its place; the package is kept and can be accepted again."""
    with opened(home, database) as app:
        name = asyncio.run(_door(app).acts.back(skill, who="operator"))
    typer.echo(f"The shipped skill {skill} answers again. {name} is kept; accept it again to use it.")


def accept(
    name: NameArgument,
    begins: HashOption,
    grant: Annotated[
        list[str] | None, typer.Option("--grant", help="A value it asks for; once for each. Default: all of them.")
    ] = None,
    none: Annotated[bool, typer.Option("--grant-none", help="Give it none of the values it asks for.")] = False,
    anyway: Annotated[str, typer.Option("--anyway", help="Why, when it does worse on what you corrected.")] = "",
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Let exactly the files with this hash be run, behind the walls; their examples have to hold first."""
    with opened(home, database) as app:
        if len(begins) < SHORTEST:
            typer.echo(f"soloist: --hash needs at least {SHORTEST} digits of the hash that was shown.", err=True)
            raise typer.Exit(FAULT)
        granted = [] if none else grant
        acts = _door(app).acts
        row = asyncio.run(acts.accept(name, begins, who="operator", granted=granted, anyway=anyway))
    skills = ", ".join(row["content"]["skills"])
    label, place = f"{row['name']}@{row['version']} ({row['hash'][:16]})", row["content"]["spec"].get("replaces")
    then = f"It has the place of {place}; back to the shipped one: soloist skills back {place}"
    typer.echo(f"Accepted: {label}. {then if place else f'Agents may list: {skills}'}")


def refuse(
    name: NameArgument,
    begins: HashOption,
    why: Annotated[str, typer.Option("--why", help="Why; it is kept in the journal.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Turn down a package that waits; its files are deleted."""
    with opened(home, database) as app:
        asyncio.run(_door(app).acts.refuse(name, begins, who="operator", why=why))
    typer.echo(f"Refused: {name}. Its files are deleted; nothing of it was run.")


def remove(name: NameArgument, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Take a package out of use and delete its files; agents that list its skills go on without them."""
    with opened(home, database) as app:
        asyncio.run(_door(app).acts.remove(name, who="operator"))
    typer.echo(f"Removed: {name}.")


def walls(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Try to break out of the sandbox, and say at which level skills of others run here, if at all."""
    with opened(home, database) as app:
        page = asyncio.run(_door(app).page(again=True))
    told = [f"{page.words}: {'holds' if page.holds else 'does not hold'}"]
    told += [f"  {'refused' if refused else 'IT WORKED':<9} {what} ({said})" for what, refused, said in page.attempts]
    told += [f"  not here: {why}" for why in page.lacking]
    if not page.holds:
        state = "run without walls, as you said" if page.trusted else "are not run"
        told += [f"Skills of others {state}."]
    told += [f"{one.name}@{one.version}  {one.amiss or one.said}" for one in page.lines]
    show(asdict(page), as_json, "\n".join(told))
    if not page.holds and not page.trusted:
        raise typer.Exit(FAULT)


def trust(
    answer: Annotated[str, typer.Argument(metavar="yes|no", help="Whether they may run without walls.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Where no walls hold: say that you trust code of others as your own, or take that back."""
    if answer not in ("yes", "no"):
        typer.echo(f"soloist: {answer!r} is neither yes nor no. Nothing was changed.", err=True)
        raise typer.Exit(FAULT)
    with opened(home, database) as app:
        asyncio.run(_door(app).acts.trust(who="operator", yes=answer == "yes"))
    if answer == "yes":
        typer.secho(
            "Skills of others run without walls where none hold: they can read files and reach the network.", fg="red"
        )
    else:
        typer.echo("Skills of others run behind walls that hold, or not at all.")


def join(group: typer.Typer) -> None:
    """Make these commands part of ``soloist skills``."""
    for one in (install, review, compare, accept, refuse, back, remove, walls, trust):
        group.command(one.__name__)(one)
