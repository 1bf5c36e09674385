"""Twenty agents at once, kills and forks, against a provider that bills: caps hold, nothing is lost from sight."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from soloist.engine.store import migrate
from soloist.engine.store.base import sqlite_url
from tests.stages.models.conftest import provider_module
from tests.storm.size import scale

pytestmark = pytest.mark.storm
TRIALS = scale(200, 4)
MODES = ("plain", "above the worst", "unknown price", "no usage")
ABOVE = 3 * 4 * 120
"""Millionths by which a bill in the mode "above the worst" may exceed the worst case: three times 120 tokens more."""
ROOT = Path(__file__).parents[2]


class Billing(provider_module.Provider):  # type: ignore[name-defined,misc]  # loaded by its file
    """Bills each trial (part of the path) apart: a token a byte at worst, now and then without a word of usage.

    In the mode "above the worst" an answer is two to four times as long as was allowed, in "no usage" none says what it
    came to. It kills a process in the call that its text names, after it has billed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bills: dict[str, list[int]] = {}
        self.agents: dict[tuple[str, str], list[int]] = {}
        self.n = 0
        self.calls: dict[int, int] = {}

    def answer(self, body: dict[str, Any], path: str = "") -> tuple[int, dict[str, Any]]:
        trial = path.split("/")[1]
        if trial == "warm":
            return 500, {"error": {"message": "later"}}
        with self.lock:
            self.n += 1
            n = self.n
        if n % 17 == 0:
            return 500, {"error": {"message": "later"}}
        time.sleep(0.06)
        mode = MODES[int(trial[1:]) % len(MODES)]
        above = mode == "above the worst"
        tokens = (
            len(json.dumps(body["messages"], ensure_ascii=False).encode()) // (1 + n % 4),
            120 * (2 + n % 3) if above else 20 + n % 100,
        )
        who, _root, _n, dies, pid = body["messages"][-1]["content"].split()[:5]
        with self.lock:
            for bill in (self.bills.setdefault(trial, [0, 0]), self.agents.setdefault((trial, who), [0, 0])):
                bill[0] += tokens[0]
                bill[1] += tokens[1]
            self.calls[int(pid)] = self.calls.get(int(pid), 0) + 1
            if dies == f"k{self.calls[int(pid)]}":
                os.kill(int(pid), signal.SIGKILL)
        whole: dict[str, Any] = {"id": "x", "object": "chat.completion", "created": 1, "model": "metered"}
        message = {"role": "assistant", "content": "Fine."}
        whole["choices"] = [{"index": 0, "finish_reason": "stop", "message": message}]
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
        return 200, {**whole, **({"usage": usage} if above or (n % 5 and mode != "no usage") else {})}


def billed(bill: list[int]) -> int:
    """What the provider wants for it: 1 and 4 EUR for a million tokens, in millionths."""
    return bill[0] + 4 * bill[1]


def test_no_cap_is_passed_by_more_than_one_calls_difference(tmp_path: Path) -> None:
    migrate.prepare(sqlite_url(tmp_path / "template.db"), tmp_path)
    provider = Billing()
    with provider_module.serving(provider):
        told = {"trials": TRIALS, "modes": MODES, "seed": 7, "url": provider.url}
        told |= {"folder": str(tmp_path), "template": str(tmp_path / "template.db")}
        program = [sys.executable, str(ROOT / "tests/storm/spenders.py"), json.dumps(told)]
        paths = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
        done = subprocess.run(program, capture_output=True, text=True, check=False, env=paths)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == TRIALS, done.stderr
    overshoot = [billed(provider.bills.get(f"t{row['trial']}", [0, 0])) - row["cap"] for row in rows]
    # What a model bills above the worst case of a call that a death leaves open was never said to anybody.
    unsaid = [ABOVE * row["lost"] if row["mode"] == "above the worst" else 0 for row in rows]
    unseen = [
        billed(provider.bills.get(f"t{row['trial']}", [0, 0])) - row["spent"] - row["held"] - more
        for row, more in zip(rows, unsaid, strict=True)
    ]
    by_agent = [billed(bill) - rows[int(trial[1:])]["cap"] // 8 for (trial, _), bill in provider.agents.items()]
    print(
        f"spend: {TRIALS} trials, 20 agents at once, {sum(bool(row['lost']) for row in rows)} kills in an open "
        f"call, {sum(row['answered'] for row in rows)} calls answered, "
        f"{sum(row['lost'] for row in rows)} lost by kills, {sum(row['refused'] for row in rows)} refused; "
        f"most over the house's cap {max(overshoot)} millionths, over an agent's {max(by_agent)}, "
        f"calls after a stop {sum(row['late'] for row in rows)}, bill that the books do not know {max(unseen)}"
    )
    assert [row["ended"] for row in rows if row["ended"] not in (137, -signal.SIGKILL)] == []
    assert [row["trial"] for row in rows if not row["lost"]] == [], "a kill that hit no open call"
    for row, over, more in zip(rows, overshoot, unsaid, strict=True):
        assert over <= row["settle_over"] + more, row
    assert max(by_agent) <= max(row["settle_over"] for row in rows)
    assert [row["late"] for row in rows] == [0] * TRIALS
    assert [row["held"] for row in rows] == [0] * TRIALS
    assert max(unseen) <= 0
