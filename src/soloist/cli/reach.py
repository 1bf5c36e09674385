"""What doctor finds about the outside: connections, sources, and which features need a public address."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from soloist.cli.machine import SKEW, Finding, finding
from soloist.sdk import Health

if TYPE_CHECKING:
    from soloist.app import App
    from soloist.engine.registry import ReadingHalf

CHECK_WITHIN = 10.0
"""Seconds that each connection has to answer."""
ON_THE_INTERNET = "soloist service caddy --host shop.example --console desk.example"
"""The command to look at, with stand-ins for the operator's names."""


async def connections(app: App) -> list[Finding]:
    """Every connection asked at once, each with its own time limit; a broken adapter is a finding of its own."""
    halves = list(app.desk.connections.values())
    answers = await asyncio.gather(*(_asked(half) for half in halves))
    return [found for half, health in zip(halves, answers, strict=True) for found in _health(half, health)]


async def _asked(half: ReadingHalf) -> Health:
    """What one connection says of itself."""
    try:
        return await asyncio.wait_for(half.check(), CHECK_WITHIN)
    except TimeoutError:
        return Health("down", f"no answer within {CHECK_WITHIN:.0f} s")
    except Exception as error:  # noqa: BLE001  # an adapter is someone else's code, and doctor must tell of the others
        return Health("down", f"its adapter failed: {error or type(error).__name__}")


def _health(half: ReadingHalf, health: Health) -> list[Finding]:
    """The lines about one connection."""
    what = f"connector {half.name} ({half.kind}): {health.detail or health.state}"
    found = [finding(health.state == "ok", what, _mend(half, health), serious=False)]
    if abs(health.skew) > SKEW:
        what = f"the clock differs by {abs(health.skew):.0f} s from the server of {half.name}"
        found.append(finding(False, what, "timedatectl set-ntp true", serious=False))
    return found


def _mend(half: ReadingHalf, health: Health) -> str:
    """What to type about a connection that does not work."""
    if half.kind == "mail":
        return "soloist connect mail" if health.state == "auth" else f"soloist connect test {half.name}"
    if half.kind in ("maildir", "dropfolder"):
        return "check the folder under [mail] in soloist.toml"
    return f"check connectors.{half.name} in soloist.toml, then soloist doctor"


def sources(app: App) -> list[Finding]:
    """Streams that could not be read when they were last asked."""
    from soloist.insight import watching

    return [
        finding(
            False,
            f"{row['connection']}/{row['stream']} could not be read: {row['trouble']}",
            f"soloist connect test {row['connection']}",
            serious=False,
        )
        for row in app.store.read_now(watching.streams_in_trouble)
        if row["connection"] in app.desk.connections
    ]


def public(app: App) -> list[Finding]:
    """What works on this machine alone, what strangers would have to reach, and what the settings say about it."""
    pulled = sorted(name for name, half in app.desk.connections.items() if _pulls(half))
    found = [finding(True, f"works without a public address, because it is pulled: {', '.join(pulled) or 'nothing'}")]
    server, pushed = app.settings.server, _pushed(app)
    names = ", ".join(pushed)
    if not server.public_host:
        hooks = any(path.startswith("/hooks/") for path in pushed)
        what = f"no public address is set: only this machine reaches {names}"
        found.append(finding(not hooks, what, ON_THE_INTERNET, serious=False))
    elif not server.tls:
        what = f"public_host is {server.public_host}, but server.tls is off: cookies and addresses are not told right"
        found.append(finding(False, what, f"write tls = true under [server] in {app.home.toml}"))
    else:
        what = f"strangers may reach {names} as https://{server.public_host}, if its name and your proxy lead here"
        found.append(finding(True, what))
    return found


def _pulls(half: ReadingHalf) -> bool:
    """Whether a connection fetches by itself."""
    try:
        return bool(half.streams())
    except (ValueError, KeyError):
        return False


def _pushed(app: App) -> list[str]:
    """Paths that somebody else has to reach."""
    settings: Any = app.settings
    hooks = [f"/hooks/{name}" for name, part in settings.connectors.items() if part.webhook_secret]
    return [*(f"/f/{name}" for name in settings.forms), *hooks]
