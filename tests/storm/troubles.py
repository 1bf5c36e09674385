"""Troubles other than a kill, each as one function of a running storm: what may happen to a server on a bad day.

Each leaves the processes of the storm running, or starts them again, and may append to ``storm.notes`` what it saw.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from tests.acceptance.driving import begun, until
from tests.storm.storming import Storm

DRAIN = 10.0
"""Seconds within which a server that is asked to end has ended."""
SPARE = 40_000
"""Bytes that may still be written when the disk is made full."""


def terminate(storm: Storm) -> None:
    """Ask the server to end, as a service manager does, and start it again."""
    assert storm.served.process is not None
    until(storm.served.is_ready, what="ready")
    time.sleep(storm.chance.uniform(0.1, 0.6))
    began = time.monotonic()
    storm.served.process.send_signal(signal.SIGTERM)
    storm.served.process.wait(600)
    storm.notes.append(time.monotonic() - began)
    storm.served.start(ready=False)


def second_server(storm: Storm) -> None:
    """Start another server on the same home, or on the same database from a copy of the home, while the first works."""
    other = storm.home
    if storm.url:
        other = storm.folder / f"copy-{storm.kills}"
        shutil.copytree(storm.home / "keys", other / "keys")  # not the rest, which changes while it is copied
        shutil.copy(storm.home / "soloist.toml", other)
    log = storm.folder / f"second-{storm.kills}.log"
    words = ["up", "--home", str(other), "--port", "0", "--no-open"]
    code = begun(words, log, storm.nursery, **storm.env).wait(600)
    text = log.read_text()
    refused = code == 1 and "Nothing was started" in text
    storm.notes.append("refused" if refused else f"{code}: {text[-300:]}")


def both_at_once(storm: Storm) -> None:
    """Kill the server and start two at the same moment; exactly one may serve."""
    storm.served.kill()
    log = storm.folder / f"rival-{storm.kills}.log"
    storm.served.start(ready=False)
    rival = begun(["up", "--home", str(storm.home), "--port", "0", "--no-open"], log, storm.nursery, **storm.env)
    until(lambda: rival.poll() is not None or storm.served.dead(), 600, what="one of two to end")
    if rival.poll() is None:
        rival.kill()
        rival.wait()
        storm.served.start(ready=False)
    storm.notes.append("refused")


def lock(seconds: float) -> Callable[[Storm], None]:
    """Another program holds the SQLite database for so long."""

    def held(storm: Storm) -> None:
        with storm.store.engine.connect() as conn:
            deadline = time.monotonic() + 300
            while True:
                with contextlib.suppress(sa.exc.OperationalError):
                    conn.exec_driver_sql("BEGIN IMMEDIATE")
                    break
                assert time.monotonic() < deadline
            time.sleep(seconds)
            conn.rollback()
        time.sleep(0.5)

    return held


def full_disk(storm: Storm) -> None:
    """No file of the server may grow any more for a while; what is refused is refused in a sentence."""
    pid = storm.served.process.pid if storm.served.process else 0
    sizes = [path.stat().st_size for path in storm.home.rglob("*") if path.is_file()]
    room = storm.chance.randrange(SPARE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(0, min(sizes, default=0)) + room, resource.RLIM_INFINITY))
    storm.notes.append(said(storm, "disk"))
    time.sleep(storm.chance.uniform(0.2, 0.8))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: said(storm, "free again") == "202", 600, what="work goes on by itself")


def few_files(storm: Storm) -> None:
    """At most 64 open files (or the few more that it has open), and more callers than that."""
    pid = storm.served.process.pid if storm.served.process else 0
    until(storm.served.is_ready, what="ready")
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    opened = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(64, opened + 4), before[1]))
    callers = []
    for _ in range(80):
        with contextlib.suppress(OSError):
            callers.append(socket.create_connection(("127.0.0.1", storm.served.port), timeout=1))
    storm.notes.append(f"{opened} files open before; {said(storm, 'files')}")
    for caller in callers:
        caller.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    until(lambda: said(storm, "enough files again") == "202", 600, what="work goes on by itself")


def little_memory(storm: Storm) -> None:
    """The server may take hardly more memory than it has; when that ends it, it is started again."""
    pid = storm.served.process.pid if storm.served.process else 0
    mapped = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(pid, resource.RLIMIT_AS, (mapped + storm.chance.randrange(4_000_000), resource.RLIM_INFINITY))
    for _ in range(4):
        storm.notes.append(said(storm, "x" * 900_000))
    storm.served.kill()  # as the system does with whoever takes too much
    storm.served.start(ready=False)


def said(storm: Storm, text: str) -> str:
    """The status of one more event, with the words of a refusal; "no answer" when there is none."""
    url, headers = f"http://127.0.0.1:{storm.served.port}/api/v1/events", {"Authorization": f"Bearer {storm.key}"}
    body = {"source": "trouble", "external_id": str(time.monotonic_ns()), "kind": "order.paid", "payload": {"t": text}}
    try:
        answer = httpx.post(url, headers=headers, json=body, timeout=10)
    except httpx.HTTPError:
        return "no answer"
    if answer.status_code < 300:
        return str(answer.status_code)
    told = answer.json() if answer.headers.get("content-type", "").endswith("json") else {}
    return f"{answer.status_code}: {told.get('detail') or answer.text[:200]}"


def crash_postgres(storm: Storm) -> None:
    """Kill a process of Postgres that serves us: all connections break and Postgres recovers from its log."""
    mine = "SELECT pid FROM pg_stat_activity WHERE datname=current_database() AND pid<>pg_backend_pid()"
    pids = until(lambda: [row[0] for row in patiently(storm, mine)], what="a line of the server")
    os.kill(storm.chance.choice(pids), signal.SIGKILL)
    storm.store.engine.dispose()
    time.sleep(storm.chance.uniform(0.3, 1.0))
    until(lambda: patiently(storm, "SELECT 1"), what="Postgres again")


def patiently(storm: Storm, sql: str) -> list[Any]:
    """Rows, none while Postgres is away."""
    try:
        return storm.ask(sql)
    except sa.exc.SQLAlchemyError:
        return []


class Proxy:
    """Stands between the server and Postgres; on demand lets a COMMIT through and cuts the line before its answer."""

    def __init__(self, target: str) -> None:
        """``target`` is the path of Postgres's socket."""
        self.target, self.armed, self.cuts = target, threading.Event(), 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            try:
                far = socket.socket(socket.AF_UNIX)
                far.connect(self.target)
            except OSError:
                near.close()
                continue
            state = {"cut": False}
            threading.Thread(target=self._up, args=(near, far, state), daemon=True).start()
            threading.Thread(target=self._down, args=(far, near, state), daemon=True).start()

    def _up(self, near: socket.socket, far: socket.socket, state: dict[str, bool]) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                if b"COMMIT" in data and self.armed.is_set():
                    self.armed.clear()
                    state["cut"] = True
                far.sendall(data)
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_RDWR)

    def _down(self, far: socket.socket, near: socket.socket, state: dict[str, bool]) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                if state["cut"]:
                    self.cuts += 1
                    break
                near.sendall(data)
        for line in (near, far):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def lose_an_answer(self, storm: Storm) -> None:
        """Arm it, and wait until it has cut."""
        before = self.cuts
        self.armed.set()
        until(lambda: self.cuts > before, 600, 0.005, what="a lost answer")
        time.sleep(storm.chance.uniform(0.05, 0.4))

    def end(self) -> None:
        """No more lines."""
        self.listening.close()
