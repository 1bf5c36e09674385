"""Confidence: from which measured confidence on answers are right often enough; pure figures, nobody's own estimate.

Confidences are whole numbers of 0 to 10,000; they are what a calibrated classifier found, never what a model said of
itself. Shares and bounds are the same, so that they are kept exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["uncalibrated", "alone", "asks"]
"""Too few of the operator's decisions; proved from ``value`` on; measured, and not right often enough."""
WHOLE = 10_000
"""A confidence, share or bound of 1."""
ONE_SIDED = 1.6448536269514722
"""The 95 % quantile of the normal distribution."""
FEWEST = 30
"""Decisions below which nothing is proved, whatever the figures say."""


@dataclass(frozen=True)
class Label:
    """One decision of the operator on an answer: its confidence, and whether it was right."""

    confidence: int
    right: bool


@dataclass(frozen=True)
class Threshold:
    """From which confidence on a skill may go alone: those at or above ``value`` were right in ``right`` of ``labels``.

    ``bound`` is the lower end of what their share can be with 95 % certainty; ``more`` is how many further right
    decisions are missing; ``of`` counts all decisions there are, above and below.
    """

    state: State = "uncalibrated"
    value: int = WHOLE
    labels: int = 0
    right: int = 0
    bound: int = 0
    more: int = 0
    of: int = 0

    def passes(self, confidence: int) -> bool:
        """Whether an answer of this confidence may go alone by what was proved."""
        return self.state == "alone" and confidence >= self.value


_NO_ANSWER = frozenset({"bulk", "automatic", "spam", "other"})


def alike(told: str, said: str) -> bool:
    """Whether what was told of a message and what the operator said come to the same: nobody answers four kinds."""
    return told == said or {told, said} <= _NO_ANSWER


def wilson_lower(right: int, of: int, z: float = ONE_SIDED) -> float:
    """The lower end of Wilson's interval for a share, 0 without any case."""
    return _wilson(right, of, -z) if of > 0 else 0.0


def wilson_upper(right: int, of: int, z: float = ONE_SIDED) -> float:
    """The upper end, 1 without any case."""
    return _wilson(right, of, z) if of > 0 else 1.0


def _wilson(right: int, of: int, z: float) -> float:
    share = right / of
    middle = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle + spread) / (1 + z * z / of)


def threshold(labels: Sequence[Label], target: float) -> Threshold:
    """The largest set, from the most confident down, whose lower bound meets the target (0 to 1).

    Answers of one confidence are in or out together. Without such a set: "uncalibrated" while a row of right decisions
    could still prove it soon, "asks" when what is known speaks against it.
    """
    ordered = sorted(labels, key=lambda one: -one.confidence)
    best, right = Threshold(of=len(ordered)), 0
    for number, label in enumerate(ordered, 1):
        right += label.right
        last = number == len(ordered) or ordered[number].confidence != label.confidence
        if last and number >= FEWEST and wilson_lower(right, number) >= target:
            best = Threshold(
                "alone", label.confidence, number, right, _whole(wilson_lower(right, number)), 0, len(ordered)
            )
    if best.state == "alone":
        return best
    right = sum(label.right for label in ordered)
    bound = _whole(wilson_lower(right, len(ordered)))
    against = len(ordered) >= FEWEST and wilson_upper(right, len(ordered)) < target
    state: State = "asks" if against else "uncalibrated"
    return Threshold(state, WHOLE, len(ordered), right, bound, missing(right, len(ordered), target), len(ordered))


def missing(right: int, of: int, target: float) -> int:
    """How many further decisions, all right, would lift the lower bound over the target; at most 9,999."""
    for more in range(WHOLE):
        if of + more >= FEWEST and wilson_lower(right + more, of + more) >= target:
            return more
    return WHOLE - 1


def drifted(proved: Threshold, right: int, of: int) -> bool:
    """Whether what was looked at later is worse than chance explains: even its upper bound is below what was proved."""
    return proved.state == "alone" and of > 0 and wilson_upper(right, of) < proved.bound / WHOLE


def _whole(share: float) -> int:
    return int(share * WHOLE)
