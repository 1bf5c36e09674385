"""The command that hands a card to a person, or takes it back."""

from __future__ import annotations

from typing import Annotated

import typer

from soloist.cli.common import FAULT, USAGE, DatabaseOption, HomeOption, interactive, opened


def delegate(
    ident: Annotated[str, typer.Argument(metavar="ID", help="Id of the card or proposal, or how it begins.")],
    to: Annotated[str, typer.Argument(metavar="[PERSON]", help="Short name of a person in soloist.toml.")] = "",
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
    until: Annotated[str, typer.Option(help="How long, like 2d.")] = "2d",
    back: Annotated[bool, typer.Option("--back", help="Take it back; the code and link end.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; the letter leaves by your word.")] = False,
) -> None:
    """Hand a card to somebody who decides it by mail or link, or take it back."""
    import asyncio

    from soloist.flows.delegating import Delegating
    from soloist.insight import brief

    if bool(to) == back:
        typer.echo("soloist: name a person, or take the card back with --back.", err=True)
        raise typer.Exit(USAGE)
    with opened(home, database) as app:
        card = app.store.read_now(lambda conn: brief.card(conn, ident))
        handing = Delegating(app.desk)
        if back:
            asyncio.run(handing.take_back(card["id"], who="operator"))
            typer.echo("It is yours again; the code and link have ended.")
            return
        if not yes and not (interactive() and typer.confirm(f"Send {to} a letter about: {card['title']}?")):
            typer.echo("Nothing was done. Add --yes to do it without a terminal.", err=True)
            raise typer.Exit(FAULT)
        found = asyncio.run(handing.hand_over(card["id"], to, until=until, who="operator", via="terminal"))
    typer.echo(f"With {found.name} until {found.until[:16].replace('T', ' ')} UTC; then it is yours again.")
