"""What doctor finds about the machine itself: versions, disk, logs, clock, time zone, proxy; it changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soloist.kernel.errors import SoloistError

if TYPE_CHECKING:
    from soloist.app import App

LOW_DISK = 200 * 1024 * 1024
MUCH_LOG = 200 * 1024 * 1024
BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time than this."""
RECENT = timedelta(days=7)
SKEW = 60.0
"""Seconds by which clocks may differ before signatures, sign-ins and deadlines suffer."""

Finding = dict[str, Any]
"""One line of the report: {ok, what, fix, serious}."""


def finding(ok: bool, what: str, fix: str = "", *, serious: bool = True) -> Finding:
    """One line; ``fix`` is what to type, ``serious`` whether doctor ends with a fault."""
    return {"ok": ok, "what": what, "fix": fix, "serious": serious}


def python() -> Finding:
    """The interpreter and the SQLite that comes with it."""
    from soloist.app import sqlite_version

    version = ".".join(map(str, sys.version_info[:3]))
    return finding(
        sys.version_info >= (3, 11), f"Python {version}, SQLite {sqlite_version()}", "install Python 3.11 or newer"
    )


def disk(root: Path) -> Finding:
    """Free space where the home is."""
    place = root
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    fix = f"free some space, at least 200 MB; see what is large: du -sh {root}/*"
    return finding(free > LOW_DISK, f"{free // (1024 * 1024)} MB free on the disk", fix)


def logs(folder: Path) -> Finding:
    """How much the logs take."""
    size = sum(path.stat().st_size for path in folder.glob("*") if path.is_file())
    fix = f"set SOLOIST_LOG_BYTES and SOLOIST_LOG_FILES to less, and remove old files in {folder}"
    return finding(size < MUCH_LOG, f"logs take {size / 1024 / 1024:.1f} MB (soloist logs)", fix, serious=False)


def clock(app: App, now: datetime) -> list[Finding]:
    """Whether the clock can be right, by itself, by the journal, and by what the server noticed."""
    from soloist.insight import watching

    fix = "set the clock and let it be kept: timedatectl set-ntp true"
    if now < BUILT:
        return [finding(False, f"the clock says {now:%Y-%m-%d}, which is in the past", fix)]
    told = app.store.read_now(watching.clocks)
    ahead = (told["newest"] - now).total_seconds() if told["newest"] else 0.0
    if ahead > SKEW:
        what = f"the clock is {_span(ahead)} behind the newest event: it went back, and deadlines come late"
        return [finding(False, what, fix)]
    found = []
    if told["jumped"] and now - told["jumped"][0] < RECENT:
        at, by = told["jumped"]
        way = "forward" if by > 0 else "back"
        what = f"the clock was set {way} by {_span(abs(by))} on {at:%Y-%m-%d %H:%M} (UTC)"
        found.append(finding(False, what, fix, serious=False))
    if told["woke"] and now - told["woke"][0] < RECENT:
        at, slept = told["woke"]
        found.append(finding(True, f"this machine sleeps: it woke on {at:%Y-%m-%d %H:%M} (UTC) after {_span(slept)}"))
    return found or [finding(True, f"the clock says {now:%Y-%m-%d %H:%M} (UTC)")]


def zone(app: App, now: datetime) -> Finding:
    """Whether the business and the computer mean the same hour."""
    own, here = app.settings.business.timezone, now.astimezone()
    same = here.utcoffset() == now.astimezone(app.settings.business.zone).utcoffset()
    what = f"time zone {own}" if same else f"time zone {own}; this computer is set to {here.tzname()}"
    fix = f'set timezone under [business] in {app.home.toml}, like "Europe/Berlin"'
    return finding(same or own != "UTC", what, fix, serious=False)


def proxy() -> list[Finding]:
    """The forward proxy of the environment, when there is one."""
    from soloist.engine.proxy import from_environment
    from soloist.sdk import NotSent

    try:
        found = from_environment("https", "example.org", 443)
    except NotSent as error:
        return [finding(False, str(error).partition(";")[0], "export HTTPS_PROXY=http://host:port")]
    if found is None:
        return []
    return [finding(True, f"http connectors go through {found.name}; mail does not and needs a direct way")]


def keys(root: Path) -> Finding:
    """Whether key files are readable by their owner only."""
    loose = [path.name for path in (root / "keys").glob("*") if os.name == "posix" and path.stat().st_mode & 0o077]
    what = "keys are readable by you only" if not loose else f"others can read: {', '.join(sorted(loose))}"
    return finding(not loose, what, f"chmod 600 {root / 'keys'}/*")


def toml(root: Path) -> Finding:
    """Whether soloist.toml can be read."""
    from soloist import config

    try:
        config.read(root / "soloist.toml")
    except SoloistError as error:
        return finding(False, error.detail, f"edit {root / 'soloist.toml'}")
    return finding(True, "soloist.toml is understood")


def _span(seconds: float) -> str:
    """A span of time for people."""
    for size, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
