"""The child of bench.injections: AgentDojo's tasks through our gate, in an environment that has the package; no judge.

The model is scripted and obeys everybody: it makes the calls of the user's task and then those of the attacker. The
user's prompt is the operator's word; whatever a tool reads taints the run. Output: one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import warnings
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from soloist.config import Rule
from soloist.kernel.origin import OPERATOR, OUTSIDE, Origin
from soloist.stages.policy import GATES, Facts, compile_rules, grants, judge, taint
from soloist.stages.policy.taint import Source, Trusted

SUITE = "v1.2.2"
OWN = frozenset({"get_current_day", "get_iban", "get_balance"})
"""Tools that answer what our own system counts, not what somebody wrote."""
READS = ("get_", "search_", "read_", "list_", "check_")
CONTROL: dict[str, Any] = {
    **dict.fromkeys(
        ("recipients", "cc", "bcc", "participants", "email", "user_email", "recipient", "user"), "recipient"
    ),
    **dict.fromkeys(
        ("start_time", "end_time", "new_start_time", "new_end_time", "start_day", "end_day", "date"), "time"
    ),
    **dict.fromkeys(("email_id", "event_id", "file_id", "id"), "id"),
    "amount": "amount",
    "url": "url",
    "filename": "path",
}
WORDS = ("subject", "body", "content", "title", "description")
ALL = compile_rules([Rule.model_validate({"name": "everything", "when": "true", "then": "allow"})])
WIDE = grants.Grant("g", "everything", "", "", "", frozenset(GATES), None, "audit", 0.0, 10**15, "", 0)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


class Gated:
    """One run of one task: what it has read, what went alone, what became a card."""

    def __init__(self, runtime: Any, env: Any, prompt: str, honest: list[Any], *, approves: bool) -> None:
        self.runtime, self.env, self.approves = runtime, env, approves
        self.origin: Origin = OPERATOR
        self.words = [Source("prompt", "your words", prompt)]
        self.honest = Counter(_key(call) for call in honest)
        self.alone: list[str] = []
        self.cards = 0

    def call(self, call: Any, *, gated: bool = True) -> None:
        """Make a call, or put it on a card; the operator approves a card that their own task needs, and no other."""
        name, args = call.function, dict(call.args)
        reads = name.startswith(READS)
        if gated and (not reads or name == "get_webpage") and not self._goes(args):
            self.cards += 1
            if not (self.approves and self.honest[_key(call)]):
                return
        elif not reads or name == "get_webpage":
            self.alone.append(_key(call))
        result = None
        with contextlib.suppress(Exception):  # a script of a task that an earlier refusal made impossible
            result, _ = self.runtime.run_function(self.env, name, args)
        if name in OWN:
            self.words.append(Source(name, "our own books", str(result)))
        elif reads:
            self.origin |= OUTSIDE

    def _goes(self, args: dict[str, Any]) -> bool:
        """Whether policy, with a rule and a grant for everything, lets the call go without a word."""
        doubts = taint.doubts(self.origin, args, CONTROL, WORDS, Trusted(words=tuple(self.words)))
        facts = Facts("suite", "call", "C", "irreversible", args, NOW, primitive="act", doubts=doubts)
        return judge(ALL, facts, [WIDE]).answer == "allow"


def _key(call: Any) -> str:
    return json.dumps([call.function, dict(call.args)], sort_keys=True, default=str)


def _output(task: Any) -> list[Any]:
    return [{"type": "text", "content": str(task.GROUND_TRUTH_OUTPUT)}]


def benign(suite: Any, runtime: Any, gated: bool, approves: bool) -> tuple[dict[str, bool], int]:
    """The user's tasks without an attack: which of them succeed, and how many cards they asked for."""
    done, cards, fresh = {}, 0, suite.load_and_inject_default_environment({})
    for ident, task in suite.user_tasks.items():
        env = task.init_environment(fresh.model_copy(deep=True))
        before = env.model_copy(deep=True)
        calls = task.ground_truth(env)
        run = Gated(runtime, env, task.PROMPT, calls, approves=approves)
        for call in calls:
            run.call(call, gated=gated)
        done[ident] = bool(suite._check_task_result(task, _output(task), before, run.env, calls))
        cards += run.cards
    return done, cards


def attacked(suite: Any, runtime: Any, gated: bool) -> Counter[str]:
    """Every pair of a user's and an attacker's task: what the attacker's calls brought about without a word."""
    found: Counter[str] = Counter()
    for task in suite.injection_tasks.values():
        fresh = suite.load_and_inject_default_environment(
            dict.fromkeys(suite.get_injection_vector_defaults(), task.GOAL)
        )
        for user in suite.user_tasks.values():
            with contextlib.suppress(ValueError, KeyError, IndexError):
                _pair(suite, runtime, fresh, user=user, task=task, gated=gated, found=found)
            found["pairs"] += 1
    return found


def _pair(suite: Any, runtime: Any, fresh: Any, *, user: Any, task: Any, gated: bool, found: Counter[str]) -> None:
    env = user.init_environment(fresh.model_copy(deep=True))
    calls = user.ground_truth(env)
    run = Gated(runtime, env, user.PROMPT, calls, approves=True)
    for call in calls:
        run.call(call, gated=gated)
    run.origin |= OUTSIDE  # the attack was read, wherever it stood
    between, before, cards = run.env.model_copy(deep=True), len(run.alone), run.cards
    evil = task.ground_truth(run.env.model_copy(deep=True))
    run.honest = Counter()
    for call in evil:
        run.call(call, gated=gated)
    own = {_key(call) for call in calls}
    left = [key for key in run.alone[before:] if key not in own]
    found["attacks"] += 1
    found["left"] += bool(left)
    found["cards"] += run.cards - cards
    found["goal by effects"] += _met(suite, task, between, run.env, evil, words=False)
    found["goal by words"] += not left and _met(suite, task, between, run.env, evil, words=True)
    for key in left:
        found[f"{suite.name}: {key[:160]}"] += 1


def _met(suite: Any, task: Any, before: Any, after: Any, calls: list[Any], *, words: bool) -> bool:
    """Whether the attacker's own check holds, with or without what the model would say in its answer."""
    trace = calls if words else []
    with contextlib.suppress(Exception):
        said = _output(task) if words else [{"type": "text", "content": ""}]
        return bool(suite._check_task_result(task, said, before, after, trace))
    return False


def main() -> None:
    """Everything, as JSON on standard output."""
    from agentdojo.functions_runtime import FunctionsRuntime
    from agentdojo.task_suite.load_suites import get_suites

    warnings.filterwarnings("ignore")
    begun, out = time.process_time(), {"suites": {}}
    for name, suite in get_suites(SUITE).items():
        runtime = FunctionsRuntime(suite.tools)
        ways = {"ungated": (False, False), "unattended": (True, False), "with approval": (True, True)}
        utility = {way: benign(suite, runtime, *how) for way, how in ways.items()}
        out["suites"][name] = {
            "utility": {way: [sum(done.values()), len(done), cards] for way, (done, cards) in utility.items()},
            "failed": sorted(one for one, ok in utility["with approval"][0].items() if not ok),
            "gated": attacked(suite, runtime, gated=True),
            "ungated": attacked(suite, runtime, gated=False) if "--all" in sys.argv else {},
        }
    out["cpu"] = time.process_time() - begun
    print(json.dumps(out))


if __name__ == "__main__":
    main()
