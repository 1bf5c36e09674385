"""``soloist replay``: kept corrections and runs done again with another version; nothing is sent, no model is asked."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soloist.cli.common import USAGE, DatabaseOption, HomeOption, JsonOption, opened, show

if TYPE_CHECKING:
    from soloist.insight.corrections import TrialPage

ROWS = 20


def replay(
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="One run; without it and options: every kept run.")] = "",
    agent: Annotated[str, typer.Option(metavar="NAME@VERSION", help="Try a published version of an agent.")] = "",
    skill: Annotated[str, typer.Option(metavar="NAME", help="Try a skill as it is installed now.")] = "",
    *,
    model: Annotated[str, typer.Option(metavar="NAME", help="Try the recordings of a model.")] = "",
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help="Try another policy.toml on the past.")] = None,
    since: Annotated[str, typer.Option(help="Nothing older than this ISO date or instant.")] = "",
    corrected: Annotated[bool, typer.Option("--corrected", help="Only what you corrected.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Do kept corrections and runs again, and say what comes out otherwise and why.

    Ends with 3 when something does worse or differs without an explanation.
    """
    chosen = [
        kind for kind, value in {"agent": agent, "skill": skill, "model": model, "policy": policy}.items() if value
    ]
    if len(chosen) + bool(run) > 1:
        typer.echo("soloist: name one of RUN, --agent, --skill, --model and --policy.", err=True)
        raise typer.Exit(USAGE)
    with opened(home, database) as app:
        from soloist.flows.replaying import Asked, Replaying
        from soloist.kernel.errors import BadInput
        from soloist.web.learning_door import Learning

        name, _, version = (agent or skill or model or run).partition("@") if not run else (run, "", "")
        text = ""
        if policy is not None:
            try:
                text = policy.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise BadInput(f"{policy} cannot be read as text: {error}", field="policy") from error
        asked = Asked(chosen[0] if chosen else "run", name, version, text, since, corrected)

        async def work() -> TrialPage:
            replaying = Replaying(app.desk)
            ident = await replaying.begin(asked, who="operator")
            await replaying.through(ident)
            return await Learning(app).trial(ident)

        found = asyncio.run(work())
    told = {**asdict(found.line), "rows": [asdict(row) for row in found.rows]}
    show(told, as_json, _said(found))
    if found.line.totals.get("worse") or found.line.totals.get("unexplained"):
        raise typer.Exit(3)


def _said(found: TrialPage) -> str:
    lines = [f"{found.line.candidate or 'Runs as they are installed now'}: {found.line.said}."]
    for row in [row for row in found.rows if row.tone][:ROWS]:
        reason = row.cannot or "; ".join(row.unexplained) or "; ".join(row.why)
        far = f" ({row.before} % to change then, {row.after} % now)" if row.before is not None else ""
        lines.append(f"  {row.object}: {row.outcome}{far}. {reason}")
    lines.append(f"Side by side: /replay/{found.line.id}")
    return "\n".join(lines)
