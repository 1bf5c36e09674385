"""What a benchmark answers, and the small statistics it needs; measures nothing itself."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the table: ``target`` is the words of the aim ("" for a figure that is only shown)."""

    name: str
    value: float
    unit: str
    target: str = ""
    note: str = ""

    @property
    def met(self) -> str:
        """ "yes" or "no" for a target like "< 50" or ">= 0.5", "" without one."""
        if not self.target:
            return ""
        sign, limit = self.target.split()
        return "yes" if (self.value < float(limit) if sign == "<" else self.value >= float(limit)) else "no"


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def both(name: str, milliseconds: Sequence[float], *, p50: str = "", p95: str = "", note: str = "") -> list[Figure]:
    """The p50 and p95 of a series in milliseconds as two figures, with the targets given."""
    counted = f"{len(milliseconds)} times" + (f"; {note}" if note else "")
    return [
        Figure(f"{name} p50", quantile(milliseconds, 0.5), "ms", p50, counted),
        Figure(f"{name} p95", quantile(milliseconds, 0.95), "ms", p95, counted),
    ]


def memory(process: int | str = "self") -> float:
    """Resident memory of a process in MB, read from /proc."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(process: int | str = "self") -> float:
    """User and system seconds that a process has used, in steps of 10 ms, read from /proc."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Stopwatch:
    """Wall and CPU seconds of a ``with`` block, of all threads of this process."""

    def __enter__(self) -> Stopwatch:
        """Begin."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        """End: ``wall`` and ``cpu`` are in seconds."""
        self.wall, self.cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
