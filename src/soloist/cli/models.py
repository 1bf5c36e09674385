"""``soloist models``: the configured language models, whether they answer, and how they do on your own cases."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show

if TYPE_CHECKING:
    from soloist.flows.modelling import Modelling
    from soloist.flows.trying import Plan, Trying
    from soloist.insight.spend import ModelLine
    from soloist.insight.trying import TrialOfModel
    from soloist.kernel.model import Answer

models = typer.Typer(help="Language models: which may be asked, whether they answer, what they cost.")
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a model in soloist.toml.")]


@models.callback(invoke_without_command=True)
def listed(
    context: typer.Context, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """Every model in soloist.toml with its tier, price and how it went lately."""
    if context.invoked_subcommand is not None:
        return
    with opened(home, database) as app:
        from soloist.flows.modelling import Modelling
        from soloist.stages.runtime.models import NOT_SET

        lines = Modelling(app.desk).lines()
    show([asdict(line) for line in lines], as_json, "\n".join(map(_said, lines)) or NOT_SET)


def _said(line: ModelLine) -> str:
    lately = f"{line.calls} calls in 30 days" + (f", {line.failed} failed" if line.failed else "")
    parts = [
        f"{line.name}  {line.kind} {line.model} at {line.host}",
        f"  {line.tier_said}; {line.price}",
        f"  {lately}",
    ]
    return "\n".join([*parts, *([f"  {line.trouble}"] if line.trouble else [])])


@models.command("check")
def check(
    name: NameArgument, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """Ask a model for one word; it costs as much as any question."""
    with opened(home, database) as app:
        from soloist.flows.modelling import Modelling
        from soloist.stages.spend import amount

        answer = asyncio.run(Modelling(app.desk).check(name))
        cost = amount("money", answer.cost_micro, answer.currency)
    tokens = f"{answer.tokens_in} tokens in, {answer.tokens_out} out, {cost}"
    told = {"author": answer.author, "answer": answer.value, "cost_micro": answer.cost_micro}
    told |= {"tokens_in": answer.tokens_in, "tokens_out": answer.tokens_out, "notes": list(answer.notes)}
    show(told, as_json, f"{answer.author} answered {answer.value.strip()[:80]!r} ({tokens}).")


@models.command("say")
def say(
    name: NameArgument,
    text: Annotated[str, typer.Argument(help="What to say to it.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Say something to a model and read its answer as it comes; books are kept as for any question."""

    async def talk(modelling: Modelling) -> Answer | None:
        last = None
        async for piece in modelling.say(name, text):
            if isinstance(piece, str):
                typer.echo(piece, nl=False)
            else:
                last = piece
        return last

    with opened(home, database) as app:
        from soloist.flows.modelling import Modelling
        from soloist.stages.spend import amount

        answer = asyncio.run(talk(Modelling(app.desk)))
        if answer is not None:
            cost = amount("money", answer.cost_micro, answer.currency)
            typer.echo(f"\n{answer.author}: {answer.tokens_in} tokens in, {answer.tokens_out} out, {cost}.")


@models.command("try")
def attempt(
    name: NameArgument,
    *,
    skill: Annotated[str, typer.Option(help="One skill; without it every one that may ask a model.")] = "",
    cases: Annotated[int, typer.Option(min=1, max=200, help="Cases of each skill at the most.")] = 20,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before anything is spent.")] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it would cost.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Try a model on your own cases: quality, cost, time and a suggested tier for each skill; nothing else changes."""
    with opened(home, database) as app:
        from soloist.flows.trying import Trying
        from soloist.insight.trying import line

        found = Trying(app.desk)
        plan = asyncio.run(found.plan(name, skill, cases))
        if estimate:
            show(asdict(plan), as_json, plan.said)
            return
        typer.echo(plan.said, err=True)
        if not yes and plan.worst and sys.stdin.isatty():
            typer.confirm("Ask now?", abort=True)
        told = line(asyncio.run(_carried(found, plan)))
    show(asdict(told), as_json, _trial(told))


async def _carried(found: Trying, plan: Plan) -> dict[str, Any]:
    return await found.through(await found.begin(plan, who="operator"))


@models.command("trials")
def trials(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """The trials of models that were made, the newest first."""
    with opened(home, database) as app:
        from soloist.insight.trying import lines

        found = app.store.read_now(lines)
    said = [f"{one.started[:16]}  {one.model} ({one.author})\n{_trial(one)}" for one in found]
    show({"items": [asdict(one) for one in found]}, as_json, "\n".join(said) or "No model was tried yet.")


def _trial(told: TrialOfModel) -> str:
    rows = [f"  {one.skill:<16} {one.good:>3} of {one.cases:<3} good  {one.figures}  {one.said}" for one in told.skills]
    return "\n".join([*rows, told.said])
