"""How long `soloist up` takes on a home that is there, what `--help` takes, and what an idle server costs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median

from bench import world
from bench.figures import Figure, cpu_seconds, memory

SOLOIST = (sys.executable, "-m", "soloist")
STARTS = 3
IDLE = 10.0
"""Seconds after the start at which memory is read; the CPU is watched for as long again."""


def run() -> list[Figure]:
    """Real processes; the first start of all, which makes the home, is not counted."""
    with world.folder() as home:
        _once(home)
        starts = [_once(home) for _ in range(STARTS)]
        pages, ready, spent = zip(*starts, strict=True)
        resident, idle = _idle(home)
    wall, cpu = zip(*(_help() for _ in range(7)), strict=True)
    note = f"{STARTS} starts, at most {max(pages):.2f} s; {median(spent):.2f} s CPU"
    return [
        Figure("soloist up to the first page", median(pages), "s", "< 3", note),
        Figure("soloist up to ready", median(ready), "s", "", "/readyz answers 200: engine launched"),
        Figure("soloist --help", median(wall), "s", "< 0.3", f"7 times; {median(cpu):.2f} s CPU"),
        Figure("memory of an idle server", resident, "MB", "< 150", f"resident, {IDLE:.0f} s after the start"),
        Figure("CPU of an idle server", idle, "% of a core", "", f"over {IDLE:.0f} s"),
    ]


def _once(home: Path) -> tuple[float, float, float]:
    """Seconds to the sign-in page and to readiness, and the CPU seconds that the page took."""
    process, port, begun = _up(home)
    try:
        page = _answers(process, f"http://localhost:{port}/signin", begun)
        spent = cpu_seconds(process.pid)
        return page, _answers(process, f"http://localhost:{port}/readyz", begun), spent
    finally:
        _end(process)


def _up(home: Path) -> tuple[subprocess.Popen[bytes], int, float]:
    """A server process, its port, and when it was begun."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = (*SOLOIST, "up", "--home", str(home), "--port", str(port), "--no-open")
    begun = time.perf_counter()
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), port, begun


def _answers(process: subprocess.Popen[bytes], address: str, begun: float) -> float:
    """Seconds until an address answers 200, asked every 10 ms."""
    while time.perf_counter() - begun < 60:
        if process.poll() is not None:
            raise ChildProcessError("the server ended while it started")
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                if answer.status == 200:
                    return time.perf_counter() - begun
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    raise TimeoutError(f"{address} did not answer within a minute")


def _idle(home: Path) -> tuple[float, float]:
    """Resident MB of the server's own process, and percent of a core, when nothing is to be done."""
    process, port, begun = _up(home)
    try:
        _answers(process, f"http://localhost:{port}/readyz", begun)
        time.sleep(IDLE)
        resident, before = memory(process.pid), cpu_seconds(process.pid)
        time.sleep(IDLE)
        return resident, (cpu_seconds(process.pid) - before) / IDLE * 100
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server as an operator does."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _help() -> tuple[float, float]:
    """Seconds of one `--help`, and its CPU seconds."""
    begun, used = time.perf_counter(), sum(os.times()[2:4])
    subprocess.run((*SOLOIST, "--help"), stdout=subprocess.DEVNULL, check=True, env={**os.environ, "TERM": "dumb"})
    return time.perf_counter() - begun, sum(os.times()[2:4]) - used
