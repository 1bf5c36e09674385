"""``soloist budget``: what models may cost and did cost, what the month will come to, what was asked twice."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show

if TYPE_CHECKING:
    from soloist.app import App
    from soloist.insight.spend import SpendPage

budget = typer.Typer(help="What models may cost and did cost; caps are set, extended and taken out.")
KeyArgument = Annotated[str, typer.Argument(metavar="CAP", help="Key of a cap, as soloist budget prints it.")]


@budget.callback(invoke_without_command=True)
def overview(
    context: typer.Context, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """Caps with what is used of them, today, the month with its forecast, and where it went."""
    if context.invoked_subcommand is not None:
        return
    with opened(home, database) as app:
        page = _page(app)
    show(asdict(page), as_json, _said(page))


def _page(app: App) -> SpendPage:
    from soloist.insight import spend

    now = app.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    zone = app.settings.business.zone
    return app.store.read_now(lambda conn: spend.page(conn, app.desk.spend, now, zone))


def _said(page: SpendPage) -> str:
    lines = [
        f"Today {page.money(page.today)}, this month {page.money(page.month)}"
        + (f" and {page.money(page.held)} held back for calls that run" if page.held else "")
        + ".",
        f"The month will come to {page.month_said.removesuffix('.')}.",
        f"Saved this month by recordings and by night: {page.money(page.saved)}.",
        "",
    ]
    lines += [
        f"{cap.key:<32} {cap.title}: {cap.said or cap.source}{'  STOPPED' if cap.stopped else ''}" for cap in page.caps
    ]
    if page.agents:
        lines += ["", *(f"{row['subject'] or '-':<20} {page.money(row['cost_micro'])}" for row in page.agents)]
    lines += [f"Each {one.name}: {page.money(one.each)} ({one.many} in 30 days)" for one in page.outcomes]
    lines += [
        f"Letters by {one.name}: {one.many}, {one.as_was} as they were, {one.far} % changed, "
        f"{page.money(one.each)} each{f'. {one.said}' if one.said else ''}"
        for one in page.tiers
    ]
    lines += [f"The large tier: {one}" for one in page.large]
    if page.waste:
        lines += ["", "What could be spared, in 30 days:"]
        lines += [f"{page.money(one.cost_micro):>12}  {one.what}. {one.do}" for one in page.waste]
    if page.repeated:
        lines += ["", "Asked more than once in 30 days:"]
        lines += [
            f"{row['agent'] or row['skill'] or '-':<20} paid {row['paid']}, from the recording {row['recorded']}"
            for row in page.repeated
        ]
    return "\n".join(lines)


@budget.command("set")
def set_cap(
    most: Annotated[str, typer.Argument(help='Like "5 EUR", "200k tokens", "50 calls" or "10 runs".')],
    span: Annotated[str, typer.Option(help="call, run, day, month or total.")] = "month",
    agent: Annotated[str, typer.Option(help="For this agent; * for each one.")] = "",
    flow: Annotated[str, typer.Option(help="For this flow; * for each one.")] = "",
    client: Annotated[str, typer.Option(help="For this client (id of the record); * for each one.")] = "",
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Put a cap in force in place of the one in soloist.toml; without a subject it is for the whole house."""
    from soloist.stages.spend import cap_of

    given = {"agent": agent, "flow": flow, "client": client}
    with opened(home, database) as app:
        cap = cap_of({"most": most, "span": span, **given}, app.settings.budgets, app.desk.spend.currency)
        asyncio.run(app.desk.spend.set_cap(cap, who="operator", why="set by command"))
        from soloist.stages.spend import title

        typer.echo(f"In force: {title(cap, cap.subject) if cap.subject or cap.scope == 'house' else most}")


@budget.command("extend")
def extend(
    key: KeyArgument,
    percent: Annotated[int, typer.Option(min=0, max=1000, help="Of the cap; 0: as [budgets] says.")] = 0,
    home: HomeOption = None,
    database: DatabaseOption = "",
) -> None:
    """Allow more until the period of a cap is over; whoever was stopped by it goes on."""
    with opened(home, database) as app:
        from soloist.stages.spend import amount

        cap = asyncio.run(app.desk.spend.extend(key, who="operator", percent=percent))
        until = "" if cap.extra_until.startswith("9999") else f" until {cap.extra_until[:16]} UTC"
        typer.echo(f"{amount(cap.measure, cap.extra, cap.currency)} more{until}.")


@budget.command("remove")
def remove(key: KeyArgument, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Take a cap that was set here out; the one in soloist.toml counts again."""
    with opened(home, database) as app:
        asyncio.run(app.desk.spend.remove_cap(key, who="operator"))
        typer.echo("Taken out.")
