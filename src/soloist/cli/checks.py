"""What ``soloist doctor`` looks at; it changes nothing."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

from soloist import config
from soloist.kernel.errors import SoloistError

LOW_DISK = 200 * 1024 * 1024


def _finding(ok: bool, what: str, fix: str = "", *, serious: bool = True) -> dict[str, Any]:
    """One line of the report."""
    return {"ok": ok, "what": what, "fix": fix, "serious": serious}


async def findings(root: Path, database: str) -> list[dict[str, Any]]:
    """Every check in order; a home that cannot be opened ends the list."""
    found = [_python(), _disk(root), _toml(root)]
    if not found[-1]["ok"] or (not database and not (root / "soloist.db").exists()):
        found.append(
            _finding((root / "soloist.db").exists(), f"home {root}", f"soloist up --home {root}", serious=False)
        )
        return found
    found.append(_keys(root))
    try:
        from soloist.app import App

        app = App(root, database=database)
    except SoloistError as error:
        return [*found, _finding(False, error.detail, "see the sentence")]
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
        _finding(True, "database opens and has this version's tables"),
        _finding(
            not app.registry.troubles,
            "plugins load" if not app.registry.troubles else "; ".join(app.registry.troubles),
            "remove or update the plugin",
        ),
        _finding(
            book.exists(), f"house book {book.name}", f"write your services and prices into {book}", serious=False
        ),
        _finding(
            not house["needs_human"],
            f"outcomes that wait for your word: {house['needs_human']}",
            "soloist inbox",
            serious=False,
        ),
        _finding(not house["stopped_since"], "stop button is not pressed", "soloist stop --off", serious=False),
        _finding(
            bool(await app.access.password_hash()) or app.settings.sample,
            "a password is set",
            "open the link that soloist up prints",
            serious=False,
        ),
    ]
    for row in app.store.read_now(lambda conn: brief.processes(conn, app.lock.held())):
        if row["state"] != "ended":
            fix = "it is taken over within seconds when another process runs; else start soloist up"
            found.append(_finding(row["state"] == "running", brief.process_line(row), fix, serious=False))
    for name, half in app.desk.connections.items():
        health = await half.check()
        found.append(
            _finding(
                health.state == "ok",
                f"connector {name} ({half.kind}): {health.detail or health.state}",
                "see docs/how-to/connect-your-mail.md",
                serious=False,
            )
        )
    return found


def _python() -> dict[str, Any]:
    """The interpreter and the SQLite that comes with it."""
    from soloist.app import sqlite_version

    version = ".".join(map(str, sys.version_info[:3]))
    return _finding(
        sys.version_info >= (3, 11), f"Python {version}, SQLite {sqlite_version()}", "install Python 3.11 or newer"
    )


def _disk(root: Path) -> dict[str, Any]:
    """Free space where the home is."""
    place = root
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return _finding(free > LOW_DISK, f"{free // (1024 * 1024)} MB free on the disk", "free some space: at least 200 MB")


def _toml(root: Path) -> dict[str, Any]:
    """Whether soloist.toml can be read."""
    try:
        config.read(root / "soloist.toml")
    except SoloistError as error:
        return _finding(False, error.detail, f"edit {root / 'soloist.toml'}")
    return _finding(True, "soloist.toml is understood")


def _keys(root: Path) -> dict[str, Any]:
    """Whether key files are readable by their owner only."""
    loose = [
        path.name
        for path in (root / "keys").glob("*")
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    return _finding(
        not loose,
        "keys are readable by you only" if not loose else f"others can read: {', '.join(loose)}",
        f"chmod 600 {root / 'keys'}/*",
    )
