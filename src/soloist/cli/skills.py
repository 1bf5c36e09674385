"""``soloist skills``: what skills there are and what each promises; their examples are run, and one is tried out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soloist.cli import packages
from soloist.cli.common import FAULT, USAGE, HomeOption, JsonOption, home_of, opened, said_plainly, show

if TYPE_CHECKING:
    from soloist.engine.worker import Worker
    from soloist.sdk import Registry, Skill

skills = typer.Typer(help="Skills: what they promise, and whether they keep it.", no_args_is_help=True)
packages.join(skills)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a skill.")]


@contextmanager
def _loaded(home: Path | None) -> Iterator[tuple[Registry, Worker]]:
    """The skills of this installation with those that a home accepted, and who runs them."""
    if (home_of(home) / "soloist.db").exists():
        with opened(home) as app:
            yield app.registry, app.worker
        return
    from soloist.engine import registry
    from soloist.engine.worker import Worker

    with said_plainly(), closing(Worker()) as worker:
        yield registry.load(), worker


def _named(found: Registry, name: str) -> Skill:
    from soloist.stages.runtime import contracts

    return contracts.named(found.skills, name)


@skills.command("list")
def listed(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Every skill with its version and what it does; what could not be loaded is said."""
    with _loaded(home) as (found, _):
        rows = [
            {"name": one.name, "version": one.version, "summary": one.summary, "module": one.module}
            for one in sorted(found.skills.values(), key=lambda skill: skill.name)
        ]
    lines = [f"{row['name'] + '@' + row['version']:<22} {row['summary']}" for row in rows]
    lines += [f"Not loaded: {text}" for text in found.troubles]
    show({"items": rows, "troubles": found.troubles}, as_json, "\n".join(lines))


@skills.command("show")
def contract(name: NameArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The contract of one skill: what it takes and gives, what it does at which tier, and its examples."""
    from soloist.stages.runtime import contracts

    with _loaded(home) as (found, _), said_plainly():
        one = _named(found, name)
        content = contracts.content(one)
    tiers = {"without": "Without a model", "small": "With a small one", "large": "With a large one"}
    lines = [f"{one.name}@{one.version}: {one.summary}"]
    lines += [f"  takes    {_fields(content['input'])}", f"  gives    {_fields(content['output'])}"]
    lines += [f"  {words}: {content['tiers'][key]}" for key, words in tiers.items()]
    lines += [f"  {len(content['examples'])} examples ({content['author']}) in {one.examples}"]
    lines += [f"    {example}" for example in content["examples"]]
    show({"name": one.name, "version": one.version, **content}, as_json, "\n".join(lines))


def _fields(schema: dict[str, Any]) -> str:
    return ", ".join(schema.get("properties", {})) or "nothing"


@skills.command("test")
def run_examples(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One skill; without it every one.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the examples in the limited process; ends with 1 when a promise is not kept or a skill was not loaded."""
    from soloist.kernel.errors import BadConfig
    from soloist.stages.runtime import contracts

    results: list[contracts.Result] = []
    with _loaded(home) as (found, worker):
        with said_plainly():
            chosen = [_named(found, name)] if name else sorted(found.skills.values(), key=lambda skill: skill.name)
        troubles = [] if name else [*found.troubles]
        for one in chosen:
            try:
                results += asyncio.run(contracts.try_out(worker, one))
            except BadConfig as error:
                troubles.append(error.detail)
    rows = [{"skill": r.skill, "example": r.example, "ok": r.ok, "faults": [*r.faults]} for r in results]
    failed = [result for result in results if not result.ok]
    lines = [f"{r.skill}: {r.example}\n" + "\n".join(f"    {fault}" for fault in r.faults) for r in failed]
    lines += [f"Not usable: {text}" for text in troubles]
    lines.append(f"{len(results) - len(failed)} of {len(results)} examples of {len(chosen)} skills hold.")
    show({"items": rows, "troubles": troubles}, as_json, "\n".join(lines))
    if failed or troubles:
        raise typer.Exit(FAULT)


@skills.command("try")
def trial(
    name: NameArgument,
    given: Annotated[str, typer.Option("--input", help="The input as JSON.")] = "{}",
    file: Annotated[Path | None, typer.Option("--file", help="A file, for a skill that takes bytes.")] = None,
    home: HomeOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Run a skill on an input of your own, in the limited process; nothing is kept."""
    try:
        value = json.loads(given)
    except ValueError as error:
        typer.echo(f"soloist: --input is no JSON: {error}", err=True)
        raise typer.Exit(USAGE) from error
    with _loaded(home) as (found, worker), said_plainly():
        one = _named(found, name)
        blob = file.read_bytes() if file else b""
        answer = asyncio.run(worker.call(one.name, value, blob))
    show(answer, True, "")
