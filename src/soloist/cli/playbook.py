"""``soloist playbook``: plans that are kept, their versions and what became of them; begin one, save one."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show

if TYPE_CHECKING:
    from soloist.app import App
    from soloist.web.playbooks_door import Books

playbook = typer.Typer(help="Playbooks: plans that are kept, in versions.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a playbook.")]
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="A published version.")]
WhyOption = Annotated[str, typer.Option("--why", help="Why; it is kept in the journal.")]


def _door(app: App) -> Books:
    from soloist.web.playbooks_door import Books

    return Books(app)


@playbook.command("list")
def listed(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Every playbook, what begins it and what became of its plans; what is wrong with a file is said."""
    with opened(home, database) as app:
        page = asyncio.run(_door(app).page())
    lines = []
    for one in page.books:
        leads = f" ({', '.join(one.intents)})" if one.intents else ""
        lines += [f"{one.name}@{one.version}  {one.title}; begun by {one.starts}{leads}", f"    {one.figures.said}"]
    lines += [f"Could be kept: {one.title} (soloist playbook save {one.card} NAME)" for one in page.likely]
    lines += [f"Not used: {text}" for text in page.troubles]
    show(asdict(page), as_json, "\n".join(lines) or "There are none.")


@playbook.command("show")
def one(
    name: NameArgument, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """One playbook: its tasks in their order, what each takes from where."""
    with opened(home, database) as app:
        page = asyncio.run(_door(app).one(name))
    lines = [f"{name}@{page.line.version}: {page.line.title}", f"  begun by {page.line.starts}"]
    lines += [f"  needs {value}: {label}" for value, label in page.values]
    for task in page.tasks:
        after = f" after {', '.join(task.after)}" if task.after else ""
        takes = f", takes {', '.join(task.takes)}" if task.takes else ""
        lines.append(f"  {task.id:<14} {task.who}{after}{takes}{f', {task.when}' if task.when else ''}: {task.title}")
    show(asdict(page), as_json, "\n".join(lines))


@playbook.command()
def history(
    name: NameArgument, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """Its versions: how often each ran, with which outcome, cost and edits; what became better or worse."""
    with opened(home, database) as app:
        page = asyncio.run(_door(app).one(name))
    lines = [
        f"{one.version:<8} {one.at[:16]} {'in use' if one.here else '':<7} {one.figures.said} {one.why}".rstrip()
        for one in page.versions
    ]
    lines += [page.change] if page.change else []
    shown = {"versions": [asdict(one) for one in page.versions], "change": page.change}
    show(shown, as_json, "\n".join(lines) or f"{name} was not used yet; it is published when it begins first.")


@playbook.command()
def check(
    file: Annotated[Path, typer.Argument(help="A file like onboarding.toml.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Whether a file is a playbook that this home can carry out: what is wrong is said with what would be right."""
    with opened(home, database) as app:
        book, _ = _door(app).flow.read(file)
    typer.echo(f"{book.label} is sound: {len(book.tasks)} tasks.")


@playbook.command()
def publish(
    file: Annotated[Path, typer.Argument(help="A file like onboarding.toml.")],
    why: WhyOption = "",
    *,
    use: Annotated[bool, typer.Option(help="Put it in use.")] = True,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Publish the version in a file and put it in use; a version that exists is never changed."""
    with opened(home, database) as app:
        books = _door(app)
        _, text = books.flow.read(file)
        said = {"who": "operator", "why": why, "source": "cli"}
        found = asyncio.run(books.flow.publish(text, use=use, **said))  # type: ignore[arg-type]  # "cli" is a source
    show(found, as_json, f"Published: {found['name']}@{found['version']}" + (", in use" if use else ""))


@playbook.command("use")
def use_version(
    name: NameArgument,
    version: VersionArgument,
    why: WhyOption = "",
    *,
    pin: Annotated[bool | None, typer.Option("--pin/--unpin", help="Whether upgrades may move it.")] = None,
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Put a published version in use for plans that begin from now on."""
    with opened(home, database) as app:
        row = asyncio.run(_door(app).flow.use(name, version, who="operator", why=why, pin=pin))
    typer.echo(f"In use: {name}@{row['version']}{', pinned' if row['pinned'] else ''}")


@playbook.command()
def back(name: NameArgument, why: WhyOption = "", home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Go back to the version that was in use before, and pin it."""
    with opened(home, database) as app:
        row = asyncio.run(_door(app).flow.back(name, who="operator", why=why))
    typer.echo(f"In use: {name}@{row['version']}, pinned")


@playbook.command()
def run(
    name: NameArgument,
    value: Annotated[list[str] | None, typer.Option("--value", metavar="NAME=TEXT", help="A value it needs.")] = None,
    ref: Annotated[str, typer.Option("--ref", help="The same name begins one plan only.")] = "",
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Begin the plan of a playbook; the running server carries it out."""
    with opened(home, database) as app:
        made = asyncio.run(_door(app).run(name, _values(value or []), who="operator", ref=ref))
    show(made, as_json, f"{made['playbook']} {'began' if made['new'] else 'had begun'}: {made['id']}")


@playbook.command()
def plan(
    ident: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a plan.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """How one plan stands."""
    with opened(home, database) as app:
        page = asyncio.run(_door(app).plan(ident))
    lines = [f"{page.line.playbook}: {page.line.said}"]
    lines += [f"  {task.id:<14} {task.said:<14} {task.title}" for task in page.tasks]
    show(asdict(page), as_json, "\n".join(lines))


@playbook.command()
def save(
    card: Annotated[str, typer.Argument(help="Id of the card of a plan that was carried out.")],
    name: NameArgument,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Save a plan of the planner that was carried out as a playbook of your own."""
    with opened(home, database) as app:
        found = asyncio.run(_door(app).flow.save(card, name, who="operator"))
    show(found, as_json, f"Saved: {found['name']}@{found['version']}, in playbooks/{name}.toml")


def _values(given: list[str]) -> dict[str, Any]:
    """Values as they were typed (BadInput)."""
    from soloist.kernel.errors import BadInput

    found: dict[str, Any] = {}
    for one in given:
        name, sign, text = one.partition("=")
        if not sign:
            raise BadInput(f"value: {one[:60]!r} is not like name=text. Nothing was begun.", field="value")
        found[name] = text
    return found
