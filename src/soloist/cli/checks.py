"""What ``soloist doctor`` looks at; it changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soloist.cli import machine, reach, safety
from soloist.cli.machine import finding
from soloist.kernel.errors import SoloistError


async def findings(root: Path, database: str) -> list[dict[str, Any]]:
    """Every check in order; a home that cannot be opened ends the list."""
    found = [machine.python(), machine.disk(root), machine.toml(root)]
    if not found[-1]["ok"] or (not database and not (root / "soloist.db").exists()):
        found.append(
            finding((root / "soloist.db").exists(), f"home {root}", f"soloist up --home {root}", serious=False)
        )
        return found
    found.append(machine.keys(root))
    try:
        from soloist.app import App

        app = App(root, database=database)
    except SoloistError as error:
        return [*found, finding(False, error.detail, "see the sentence")]
    try:
        found += await _opened(app)
    finally:
        app.close()
    return found


async def _opened(app: Any) -> list[dict[str, Any]]:
    """Checks that need the opened home."""
    from soloist.insight import brief

    house = app.store.read_now(brief.state_of_house)
    book = app.home.path(app.settings.intake.house_book)
    found = [
        finding(True, "database opens and has this version's tables"),
        finding(
            not app.registry.troubles,
            "plugins load" if not app.registry.troubles else "; ".join(app.registry.troubles),
            "remove or update the plugin",
        ),
        finding(
            not app.desk.runtime.roster.troubles,
            "; ".join(app.desk.runtime.roster.troubles) or "agents are whole",
            "mend the file that is named",
        ),
        finding(book.exists(), f"house book {book.name}", f"write your services and prices into {book}", serious=False),
        finding(
            not house["needs_human"],
            f"outcomes that wait for your word: {house['needs_human']}",
            "soloist inbox",
            serious=False,
        ),
        *safety.halted(app),
        *safety.backups(app),
        finding(
            bool(await app.access.password_hash()) or app.settings.sample,
            "a password is set",
            "open the link that soloist up prints",
            serious=False,
        ),
    ]
    for row in app.store.read_now(lambda conn: brief.processes(conn, app.lock.held())):
        if row["state"] != "ended":
            fix = "it is taken over within seconds when another process runs; else start soloist up"
            found.append(finding(row["state"] == "running", brief.process_line(row), fix, serious=False))
    found += machine.clock(app, datetime.now(UTC))
    found += [machine.zone(app, datetime.now(UTC)), machine.logs(app.home.logs), *machine.proxy()]
    found += [*await reach.connections(app), *reach.sources(app), *reach.public(app), _service()]
    found.append(await local_model(app.worker))
    found += await safety.walls(app)
    return found


async def local_model(worker: Any) -> dict[str, Any]:
    """Whether the local model and its embedder are whole; without them kinds are told by word rules only."""
    try:
        state = await worker.call("local.warm", {}, timeout=60.0)
    except SoloistError as error:
        return finding(False, error.detail, "soloist doctor again; if it stays, install Soloist again")
    if state["troubles"]:
        return finding(False, " ".join(state["troubles"]), "install Soloist again")
    return finding(True, f"local model {state['model']}, learned from {state['examples']} examples")


def _service() -> dict[str, Any]:
    """Whether it starts with the machine."""
    from soloist.cli.service import installed

    if installed():
        return finding(True, "starts with the machine (soloist service status)")
    return finding(True, "does not start with the machine; soloist service install would make it")
