"""``soloist service``: start with the machine and come back after a fault; writes one file, after showing it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from soloist.cli.common import FAULT, HomeOption, JsonOption, home_of, interactive, said_plainly, show
from soloist.cli.units import ENVIRONMENT_FILE, Wish, caddyfile, launchd_plist, systemd_unit, task_line
from soloist.kernel.errors import BadInput

service = typer.Typer(help="Keep Soloist running in the background.", no_args_is_help=True)

BOOTED = Path("/run/systemd/system")
"""Exists on a machine that systemd started."""
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")

PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port of the console.")]
SystemOption = Annotated[bool, typer.Option("--system", help="For the whole machine, as root; else for your account.")]
NameOption = Annotated[str, typer.Option("--name", help="Name of the service, when you run more than one home.")]
DatabaseOption = Annotated[str, typer.Option("--database", help="Postgres address; it is kept in service.env.")]
ConsoleOption = Annotated[str, typer.Option("--console", help="Host name of the console behind your TLS proxy.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Print the plan and do nothing.")]


@dataclass(frozen=True)
class Plan:
    """One change: files to write (path, bytes), files to remove, and what to type before and after."""

    files: list[tuple[Path, bytes]] = field(default_factory=list)
    remove: list[Path] = field(default_factory=list)
    before: list[list[str]] = field(default_factory=list)
    after: list[list[str]] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Every line that will be done, in its order."""
        lines = [f"run     {' '.join(words)}" for words in self.before]
        lines += [f"write   {path} ({len(data)} bytes)" for path, data in self.files]
        lines += [f"remove  {path}" for path in self.remove]
        return "\n".join([*lines, *(f"run     {' '.join(words)}" for words in self.after)])


@service.command()
def install(
    home: HomeOption = None,
    *,
    port: PortOption = 8787,
    database: DatabaseOption = "",
    console: ConsoleOption = "",
    system: SystemOption = False,
    name: NameOption = "soloist",
    yes: YesOption = False,
    dry_run: DryOption = False,
) -> None:
    """Write the service file and start it; shows the plan first."""
    with said_plainly():
        wish = _wish(home, port=port, database=database, console=console, system=system, name=name)
        if not (wish.home / "soloist.toml").exists():
            _refuse(f"there is no home in {wish.home} yet. Make one with: soloist init --home {wish.home}")
        plan = _installing(wish, database)
        typer.echo(plan.text())
        if dry_run:
            for path, data in plan.files:
                typer.echo(f"\n{path}:\n{_unseen(data, database)}")
            return
        _agreed(yes)
        _carry_out(plan)


@service.command()
def uninstall(
    system: SystemOption = False, name: NameOption = "soloist", yes: YesOption = False, dry_run: DryOption = False
) -> None:
    """Stop the service and remove its file; the home stays as it is."""
    with said_plainly():
        path = _place(_named(name), system)
        if not path.exists():
            _refuse(f"there is no service file {path}; nothing was changed.")
        control = _control(system)
        if sys.platform == "darwin":
            plan = Plan(remove=[path], before=[["launchctl", "bootout", _domain(system), str(path)]])
        else:
            off = [[*control, "disable", "--now", path.name]]
            plan = Plan(remove=[path], before=off, after=[[*control, "daemon-reload"]])
        typer.echo(plan.text())
        if dry_run:
            return
        _agreed(yes)
        _carry_out(plan)
        typer.echo("The service is gone; the home folder was not touched.")


@service.command("show")
def show_file(
    home: HomeOption = None,
    *,
    port: PortOption = 8787,
    console: ConsoleOption = "",
    system: SystemOption = False,
    name: NameOption = "soloist",
) -> None:
    """Print the service file that install would write."""
    with said_plainly():
        wish = _wish(home, port=port, database="", console=console, system=system, name=name)
        typer.echo(_file(wish).decode(), nl=False)


@service.command()
def status(system: SystemOption = False, name: NameOption = "soloist", as_json: JsonOption = False) -> None:
    """Whether the service file is there, and what the service manager says of it."""
    with said_plainly():
        path = _place(_named(name), system)
        found: dict[str, Any] = {"file": str(path), "installed": path.exists(), "manager": _manager(), "state": ""}
        if found["manager"] == "systemd":
            found["state"] = _said([*_control(system), "is-active", path.name])
            found["at_start"] = _said([*_control(system), "is-enabled", path.name])
        elif found["manager"] == "launchd":
            known = _said(["launchctl", "print", f"{_domain(system)}/org.soloist.{name}"])
            found["state"] = "active" if "state = running" in known else "inactive"
    lines = [f"File: {path} ({'there' if found['installed'] else 'not there: soloist service install'})"]
    lines.append(f"State: {found['state']}" if found["manager"] else f"State: not known. {_unmanaged()}")
    show(found, as_json, "\n".join(lines))


@service.command()
def caddy(
    host: Annotated[str, typer.Option("--host", help="Public host name: forms and webhooks.")],
    console: ConsoleOption = "",
    port: PortOption = 8787,
    local: Annotated[bool, typer.Option("--local", help="Certificates of Caddy's own authority, for a trial.")] = False,
) -> None:
    """Print a Caddyfile that lets strangers reach forms and hooks, and you the console."""
    from soloist import config
    from soloist.web.security import check_console

    with said_plainly():
        check_console(host, config.Server(tls=True))
        check_console(console, config.Server(tls=True, public_host=host))
    typer.echo(caddyfile(host, console, port=port, local=local), nl=False)


def installed() -> bool:
    """Whether some service file of this account or this machine is there under the usual name."""
    return os.name != "nt" and any(_place("soloist", system).exists() for system in (False, True))


def _wish(given: Path | None, *, port: int, database: str, console: str, system: bool, name: str) -> Wish:
    """The options as one value, with what the home's settings and this process add."""
    root = home_of(given)
    environment = {key: value for key in PROXIES if (value := os.environ.get(key, "")) and "@" not in value}
    if console:
        environment["SOLOIST_CONSOLE"] = console
    if database and sys.platform == "darwin":
        environment["SOLOIST_DATABASE"] = database
    account = root.owner() if system and root.exists() else ""
    return Wish(_program(), root, _named(name), port, system, account, environment, _outside(root) if system else ())


def _named(name: str) -> str:
    """A name that is a file name everywhere (BadInput)."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name):
        raise BadInput("--name: lower-case letters, digits and hyphens.", field="name")
    return name


def _program() -> tuple[str, ...]:
    """What starts this very installation: the command beside the interpreter, else the interpreter."""
    beside = Path(sys.executable).with_name("soloist.exe" if os.name == "nt" else "soloist")
    return (str(beside),) if beside.exists() else (sys.executable, "-m", "soloist")


def _outside(root: Path) -> tuple[Path, ...]:
    """Folders of the settings that lie outside the home: a walled-in service must be let into them."""
    from soloist import config

    settings, home = config.read(root / "soloist.toml"), config.Home(root)
    named = [settings.mail.maildir_in, settings.mail.maildir_out, settings.mail.drop]
    named += [part.folder for part in settings.connectors.values() if part.kind == "maildir"]
    found = {home.path(text) for text in named}
    return tuple(sorted(path for path in found if path.exists() and not path.is_relative_to(root)))


def _manager() -> str:
    """Who keeps services running here: systemd, launchd, or "" for nobody we can use."""
    if sys.platform == "darwin":
        return "launchd"
    return "systemd" if shutil.which("systemctl") and BOOTED.exists() else ""


def _unmanaged() -> str:
    """What to do where no service manager runs."""
    if os.name == "nt":
        return "On Windows use the Task Scheduler."
    return "systemd does not run here (a container, perhaps)."


def _place(name: str, system: bool) -> Path:
    """Where the service file belongs."""
    if sys.platform == "darwin":
        folder = Path("/Library/LaunchDaemons") if system else Path.home() / "Library" / "LaunchAgents"
        return folder / f"org.soloist.{name}.plist"
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return (Path("/etc/systemd/system") if system else own / "systemd" / "user") / f"{name}.service"


def _file(wish: Wish) -> bytes:
    """The service file for this machine (BadInput on Windows, with the line to type)."""
    if os.name == "nt":
        raise BadInput(f"On Windows Soloist writes no service. Type this once, then log in again: {task_line(wish)}")
    return launchd_plist(wish) if sys.platform == "darwin" else systemd_unit(wish, _version()).encode()


def _version() -> int:
    """The version of systemd, 0 when it is not there."""
    match = re.match(r"systemd (\d+)", _said(["systemctl", "--version"]))
    return int(match[1]) if match else 0


def _control(system: bool) -> list[str]:
    return ["systemctl"] if system else ["systemctl", "--user"]


def _domain(system: bool) -> str:
    """launchd's name for whose services these are."""
    return "system" if system else f"gui/{os.getuid()}"


def _installing(wish: Wish, database: str) -> Plan:
    """Everything that makes the service."""
    path = _place(wish.name, wish.system)
    files = [(path, _file(wish))]
    if sys.platform == "darwin":
        return Plan(files, after=[["launchctl", "bootstrap", _domain(wish.system), str(path)]])
    if database:
        files.append((wish.home / ENVIRONMENT_FILE, _with_database(wish.home / ENVIRONMENT_FILE, database)))
    control = _control(wish.system)
    after = [[*control, "daemon-reload"], [*control, "enable", "--now", path.name]]
    hints = [f"See what it does: {' '.join([*control, 'status', path.name])}"]
    if not wish.system:
        hints.append("To start it without you logging in: loginctl enable-linger")
    if any("@" in os.environ.get(key, "") for key in PROXIES):
        hints.append(f"Your proxy's address holds a password, so it was not copied: put it into {ENVIRONMENT_FILE}.")
    return Plan(files, after=after, hints=hints)


def _with_database(path: Path, database: str) -> bytes:
    """The environment file with this database and every other line it has."""
    old = path.read_text("utf-8").splitlines() if path.exists() else []
    safe = database.replace("\\", "\\\\").replace('"', '\\"')
    kept = [line for line in old if not line.startswith("SOLOIST_DATABASE=")]
    return "".join(f"{line}\n" for line in [*kept, f'SOLOIST_DATABASE="{safe}"']).encode()


def _unseen(data: bytes, database: str) -> str:
    """A file for the screen, without the database's password."""
    text = data.decode()
    return text.replace(database, "(the address you gave)") if database else text


def _agreed(yes: bool) -> None:
    """Go on only with --yes or a yes on the terminal."""
    if yes:
        return
    if not interactive():
        _refuse("nothing was done. Say --yes to do this.")
    if not typer.confirm("Do this?"):
        typer.echo("Nothing was done.")
        raise typer.Exit(FAULT)


def _carry_out(plan: Plan) -> None:
    """Do the plan; where no manager runs only the files are written, and what is left is said."""
    managed = bool(_manager())
    if managed:
        _run(plan.before)
    for path, data in plan.files:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, data)
    for path in plan.remove:
        path.unlink()
    if not managed:
        typer.echo(f"{_unmanaged()} Where it runs, type:")
        for words in [*plan.before, *plan.after]:
            typer.echo(f"  {' '.join(words)}")
        return
    _run(plan.after)
    for hint in plan.hints:
        typer.echo(hint)


def _write(path: Path, data: bytes) -> None:
    """A file that others cannot read (it may name a database), in place in one piece."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    beside.replace(path)


def _run(commands: list[list[str]]) -> None:
    """Run each; the first that fails ends it with what it said."""
    for words in commands:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip() or f"it ended with {done.returncode}"
            _refuse(f"{' '.join(words)} failed: {said}")


def _said(words: list[str]) -> str:
    """What a command prints, "" when it is not there."""
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _refuse(sentence: str) -> None:
    typer.echo(f"soloist: {sentence}", err=True)
    raise typer.Exit(FAULT)
