"""Verdict: policy's answer to one proposal and the rule that said so; it decides nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Answer = Literal["deny", "ask", "allow"]
Mode = Literal["audit", "revert"]
RuleResult = Literal["holds", "does not hold", "error"]


@dataclass(frozen=True, slots=True)
class Weighed:
    """One rule as it was evaluated: ``detail`` is the error in plain words, or empty."""

    rule: str
    then: Answer
    result: RuleResult
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, the rule behind it ("" for the default), a sentence, and every rule that was weighed.

    ``window`` is the time in seconds in which an allowed effect can be taken back (0 unless ``mode`` is "revert");
    ``policy_version`` names the rules that were in force, so that a later change can be noticed before anything leaves.
    ``gates`` are the mandatory gates that were tripped, ``grant`` the one that opened them or allowed it, or "".
    """

    answer: Answer
    rule: str
    reason: str
    policy_version: str
    mode: Mode = "audit"
    window: float = 0.0
    trace: tuple[Weighed, ...] = ()
    grant: str = ""
    gates: tuple[str, ...] = ()
