"""Texts for what keeps a server running and reachable: systemd, launchd, Task Scheduler, Caddy; it writes nothing."""

from __future__ import annotations

import plistlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soloist.kernel.errors import BadInput

GRACE = 30
"""Seconds a server gets to end: ten for open pages, ten for open calls to the outside, ten to spare."""
PAUSE = 5
"""Seconds before a server that failed is started again."""
LONGEST_PAUSE = 300
BACK_OFF_SINCE = 254
"""The first version of systemd that can make the pauses grow."""
ENVIRONMENT_FILE = "service.env"


@dataclass(frozen=True)
class Wish:
    """What is to run: ``program`` starts the command, ``account`` is for system-wide services ("" = the manager's)."""

    program: tuple[str, ...]
    home: Path
    name: str = "soloist"
    port: int = 8787
    system: bool = False
    account: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    writes: tuple[Path, ...] = ()
    """Folders outside the home that Soloist moves mail in."""

    def __post_init__(self) -> None:
        """BadInput for a path that no service file can carry."""
        for text in (*self.program, str(self.home), *map(str, self.writes), *self.environment.values()):
            if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
                raise BadInput(f"{text!r} contains a line break or another control character; nothing was written.")

    @property
    def command(self) -> list[str]:
        """The words of the command that the service runs."""
        return [*self.program, "up", "--home", str(self.home), "--port", str(self.port), "--no-open"]


def _percent(text: str) -> str:
    """systemd reads ``%`` as the beginning of a specifier."""
    return text.replace("%", "%%")


def quoted(word: str) -> str:
    """One word of a systemd list: in quotes, with nothing in it that systemd would expand."""
    return '"' + _percent(word).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _command_line(words: list[str]) -> str:
    """ExecStart: the arguments (never the program) also have ``$`` expanded, so it is doubled in them."""
    return " ".join([quoted(words[0]), *(quoted(word).replace("$", "$$") for word in words[1:])])


def systemd_unit(wish: Wish, version: int) -> str:
    """The unit file for a systemd of this version (0 = not known)."""
    unit = [("Description", _percent(f"Soloist on {wish.home}"))]
    if wish.system:
        unit += [("After", "network-online.target"), ("Wants", "network-online.target")]
    unit.append(("StartLimitIntervalSec", "0"))
    target = "multi-user.target" if wish.system else "default.target"
    parts = {"Unit": unit, "Service": _service(wish, version), "Install": [("WantedBy", target)]}
    return "\n".join(f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in rows) for name, rows in parts.items())


def _service(wish: Wish, version: int) -> list[tuple[str, str]]:
    """The [Service] section."""
    rows = [("Type", "exec"), ("ExecStart", _command_line(wish.command))]
    rows += [("Environment", quoted(f"{key}={value}")) for key, value in sorted(wish.environment.items())]
    rows += [
        ("EnvironmentFile", f"-{_percent(str(wish.home / ENVIRONMENT_FILE))}"),
        ("Restart", "on-failure"),
        ("RestartSec", str(PAUSE)),
        ("RestartPreventExitStatus", "2"),
        ("KillSignal", "SIGTERM"),
        ("KillMode", "mixed"),
        ("TimeoutStopSec", str(GRACE)),
        ("UMask", "0077"),
    ]
    if version >= BACK_OFF_SINCE:
        rows += [("RestartSteps", "6"), ("RestartMaxDelaySec", str(LONGEST_PAUSE))]
    if wish.account:
        rows.append(("User", wish.account))
    return rows + _walls(wish)


def _walls(wish: Wish) -> list[tuple[str, str]]:
    """What the service cannot do. A user's manager may lack the right to make namespaces, so there only the rest."""
    rows = [
        ("NoNewPrivileges", "yes"),
        ("LockPersonality", "yes"),
        ("RestrictRealtime", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"),
        ("SystemCallArchitectures", "native"),
    ]
    if not wish.system:
        return rows
    rows += [(name, "yes") for name in ("PrivateTmp", "PrivateDevices", "ProtectClock", "ProtectHostname")]
    rows += [(name, "yes") for name in ("ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules")]
    rows += [("ProtectKernelTunables", "yes"), ("RestrictNamespaces", "yes"), ("CapabilityBoundingSet", "")]
    rows += [("ProtectSystem", "strict"), ("ProtectHome", "read-only")]
    return [*rows, *(("ReadWritePaths", f"{quoted(str(path))}") for path in (wish.home, *wish.writes))]


def launchd_plist(wish: Wish) -> bytes:
    """The property list for launchd, as an agent of the user or a daemon."""
    log = str(wish.home / "logs" / "launchd.log")
    value: dict[str, Any] = {
        "Label": f"org.soloist.{wish.name}",
        "ProgramArguments": wish.command,
        "EnvironmentVariables": {**wish.environment, "SOLOIST_SERVICE": "launchd"},
        "WorkingDirectory": str(wish.home),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": GRACE,
        "Umask": 0o077,
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    if wish.account:
        value["UserName"] = wish.account
    return plistlib.dumps(value)


def task_line(wish: Wish) -> str:
    """What makes the same with the Task Scheduler of Windows, for the operator to type."""
    command = subprocess.list2cmdline(wish.command)
    return subprocess.list2cmdline(["schtasks", "/Create", "/SC", "ONLOGON", "/TN", wish.name, "/TR", command])


_PUBLIC = """\
# Strangers: forms and webhooks, and nothing else.
{host} {{
{tls}	request_body {{
		max_size 2MB
	}}
	@public path /f/* /hooks/* /collect /collect/*
	handle @public {{
		reverse_proxy 127.0.0.1:{port}
	}}
	handle {{
		respond "There is nothing here." 404
	}}
	header ?Strict-Transport-Security "max-age=31536000"
}}
"""
_CONSOLE = """
# You: the console, behind its own sign-in.
{console} {{
{tls}	# To let in only your own network, take the # from the next two lines and write its range.
	# @strangers not remote_ip 192.168.1.0/24
	# abort @strangers
	request_body {{
		max_size 32MB
	}}
	reverse_proxy 127.0.0.1:{port}
	header ?Strict-Transport-Security "max-age=31536000"
}}
"""


def caddyfile(host: str, console: str = "", *, port: int = 8787, local: bool = False) -> str:
    """A Caddyfile for the public name and, where given, the console's own name; ``local`` takes Caddy's own authority.

    Caddy forgets what a client says in X-Forwarded-For and writes the address it sees, so the limits count that one.
    """
    tls = "\ttls internal\n" if local else ""
    text = _PUBLIC.format(host=host, port=port, tls=tls)
    return text + (_CONSOLE.format(console=console, port=port, tls=tls) if console else "")
