"""Starts processes of the product quickly: one process imports it once and is copied by fork; each copy is a process.

A copy runs the ``soloist`` command with its own arguments, environment and log, and is killed as any process is. A
fault planted on purpose (``SOLOIST_PLANT``, see ``tests/storm/plants.py``) is put into the copy before it runs.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EARLY = (
    *(
        "httpcore",
        "uvicorn",
        "dbos",
        "structlog",
        "psycopg",
        "rich",
        "fastapi.applications",
        "uvicorn.protocols.http.auto",
    ),
    *("soloist.app", "soloist.cli.main", "soloist.cli.logs", "soloist.web.server", "soloist.web.api"),
    *("soloist.engine.durable", "soloist.flows.running", "soloist.engine.store.migrate"),
    *("soloist.engine.recall.following", "soloist.stages.memory.rank", "soloist.stages.memory.second"),
    "uvicorn.protocols.websockets.websockets_sansio_impl",
)
"""What a start would import; nothing that starts a thread."""


_ended: dict[int, int] = {}
"""Exit codes by process id; an id that is given again begins anew."""


class Nursery:
    """The process that is copied. Threads may share it."""

    def __init__(self, **env: str) -> None:
        """``env`` is there from its first instant, and so in every copy."""
        path = os.pathsep.join((str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")))
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", **env},
        )
        self._lock = threading.Lock()

    def start(self, argv: list[str], log: Path, env: dict[str, str]) -> Born:
        """A new copy that runs ``soloist <argv>``."""
        return Born(self, int(self.said({"argv": argv, "log": str(log), "env": env})))

    def said(self, request: dict[str, Any]) -> Any:
        """One question and its answer."""
        with self._lock:
            assert self._process.stdin is not None and self._process.stdout is not None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        """No more copies; those that run stay."""
        self._process.kill()
        self._process.wait()


class Born:
    """A copy, with the few words of ``subprocess.Popen`` that the tests use."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid, self.returncode = pid, None
        self._nursery = nursery

    def poll(self) -> int | None:
        """Its exit code (negative for a signal), None while it runs."""
        if self.returncode is None:
            self.returncode = self._nursery.said({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float = 60.0) -> int:
        """Its exit code; TimeoutExpired when it goes on."""
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal while it runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """As a power cut would."""
        self.send_signal(signal.SIGKILL)


def main() -> None:
    """Import everything, then copy on demand until the input ends."""
    for name in EARLY:
        importlib.import_module(name)
    importlib.import_module("soloist.engine.registry").load()
    for line in sys.stdin:
        request = json.loads(line)
        answer = _poll(request["poll"]) if "poll" in request else _copy(request)
        print(json.dumps(answer), flush=True)


def _poll(pid: int) -> int | None:
    """The exit code of a copy, however often it is asked for."""
    if pid not in _ended:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            _ended[pid] = os.waitstatus_to_exitcode(status)
    return _ended.get(pid)


def _copy(request: dict[str, Any]) -> int:
    """Fork; the parent answers the id of the copy, the copy never comes back."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        _ended.pop(pid, None)
        return pid
    code = 70
    try:
        _become(request)
        from soloist.cli.main import run

        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _become(request: dict[str, Any]) -> None:
    """The copy's own output, environment and arguments, and what is planted in it."""
    out = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.update(request["env"])
    sys.argv = ["soloist", *request["argv"]]
    from soloist.engine import failpoint

    failpoint._NAME, failpoint._left = failpoint.read(os.environ.get("SOLOIST_FAILPOINT", ""))
    if name := os.environ.get("SOLOIST_PLANT", ""):
        from tests.storm import plants

        plants.plant(name)


if __name__ == "__main__":
    main()
