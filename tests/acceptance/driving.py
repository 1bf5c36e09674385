"""Drives the real server from outside for the kill tests: start, kill, ask over HTTP until it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.nursery import Born, Nursery
from tests.acceptance.ports import free_port

SOLOIST = (sys.executable, "-m", "soloist")
SOURCE = str(Path(__file__).parents[2] / "src")


def environment(**more: str) -> dict[str, str]:
    """This process's environment with the source of the product in it."""
    path = os.pathsep.join(filter(None, (SOURCE, os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path, **more}


def until(true: Callable[[], Any], seconds: float = 600.0, pause: float = 0.05, *, what: str = "") -> Any:
    """The first true answer; fails when none comes in time."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"not true within {seconds:.0f} s: {what}"
        time.sleep(pause)
    return found


def told(home: Path, *words: str) -> Any:
    """What a command says about a home, as JSON."""
    command = (*SOLOIST, *words, "--home", str(home), "--json")
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    return json.loads(done.stdout)


def token(home: Path) -> str:
    """A token that may do everything a script may."""
    words = ("token", "create", "--home", str(home), "--scope", "read,propose,approve", "--name", "test")
    made = subprocess.run((*SOLOIST, *words), env=environment(), capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def begun(words: list[str], log: Path, nursery: Nursery | None = None, **env: str) -> subprocess.Popen[bytes] | Born:
    """A process of the product with its log in a file."""
    log.touch()
    if nursery is not None:
        return nursery.start(words, log, env)
    with log.open("wb") as out:
        return subprocess.Popen((*SOLOIST, *words), stdout=out, stderr=subprocess.STDOUT, env=environment(**env))


class Served:
    """A home and at most one process that serves it, on one port for good."""

    def __init__(self, home: Path, port: int = 0, *, nursery: Nursery | None = None, **env: str) -> None:
        """``nursery`` starts it quickly; ``env`` is there at every start."""
        self.home, self.port, self.starts = home, port or free_port(), 0
        self.nursery, self.env = nursery, env
        self.process: subprocess.Popen[bytes] | Born | None = None
        self.client = httpx.Client(timeout=60)

    def start(self, *, ready: bool = True, **env: str) -> None:
        """Start the server; ``ready`` waits until it takes work."""
        self.starts += 1
        self.log = self.home.parent / f"{self.home.name}.{self.starts}.log"
        words = ["up", "--home", str(self.home), "--port", str(self.port), "--no-open"]
        self.process = begun(words, self.log, self.nursery, **self.env, **env)
        if ready:
            until(lambda: self.is_ready() or self.dead(), what="ready")
            assert not self.dead(), self.log.read_text()

    def is_ready(self) -> bool:
        try:
            return self.client.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def dead(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def ask(self, method: str, path: str, key: str, **given: Any) -> httpx.Response:
        """Ask until there is an answer, over any number of deaths."""
        url, headers = f"http://127.0.0.1:{self.port}/api/v1{path}", {"Authorization": f"Bearer {key}"}
        for _ in range(6000):
            try:
                answer = self.client.request(method, url, headers=headers, **given)
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code < 500:
                return answer
            time.sleep(0.1)
        raise AssertionError(f"{method} {path} was never answered")

    def every(self, path: str, key: str, **params: Any) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        after = ""
        while True:
            page = self.ask("GET", path, key, params={**params, "limit": 100, "after": after}).json()
            items += page["items"]
            if not page["items"] or not page["next"] or page["next"] == after:
                return items
            after = page["next"]
