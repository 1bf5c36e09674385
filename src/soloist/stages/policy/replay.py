"""Replay: judge stored proposals by changed rules and tell which would have gone differently; changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from soloist.kernel.verdict import Answer, Verdict
from soloist.stages.policy.decide import Rules, judge
from soloist.stages.policy.facts import Facts
from soloist.stages.policy.grants import Grant


@dataclass(frozen=True)
class Former:
    """A proposal of the past with its facts as they were, and the answer that policy gave."""

    proposal: str
    title: str
    at: str
    facts: Facts
    answer: Answer


@dataclass(frozen=True)
class Replayed:
    """One proposal of the past under other rules."""

    former: Former
    verdict: Verdict

    @property
    def differs(self) -> bool:
        """Whether it would have gone differently."""
        return self.former.answer != self.verdict.answer


def replay(rules: Rules, past: Sequence[Former], grants: Sequence[Grant] = ()) -> list[Replayed]:
    """Every proposal of the past, judged again, in the order given."""
    return [Replayed(former, judge(rules, former.facts, grants)) for former in past]
