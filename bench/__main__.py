"""`python -m bench [name ...]`: run the benchmarks, each in a process of its own, and print what they found."""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from bench.figures import Figure

NAMES = (
    *("accept", "wake", "start", "size", "lists", "parked", "console", "search", "messages", "local", "backfill"),
    *("effect", "erase", "growth", "identity", "takeover", "memory_scale", "memory_quality", "memory_peer"),
    *("invoices", "meetings", "injections", "intents", "replay", "agents", "day"),
)
LIMIT = 170.0
"""Seconds of a machine with nothing else to do after which a benchmark is given up, so that all of them end."""
LONG = {"memory_scale": 400.0, "memory_quality": 400.0, "injections": 400.0, "intents": 600.0, "replay": 400.0}
SLICE, SLOWEST = 5.0, 8.0
"""How often is looked, in seconds; how many times as long a busy machine may take at most."""


def main() -> int:
    """Always 0: a figure that misses its target is something to look at, not a failure."""
    if sys.argv[1:2] == ["--child"]:
        for figure in importlib.import_module(f"bench.{sys.argv[2]}").run():
            print(json.dumps(asdict(figure)))
        return 0
    chosen = sys.argv[1:] or list(NAMES)
    if unknown := sorted(set(chosen) - set(NAMES)):
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(NAMES)}.")
        return 0
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {_load()}")
    found = [figure for name in chosen for figure in _measured(name)]
    print()
    print("\n".join(json.dumps(asdict(figure)) for figure in found))
    return 0


def _measured(name: str) -> list[Figure]:
    """Run one benchmark, print its part of the table, answer its figures (none when it did not finish)."""
    begun, cpu = time.perf_counter(), sum(os.times()[2:4])
    command = (sys.executable, "-m", "bench", "--child", name)
    said, trouble = _answer(command, LONG.get(name, LIMIT))
    if trouble:
        print(f"\n{name}: did not finish ({trouble}); what it said is above")
        return []
    figures = [Figure(**json.loads(line)) for line in said.splitlines() if line.startswith("{")]
    used = sum(os.times()[2:4]) - cpu
    print(f"\n{name} ({time.perf_counter() - begun:.0f} s, {used:.0f} s CPU, {_load()})")
    for figure in figures:
        target = f"{figure.target:>8} {figure.met:<3}" if figure.target else " " * 12
        print(
            f"  {figure.name:<52}{figure.value:>10,.2f} {figure.unit:<12}{target}  {figure.note}".rstrip(), flush=True
        )
    return figures


def _answer(command: Sequence[str], limit: float) -> tuple[str, str]:
    """What a program printed, and why it came to no good end; time that others had of the machine counts for less."""
    used = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        while True:
            try:
                said, _ = child.communicate(timeout=SLICE)
            except subprocess.TimeoutExpired:
                used += SLICE / min(SLOWEST, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))
                if used < limit:
                    continue
                child.kill()
                return "", f"it took more than {limit:.0f} seconds of its own"
            return said, f"it ended with {child.returncode}" if child.returncode else ""


def _load() -> str:
    """The load average of the machine, which says how far to trust a wall-clock figure."""
    return "load average " + " ".join(f"{value:.1f}" for value in os.getloadavg())


if __name__ == "__main__":
    raise SystemExit(main())
