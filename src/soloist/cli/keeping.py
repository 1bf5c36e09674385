"""Commands about what is kept: snapshot, memory gc, erase."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from soloist.cli.common import FAULT, USAGE, DatabaseOption, HomeOption, JsonOption, interactive, opened, show

memory = typer.Typer(help="What is remembered and for how long.")
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


@memory.command("gc")
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would leave; delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Carry it out.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Let go of what has had its time by the retention policy; the server does it every night."""
    import asyncio

    with opened(home, database) as app:
        from soloist.flows.keeping import Keeping

        keeping = Keeping.of(app.desk)
        if yes and not dry_run:
            done = asyncio.run(keeping.collect(who="operator"))
            lines = [f"{name}: {part['rows']}" for name, part in done["counts"].items()]
            show(done, as_json, "\n".join(lines) or "Nothing has had its time.")
            return
        found = [row for row in asyncio.run(keeping.preview()) if row["rows"]]
    lines = [f"{row['name']}: {row['rows']}, {row['bytes'] / 1000:.1f} kB" for row in found]
    lines.append("Nothing was deleted. Carry it out with: soloist memory gc --yes" if found else "Nothing would leave.")
    show(found, as_json, "\n".join(lines))


@memory.command("retention")
def retention(
    rule: Annotated[list[str] | None, typer.Argument(help="RULE=DAYS; 0 is for good. Without one: show them.")] = None,
    why: Annotated[str, typer.Option("--why", help="Kept with the new version.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Show or change how long what is kept; each change is a new version."""
    import asyncio

    with opened(home, database) as app:
        from soloist.flows.keeping import Keeping
        from soloist.insight import keeping as insight

        keeping = Keeping.of(app.desk)
        given = {
            name: int(days) if days.isdigit() else days for name, _, days in (one.partition("=") for one in rule or ())
        }
        if given:
            asyncio.run(keeping.put(given, who="operator", why=why))
        version, days = app.store.read_now(keeping.rules)
    lines = [f"{name:24}{insight.words(count):12}{insight.label(name)}" for name, count in days.items()]
    show({"version": version, "rules": days}, as_json, "\n".join([f"Version {version}", *lines]))


def erase(
    who: Annotated[str, typer.Argument(help="The person: id of the record, mail address or full name.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be found; write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the name again.")] = False,
    also: Annotated[list[str] | None, typer.Option("--also", help="A text that is theirs too.")] = None,
    *,
    why: Annotated[str, typer.Option("--why", help="Kept with the erasure; name nobody in it.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a person out of everything the home holds, and prove it with a search through every byte."""
    import asyncio
    from dataclasses import asdict

    with opened(home, database) as app:
        from soloist.flows.erasing import Erasing

        erasing, texts = Erasing.of(app.desk), also or []
        seen = asyncio.run(erasing.preview(who, texts))
        if dry_run:
            show(asdict(seen), as_json, "\n".join(_seen(seen)))
            return
        if not yes:
            typer.echo("\n".join(_seen(seen)), err=True)
            if not interactive() or typer.prompt("This cannot be undone. Type the name", err=True) != seen.word:
                typer.echo("soloist: that is not the name. Nothing was erased.", err=True)
                raise typer.Exit(USAGE)
        done = asyncio.run(erasing.erase(who, who="operator", why=why, also=texts))
    show(done, as_json, "\n".join(_erased(done)))
    if done["state"] != "done":
        raise typer.Exit(FAULT)


def _seen(seen: Any) -> list[str]:
    """What an erasure would do, in words."""
    lines = [f"{seen.title}: {_counted(seen.owned)} would be deleted or emptied."]
    lines += [f"  looked for: {trace['text']} ({trace['kind']})" for trace in seen.traces]
    for table, texts in seen.mentions.items():
        lines.append(f"  named in {table}, {len(texts)} rows; in other people's rows only the name goes")
    for one in seen.doubtful:
        lines.append(f"  {one['text']!r} could be anybody's ({one['rows']} rows) and is left; --also takes it out too")
    lines += [f"  {one['count']} {one['kind']}: {one['law']}" for one in seen.kept]
    lines += [f"  your own file {name} names them; change it by hand" for name in seen.own_files]
    for one in seen.backups:
        lines.append(f"  {one['file']} holds them until about {one['until'][:10]}; restoring it erases again")
    return lines + ([f"Not yet: {seen.hindered}"] if seen.hindered else [])


def _erased(done: dict[str, Any]) -> list[str]:
    """What was done and what proves it, in words."""
    proof = done["proof"]
    size = f"{proof['files']} files, {proof['bytes'] / 1_000_000:.1f} MB"
    lines = [f"Erased ({done['id']}): {_counted(proof['done'])}."]
    lines.append(f"Proof: {proof['texts']} texts looked for in {size}: {proof['hits']} found, {proof['seconds']} s.")
    lines += [f"Left: {one['file']}. {one['why']}" for one in proof["left"]]
    lines += [f"Found still in {name}: {count}" for name, count in proof["in"].items()]
    words = [one for one in proof["words"] if one["rows"]]
    if words:
        lines.append(f"{len(words)} single words of the name stand in rows of others and stay there.")
    lines += [f"{one['file']} holds them until about {one['until'][:10]}." for one in proof["backups"]]
    return lines
