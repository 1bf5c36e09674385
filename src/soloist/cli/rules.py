"""``soloist rules``: what was said once, tried on the past, put in force, taken back."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show

if TYPE_CHECKING:
    from soloist.insight.standing import RuleLine, RulePage

rules = typer.Typer(help="Standing rules: say it once, in plain words.")
RuleArgument = Annotated[str, typer.Argument(metavar="RULE", help="Number of a rule, as soloist rules prints it.")]


@rules.callback(invoke_without_command=True)
def overview(
    context: typer.Context, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """Every rule, those in force first."""
    if context.invoked_subcommand is not None:
        return
    from soloist.insight import standing

    with opened(home, database) as app:
        found = app.store.read_now(standing.page)
    lines = [_line(line) for line in found.rules] or ["No rule yet. soloist rules say \"Sign mails as 'Mara'\""]
    show(asdict(found), as_json, "\n".join(lines))


@rules.command("say")
def say(
    said: Annotated[str, typer.Argument(help="What should hold from now on, in one sentence.")],
    rule: Annotated[str, typer.Option(help="A rule that this is a new version of.")] = "",
    use: Annotated[bool, typer.Option("--use", help="Put it in force at once.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Read a rule and try it on the past; it holds when it is put in force."""
    from soloist.flows.standing import StandingRules

    with opened(home, database) as app:
        doing = StandingRules(app.desk)
        spoken = asyncio.run(doing.say(said, who="operator", rule=rule))
        if use and not spoken.again:
            asyncio.run(doing.use(spoken.rule, who="operator"))
        again = "You had said this already; it is counted as a failure of the rule.\n" if spoken.again else ""
        typer.echo(again + _told(_page(app, spoken.rule)))


@rules.command("show")
def show_rule(
    rule: RuleArgument, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """One rule: what it does, what it would have done, where it applied."""
    with opened(home, database) as app:
        page = _page(app, rule)
    show(asdict(page), as_json, _told(page))


@rules.command("try")
def try_rule(rule: RuleArgument, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Try a rule on the past as it is now."""
    from soloist.flows.standing import StandingRules

    with opened(home, database) as app:
        asyncio.run(StandingRules(app.desk).try_again(rule))
        typer.echo(_told(_page(app, rule)))


@rules.command("use")
def use_rule(rule: RuleArgument, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Put the newest version of a rule in force."""
    from soloist.flows.standing import StandingRules

    with opened(home, database) as app:
        asyncio.run(StandingRules(app.desk).use(rule, who="operator"))
        typer.echo(_line(_page(app, rule).line))


@rules.command("end")
def end_rule(
    rule: RuleArgument,
    why: Annotated[str, typer.Option(help="Why.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Take a rule back."""
    from soloist.flows.standing import StandingRules

    with opened(home, database) as app:
        asyncio.run(StandingRules(app.desk).end(rule, who="operator", why=why))
        typer.echo(_line(_page(app, rule).line))


def _page(app: object, rule: str) -> RulePage:
    from soloist.app import App
    from soloist.insight import standing

    assert isinstance(app, App)
    return app.store.read_now(lambda conn: standing.one(conn, rule))


def _line(line: RuleLine) -> str:
    more = f", had to be repeated {line.repeats} times" if line.repeats else ""
    about = f"{line.means}. For {line.about}."
    return f"{line.rule:>3}  {line.said}\n     {line.stands}; {about} Applied {line.uses} times{more}."


def _told(page: RulePage) -> str:
    lines = [_line(page.line), f"     {page.line.found}"]
    lines += [f"     - {one['title']}" for one in page.line.tried.get("changed", [])[:5]]
    if page.line.state == "said":
        lines.append(f"     Put it in force: soloist rules use {page.line.rule}")
    return "\n".join(lines)
