"""What the local model costs in its worker: cold, warm, and in memory; how right it is stands in ``messages``."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from bench.figures import Figure, both
from soloist.engine.worker import Worker
from tests.story import scoring

MESSAGES = 60


def run() -> list[Figure]:
    """One worker, first without anything loaded."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    """Each message is read and classified; processor time is the child's own."""
    worker = Worker()
    started = time.perf_counter()
    await worker.call("local.warm", {}, timeout=60)
    cold = (time.perf_counter() - started) * 1000
    spent = []
    for case in scoring.cases()[:: len(scoring.cases()) // MESSAGES]:
        before = _cpu(worker.pid)
        given = {"subject": case.subject, "text": case.text, "sender_name": case.from_name, "now": scoring.NOW}
        found = await worker.call("understand", given)
        more = {"text": found["own_text"], "language": found["language"]}
        await worker.call("local.classify", {"subject": case.subject, **more})
        spent.append((_cpu(worker.pid) - before) * 1000)
    held = _resident(worker.pid)
    worker.close()
    return [
        Figure("local model, from no process to loaded", cold, "ms", "", "once a quiet minute is over"),
        Figure("local model, rules and classifier", sum(spent) / len(spent), "CPU ms/message", "< 40"),
        *both("local model, CPU by message (ticks of 10 ms)", spent),
        Figure("local model, memory of the worker", held, "MB", "< 300"),
    ]


def _cpu(pid: int | None) -> float:
    """Processor seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int | None) -> float:
    """Resident memory of a process in MB."""
    (line,) = [text for text in Path(f"/proc/{pid}/status").read_text().splitlines() if text.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
