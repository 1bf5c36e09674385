"""Verdict: policy's answer to one proposal and the rule that said so; it decides nothing by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Answer = Literal["deny", "ask", "allow"]
Mode = Literal["audit", "revert"]
RuleResult = Literal["holds", "does not hold", "error"]


DOUBTFUL: Mapping[str, str] = {
    "recipient": "a new recipient",
    "account": "a number of an account or a card",
    "amount": "an amount",
    "url": "an address on the web",
    "path": "a file",
    "tool": "a tool",
    "thread": "the id of another message",
    "id": "something by its id",
    "time": "a date or time",
    "value": "a value that steers what happens",
    "link": "a link to a new host",
    "query": "a link that carries data",
    "guarded": "who somebody is, how they are reached or how they are paid",
}
"""What a doubtful value is, in words; the last three are found in fields of text."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A value that no trusted source names: its place, what it is, and where it was found outside (id and words)."""

    place: str
    sort: str
    value: str
    ref: str = ""
    told: str = ""

    @property
    def words(self) -> str:
        """The value and its source, in words: 'a new recipient: x@y.example (from the letter of ...)'."""
        return f"{DOUBTFUL[self.sort]}: {self.value}{f' (it stands in {self.told})' if self.told else ''}"


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
    ``gates`` are the mandatory gates that were tripped, ``grant`` the one that opened them or allowed it, or "";
    ``doubts`` are the values from outside that nothing but a person lets go.
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
    doubts: tuple[Doubt, ...] = ()
