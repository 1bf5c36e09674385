"""Commands about what lets one in and what is kept secret: tokens for scripts, secrets for connectors."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show

tokens = typer.Typer(help="Tokens for scripts.", no_args_is_help=True)
secrets = typer.Typer(help="Secrets of connectors, kept sealed.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="Name of the secret, as soloist.toml refers to it.")]


@tokens.command("create")
def token_create(
    scope: Annotated[str, typer.Option(help="read, propose, approve, admin; several with commas.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    days: Annotated[int, typer.Option(min=0, help="Days until it ends; 0 for never.")] = 0,
) -> None:
    """Print a new token, alone, on standard output; it is shown this once."""
    import time

    from soloist.cli.common import home_of, said_plainly
    from soloist.kernel.access import parse_scopes

    with said_plainly():
        scopes = parse_scopes(part.strip() for part in scope.split(",") if part.strip())
        from soloist.app import App

        app = App(home_of(home), database=database)
        try:
            token = app.access.issue_token(name, scopes, time.time() + days * 86400 if days else None)
        finally:
            app.close()
    typer.echo(token)


@tokens.command("list")
def token_list(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Tokens with their scopes; never the tokens themselves."""
    import asyncio

    with opened(home, database) as app:
        found = asyncio.run(app.access.tokens())
    rows: list[dict[str, Any]] = [
        {"name": t.name, "scopes": sorted(t.scopes), "revoked": t.revoked, "expires_at": t.expires_at} for t in found
    ]
    lines = [f"{r['name']}  {','.join(r['scopes'])}{'  (revoked)' if r['revoked'] else ''}" for r in rows]
    show(rows, as_json, "\n".join(lines) or "There are no tokens.")


@tokens.command("revoke")
def token_revoke(
    name: Annotated[str, typer.Argument()], home: HomeOption = None, database: DatabaseOption = ""
) -> None:
    """End a token at once."""
    with opened(home, database) as app:
        app.access.revoke_token(name)
    typer.echo(f"{name} no longer works.")


@secrets.command("set")
def secret_set(name: NameArgument, home: HomeOption = None, database: DatabaseOption = "") -> None:
    """Read a secret (typed unseen, or from standard input) and keep it sealed."""
    import sys

    text = typer.prompt(f"Secret {name}", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    with opened(home, database) as app:
        app.keyring.put(name, text)
    typer.echo(f"{name} is kept sealed. It works from the next start on.")


@secrets.command("list")
def secret_list(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Names of the secrets; never the secrets themselves."""
    with opened(home, database) as app:
        found = app.keyring.names()
    show(found, as_json, "\n".join(found) or "There are no secrets.")
