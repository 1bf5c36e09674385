"""``soloist policy``: rules, grants and their versions; a change is tried on past proposals before it goes live."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soloist.cli.common import USAGE, DatabaseOption, HomeOption, JsonOption, interactive, opened, show

if TYPE_CHECKING:
    from soloist.app import App
    from soloist.flows.ruling import Ruling, Trial

policy = typer.Typer(help="Rules and grants: what may leave alone, what asks, what is refused.", no_args_is_help=True)
WhenOption = Annotated[str, typer.Option("--when", help="Condition of a rule, in CEL.")]
ThenOption = Annotated[str, typer.Option("--then", help="deny, ask or allow.")]
NameOption = Annotated[str, typer.Option("--name", help="Name of the rule.")]
LastOption = Annotated[int, typer.Option("--last", min=1, max=10_000, help="How many past proposals.")]


def _ruling(app: App) -> Ruling:
    from soloist.flows.ruling import Ruling

    return Ruling(app.store, app.judging, app.settings.business.timezone)


@policy.command("show")
def show_policy(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """The rules in force and the version they make."""
    with opened(home, database) as app:
        rules = [rule.model_dump() for rule in app.judging.rules.written]
        found = {"version": app.judging.rules.version, "trouble": app.judging.trouble, "rules": rules}
    lines = [f"Version {found['version']}", *([found["trouble"]] if found["trouble"] else [])]
    lines += [f"{rule['then']:<6} {rule['name']}\n       {rule['when']}" for rule in rules]
    show(
        found, as_json, "\n".join([str(line) for line in lines]) if rules else f"{lines[0]}\nNo rule: everything asks."
    )


@policy.command("versions")
def versions(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Every version of the rules that was in force, the newest first."""
    from soloist.insight.policy import version_rows

    with opened(home, database) as app:
        rows = app.store.read_now(version_rows)
    show(rows, as_json, "\n".join(f"{row['at'][:16]}  {row['version']}  {row['who']}: {row['why']}" for row in rows))


@policy.command("test")
def trial(
    file: Annotated[str, typer.Option("--file", help="Another policy.toml.")] = "",
    when: WhenOption = "",
    then: ThenOption = "ask",
    name: NameOption = "tried rule",
    *,
    last: LastOption = 200,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Which past proposals would go differently by another policy.toml, or by one more rule; changes nothing."""
    if bool(file) == bool(when):
        typer.echo("soloist: give a file (--file) or a rule (--when and --then).", err=True)
        raise typer.Exit(USAGE)
    with opened(home, database) as app:
        if file:
            found = asyncio.run(_ruling(app).try_file(Path(file).read_text(encoding="utf-8"), last=last))
        else:
            found = asyncio.run(_ruling(app).try_rule(_rule(name, when, then), last=last))
    show(asdict(found), as_json, _told(found))


def _told(trial: Trial) -> str:
    lines = [f"{len(trial.changes)} of the last {trial.tried} proposals would go differently."]
    lines += [f"{trial.against} of them against what you decided."] if trial.against else []
    return "\n".join(lines + [f"{c.at[:16]}  {c.now:<5} -> {c.then:<5} {c.title}  {c.why}" for c in trial.changes])


@policy.command("add")
def add(
    name: NameOption,
    when: WhenOption,
    then: ThenOption,
    home: HomeOption = None,
    database: DatabaseOption = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not show what it would change first.")] = False,
) -> None:
    """Put a rule in force, after showing which past proposals would have gone differently."""
    with opened(home, database) as app:
        rule = _rule(name, when, then)
        typer.echo(_told(asyncio.run(_ruling(app).try_rule(rule))))
        if not yes and not (interactive() and typer.confirm("Put it in force?")):
            raise typer.Exit(USAGE)
        typer.echo(f"In force: version {asyncio.run(_ruling(app).add_rule(rule, who='operator', why='command'))}")


@policy.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="Name of a rule in policy.toml.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Take a rule of policy.toml out."""
    with opened(home, database) as app:
        typer.echo(f"In force: version {asyncio.run(_ruling(app).remove_rule(name, who='operator'))}")


@policy.command("grants")
def grants(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """What may go alone, until when, and how often it did today."""
    from soloist.insight.policy import grant_rows

    with opened(home, database) as app:
        now = _ruling(app).now
        rows = app.store.read_now(lambda conn: grant_rows(conn, now, limit=1000))
    rows = [row for row in rows if everything or row["state"] in ("live", "offered")]
    lines = [f"{row['id']}  {row['state']:<8} until {row['until'][:10]}  {row['title']}" for row in rows]
    show(rows, as_json, "\n".join(lines) or "Nothing may leave the house alone.")


@policy.command("grant")
def grant(
    title: Annotated[str, typer.Option(help="What it is, in your words.")],
    until: Annotated[str, typer.Option(help="Its last day, like 2027-05-01; at most a year ahead.")],
    *,
    connector: Annotated[str, typer.Option(help="Connection it is for.")] = "",
    operation: Annotated[str, typer.Option(help="Operation it is for.")] = "",
    agent: Annotated[str, typer.Option(help="Agent it is for, like intake@1.")] = "",
    gate: Annotated[list[str] | None, typer.Option(help="A gate it opens; may be given several times.")] = None,
    when: WhenOption = "",
    limit: Annotated[str, typer.Option(help="Most that may move at once, like 500 EUR.")] = "",
    per_day: Annotated[int, typer.Option(min=0, help="How many in 24 hours; 0 for no limit.")] = 0,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let one kind of operation go alone for a time."""
    given: dict[str, Any] = {"title": title, "connector": connector, "operation": operation, "agent": agent}
    given |= {"gates": list(gate or []), "when": when, "per_day": per_day, "source": "cli", "why": "given by command"}
    given["until"] = f"{until}T23:59:59+00:00" if len(until) == 10 else until
    with opened(home, database) as app:
        if limit:
            from soloist.stages.policy.sentences import amount_of

            given["limit_minor"], given["currency"] = amount_of("limit", limit, app.settings.business.currency)
        ident = asyncio.run(_ruling(app).grant(given, who="operator"))
    show({"id": ident}, as_json, f"Granted: {ident}")


@policy.command("revoke")
def revoke(
    ident: Annotated[str, typer.Argument(metavar="ID", help="Id of the grant.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Take a grant back at once."""
    with opened(home, database) as app:
        asyncio.run(_ruling(app).revoke(ident, who="operator", why="taken back by command"))
    typer.echo("Taken back. What asks now asks you.")


def _rule(name: str, when: str, then: str) -> Any:
    """A rule of the options; wrong words end with what would be right."""
    from soloist.config import Rule

    if then not in ("deny", "ask", "allow"):
        typer.echo("soloist: --then is deny, ask or allow.", err=True)
        raise typer.Exit(USAGE)
    return Rule.model_validate({"name": name, "when": when, "then": then})
