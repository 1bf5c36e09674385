"""Commands about the house as a whole: doctor, status, stop, verify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from soloist.cli.common import FAULT, DatabaseOption, HomeOption, JsonOption, home_of, opened, said_plainly, show


def status(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """What waits, what is unknown, whether the stop button is pressed."""
    from soloist.engine.stopping import standing
    from soloist.insight import brief

    with opened(home, database) as app:
        held = app.lock.held()
        found = app.store.read_now(brief.state_of_house)
        found["processes"] = app.store.read_now(lambda conn: brief.processes(conn, held))
        halt = app.desk.effects.halt
        found["halted"] = [asdict(one) for one in app.store.read_now(lambda conn: standing(conn, halt))]
        found["running"] = held or any(_is_server(row) for row in found["processes"])
    lines = [
        f"Server: {'running' if found['running'] else 'not running'}",
        f"Cards that wait for you: {found['cards_open']}",
        f"Outcomes not known: {found['unknown']}, waiting for your word: {found['needs_human']}",
        f"Runs that failed: {found['runs_failed']}",
        f"Events: {found['events']}, the newest at {found['newest_event'] or 'never'}",
    ]
    lines += [f"Process: {brief.process_line(row)}" for row in found["processes"] if row["state"] != "ended"]
    for one in found["halted"]:
        fix = "See: soloist safe-mode" if one["way"] == "safe mode" else "Release with: soloist stop --release"
        lines.insert(0, f"STOPPED since {one['since']} ({one['way']}): nothing leaves. {fix}")
    show(found, as_json, "\n".join(lines))


def _is_server(row: dict[str, Any]) -> bool:
    return (row["kind"], row["state"]) == ("server", "running")


def stop(
    home: HomeOption = None,
    database: DatabaseOption = "",
    off: Annotated[bool, typer.Option("--release", "--off", help="Release the stop button.")] = False,
) -> None:
    """Press the stop button: nothing leaves the house until it is released. The server may run or not."""
    import asyncio

    from soloist.engine.stopping import FILE

    mark = home_of(home) / FILE
    ours = not off and _touched(mark)
    with _told_of(mark if ours else None), opened(home, database) as app:
        from soloist.flows import safety

        if off:
            asyncio.run(safety.release(app.desk, who="operator"))
            left = app.store.read_now(lambda conn: app.desk.effects.halt.pressed(conn))
            typer.echo(f"Released, but: {left} See: soloist safe-mode" if left else RELEASED)
            return
        asyncio.run(safety.press(app.desk, who="operator", way="command line"))
        if ours:
            mark.unlink(missing_ok=True)
    typer.echo("Stopped: nothing leaves. Release with: soloist stop --release")


RELEASED = "Released: what is approved goes out again."


@contextmanager
def _told_of(mark: Path | None) -> Iterator[None]:
    """When the row cannot be written the file holds everything back all the same: say so."""
    try:
        yield
    except BaseException:  # whatever it was, it is raised again
        if mark is not None:
            typer.echo(f"The file {mark} stops everything all the same; remove it to let it go on.", err=True)
        raise


def _touched(mark: Path) -> bool:
    """Make the file that stops everything at once, before anything is loaded; whether it was not there already.

    It stays when the database cannot be written afterwards.
    """
    if not (mark.parent / "soloist.toml").exists():
        return False
    try:
        mark.touch(exist_ok=False)
    except OSError:
        return False
    return True


def verify(
    home: HomeOption = None,
    database: DatabaseOption = "",
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", help="File or folder with checkpoints kept elsewhere.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that nothing in the journal was changed, removed or reordered."""
    with opened(home, database) as app:
        from soloist.flows.checkpoints import verified

        report = verified(app.store, app.home, app.vault.verify, checkpoints)
    value = {
        "ok": not report.faults,
        "events": report.events,
        "checkpoints": report.checkpoints,
        "exported": report.exported,
        "erased": report.erased,
        "head": report.head,
        "faults": report.faults,
    }
    counted = f"{report.events} events, {report.checkpoints} signed checkpoints, {report.exported} kept outside"
    whole = f"The journal is whole: {counted}, head {report.head[:16]}."
    show(value, as_json, "\n".join(["The journal was changed:", *report.faults]) if report.faults else whole)
    if report.faults:
        raise typer.Exit(FAULT)


def doctor(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """Look for trouble; each finding ends with what to type."""
    import asyncio

    from soloist.cli.checks import findings

    with said_plainly():
        found = asyncio.run(findings(home_of(home), database))
    text = "\n".join(_line(finding) for finding in found)
    show(found, as_json, text)
    if any(not f["ok"] and f["serious"] for f in found):
        raise typer.Exit(FAULT)


def _line(finding: dict[str, Any]) -> str:
    """One finding; what needs a look ends with what to do."""
    return f"ok    {finding['what']}" if finding["ok"] else f"look  {finding['what']}  ->  {finding['fix']}"
