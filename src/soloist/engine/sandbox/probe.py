"""Probe: what a hostile skill would try, done inside the walls and told; a wall that stands refuses each of these."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def tried(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each attempt by name: {refused, said}. ``given``: secret, folder, places, port, parent, memory."""
    attempts: dict[str, Callable[[], object]] = {
        "read a file of the home": lambda: Path(given["secret"]).read_bytes(),
        "list the home": lambda: os.listdir(given["folder"]),
        "write outside": lambda: _write(given["places"]),
        "open a connection": lambda: _connect(given["port"]),
        "open any socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "fork": _fork,
        "start a program": lambda: subprocess.run([sys.executable, "-c", ""], check=True, timeout=5),
        "signal another process": lambda: os.kill(given["parent"], 0),
        "look into another process": lambda: Path(f"/proc/{given['parent']}/environ").read_bytes(),
        "raise its own limits": _raise_limits,
        "take new namespaces": _unshare,
        "use more memory than it may": lambda: bytearray(given["memory"] * 2),
    }
    found = {name: _outcome(attempt) for name, attempt in attempts.items()}
    seen = sorted(set(os.environ) - set(given["environment"]))
    found["see the environment"] = {"refused": not seen, "said": ", ".join(seen) or "it is empty"}
    return found


def _outcome(attempt: Callable[[], object]) -> dict[str, Any]:
    try:
        attempt()
    except (OSError, MemoryError, subprocess.SubprocessError, ValueError) as error:
        return {"refused": True, "said": f"{type(error).__name__}: {error}"[:200]}
    return {"refused": False, "said": "it worked"}


def _write(places: list[str]) -> None:
    """One place that can be written is enough; only when all refuse it is refused."""
    last: OSError | None = None
    for place in places:
        try:
            with open(place, "x", encoding="utf-8") as file:
                file.write("written")
        except OSError as error:
            last = error
        else:
            return
    if last is not None:
        raise last


def _connect(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=2).close()


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _raise_limits() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _unshare() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000) != 0:  # CLONE_NEWUSER
        raise PermissionError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
