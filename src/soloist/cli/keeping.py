"""Commands about what is kept: snapshot, memory gc, erase."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from soloist.cli.common import FAULT, DatabaseOption, HomeOption, JsonOption, opened, show

snapshot = typer.Typer(help="Name an instant and prove later that what was known then is unchanged.")


@snapshot.command("create")
def create(
    label: Annotated[str, typer.Argument(help="The name.")],
    as_of: Annotated[str, typer.Option("--as-of", help="Sequence number or instant; default: now.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Name an instant; nothing is copied."""
    import asyncio

    with opened(home, database) as app:
        from soloist.flows import keeping

        made = asyncio.run(keeping.snapshot(app.store, label, who="operator", as_of=as_of))
    show(made, as_json, f"Snapshot {made['id']}: event {made['seq']}, {_counted(made['counts'])}, root {made['root']}")


@snapshot.command("list")
def listed(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """The snapshots there are, the newest first."""
    with opened(home, database) as app:
        from soloist.insight import timetravel

        rows = app.store.read_now(timetravel.known)
    lines = [f"{row['at'][:16]}  event {row['seq']}  {row['label']}  {row['id']}" for row in rows]
    show(rows, as_json, "\n".join(lines) or "There is no snapshot yet. Make one with: soloist snapshot create NAME")


@snapshot.command("verify")
def verify(
    ident: Annotated[str, typer.Argument(help="The snapshot.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Build the root of a snapshot again and compare; 1 when it is another one."""
    with opened(home, database) as app:
        from soloist.insight import timetravel

        found = app.store.read_now(lambda conn: timetravel.verified(conn, ident))
    show(found, as_json, f"Event {found['seq']}: {found['said']}")
    if not found["same"]:
        raise typer.Exit(FAULT)


def _counted(counts: dict[str, Any]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())
