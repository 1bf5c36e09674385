"""Levels: how a process for code of others is walled in here, found out by trying to break out; it runs no skill.

bubblewrap: namespaces of its own, a file system that holds the interpreter and the skill, seccomp, limits.
landlock: a fresh process under Landlock, seccomp and limits. none: limits and a rail only, and only when the operator
said that they trust the code. A level counts only after every attempt of ``probe`` was refused in it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import socket
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soloist.engine.sandbox import runs
from soloist.kernel.package import Level, Quotas

ORDER: tuple[Level, ...] = ("bubblewrap", "landlock")
ROOT = str(Path(__file__).parents[3])
SCRATCH_BYTES = 16 * 1024 * 1024
BOOT = (
    "import json,sys\n"
    "options=json.loads(sys.argv[1])\n"
    "sys.path.extend(path for path in options['paths'] if path not in sys.path)\n"
    "from soloist.engine.sandbox.inside import main\n"
    "sys.exit(main(options))"
)
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives", "/nix/store")
_DEVICES = ("/dev/null", "/dev/urandom", "/dev/zero")


@dataclass(frozen=True)
class Attempt:
    """One try to break out: what it was, whether it was refused, and what the kernel or Python said."""

    what: str
    refused: bool
    said: str


@dataclass(frozen=True)
class Tested:
    """What the self-test found: the level, every attempt in it, and why no stronger one is there."""

    level: Level
    attempts: tuple[Attempt, ...]
    lacking: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether code of others may run: a level other than none, and every attempt was refused."""
        return self.level != "none" and all(attempt.refused for attempt in self.attempts)


@dataclass(frozen=True)
class Place:
    """Where a package's code lies and what is loaded from it."""

    folder: str = ""
    modules: tuple[str, ...] = ()
    scratch: str = ""


class Levels:
    """The level of this machine, tested once in a process."""

    def __init__(self, home: Path, wanted: str = "auto") -> None:
        """``home`` is what must stay unseen; ``wanted`` a level by name, or the strongest there is ("auto")."""
        self._home, self._wanted = home, wanted
        self._lock = threading.Lock()
        self._tested: Tested | None = None

    def tested(self, *, again: bool = False) -> Tested:
        """What the self-test says; a few tenths of a second the first time, or when it is done ``again``."""
        with self._lock:
            if self._tested is None or again:
                self._tested = self._test()
            return self._tested

    def _test(self) -> Tested:
        lacking: list[str] = []
        for level in ORDER:
            if self._wanted not in ("auto", level):
                continue
            attempts, why = attempted(level, self._home)
            broken = [attempt.what for attempt in attempts if not attempt.refused]
            if not why and not broken:
                return Tested(level, tuple(attempts), tuple(lacking))
            lacking.append(f"{level}: {why or 'it let code ' + ', '.join(broken)}")
        if self._wanted == "none":
            lacking.append('none was asked for by sandbox = "none" under [skills]')
        attempts, _ = attempted("none", self._home)
        return Tested("none", tuple(attempts), tuple(lacking))


def attempted(level: str, home: Path) -> tuple[list[Attempt], str]:
    """What came of every attempt in a level, and why it could not be tried ("" it could)."""
    if level == "bubblewrap" and shutil.which("bwrap") is None:
        return [], "the program bwrap is not installed"
    if level != "none" and (why := _lacks(level)):
        return [], why
    with _bait(home) as (given, touched):
        quotas = Quotas(seconds=10, memory_mb=512)
        try:
            request = runs.framed({"do": "probe", "value": given}, b"")
            ended = runs.run(*command(level, Place(), quotas, home), request, timeout=60, output=100_000)
            told = json.loads(ended.answer)["ok"]
        except (OSError, ValueError, KeyError) as error:
            said = ended.said.decode("utf-8", "replace").strip().splitlines() if not isinstance(error, OSError) else []
            return [], (said[-1] if said else str(error))[:300]
        found = [Attempt(what, bool(one["refused"]), str(one["said"])) for what, one in told.items()]
        if touched():
            found.append(Attempt("leave a trace outside", refused=False, said=touched()))
    return found, ""


def _lacks(level: str) -> str:
    """What the machine has not that a level needs, "" for nothing."""
    if not sys.platform.startswith("linux"):
        return "it is there on Linux only"
    for name in ("pyseccomp", *(["landlock"] if level == "landlock" else [])):
        try:
            importlib.import_module(name)
        except (ImportError, RuntimeError, OSError) as error:
            return f"{name} cannot be used: {error}"
    return ""


@contextlib.contextmanager
def _bait(home: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """A file to steal, places to write to and a door to knock at; and whether any of it was reached."""
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".probe-", dir=home) as folder, socket.socket() as door:
        secret = Path(folder) / "secret"
        secret.write_text("a file of the home", encoding="utf-8")
        door.bind(("127.0.0.1", 0))
        door.listen(1)
        door.settimeout(0)
        places = [str(Path(folder) / "written"), str(Path(tempfile.gettempdir()) / f"{Path(folder).name}-written")]
        given = {
            "secret": str(secret),
            "folder": str(home),
            "places": places,
            "port": door.getsockname()[1],
            "parent": os.getpid(),
            "memory": 512 << 20,
            "environment": [*ENVIRONMENT, "PWD", "LC_CTYPE"],
        }

        def touched() -> str:
            there = [place for place in places if Path(place).exists()]
            for place in there:
                Path(place).unlink()
            with contextlib.suppress(OSError):
                door.accept()[0].close()
                there.append("a connection came")
            return ", ".join(there)

        yield given, touched


def readable() -> tuple[str, ...]:
    """What the interpreter needs to see: itself, its libraries, this package and those it needs; nothing else."""
    prefixes = {sys.prefix, sys.base_prefix}
    parts = [str(Path(prefix) / part) for prefix in prefixes for part in ("bin", "lib", "lib64", "pyvenv.cfg")]
    found = [*_SYSTEM, *parts, *sysconfig.get_paths().values(), str(Path(sys.executable).resolve().parent), ROOT]
    kept = dict.fromkeys(path for path in found if os.path.exists(path) and Path(path) != Path("/"))
    return tuple(path for path in kept if not any(path != other and _below(path, other) for other in kept))


def _below(path: str, other: str) -> bool:
    """Whether a path is seen with another one; a link has to be named itself."""
    return Path(path).is_relative_to(other) and not Path(path).is_symlink()


def command(level: str, place: Place, quotas: Quotas, home: Path) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment of one process (OSError when the home would be seen by it)."""
    read = readable()
    if level != "none" and any(home.resolve().is_relative_to(path) for path in read):
        raise PermissionError(f"the home {home} lies inside a folder that the interpreter needs to read")
    inner = Place("/skill", place.modules, "/scratch" if place.scratch else "") if level == "bubblewrap" else place
    seen = [*read, *_DEVICES, *([inner.folder] if inner.folder else [])]
    options = {
        "level": level,
        "paths": [ROOT],
        "folder": inner.folder,
        "modules": [*inner.modules],
        "scratch": inner.scratch,
        "read": seen,
        "memory": quotas.memory_mb << 20,
        "cpu": quotas.seconds + 1,
        "output": quotas.output_kb << 10,
        "file": SCRATCH_BYTES if inner.scratch else 0,
    }
    python = [sys.executable, "-I", "-B", "-X", "utf8", "-c", BOOT, json.dumps(options)]
    if level != "bubblewrap":
        kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}  # Windows needs it
        return python, {**ENVIRONMENT, **kept}
    return [*_bubble(read, place), "--", *python], {}


def _bubble(read: tuple[str, ...], place: Place) -> list[str]:
    """bwrap with everything unshared and nothing in it but what is named."""
    words = [str(shutil.which("bwrap")), "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    words += ["--clearenv", *(word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value))]
    for path in sorted(read):
        words += ["--ro-bind", path, path]
    words += ["--dev", "/dev"]
    if place.folder:
        words += ["--ro-bind", place.folder, "/skill"]
    if place.scratch:
        words += ["--size", str(SCRATCH_BYTES), "--tmpfs", "/scratch"]
    return [*words, "--remount-ro", "/", "--chdir", "/"]
