"""Models: tiers, what can go wrong with a call and what follows from it, and an answer; it calls nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Tier = Literal[0, 1, 2, 3, 4]
TIERS: Mapping[int, str] = {
    0: "rules",
    1: "local decision",
    2: "local model",
    3: "hosted small model",
    4: "hosted large model",
}
Fault = Literal[
    "transient",
    "rate_limited",
    "unreachable",
    "timeout",
    "refused",
    "too_long",
    "malformed",
    "unauthorised",
    "forbidden_tool",
    "looping",
    "cap",
    "not_configured",
]
Next = Literal["again", "smaller", "shorten", "repair", "other", "wait", "operator"]
AFTER: Mapping[str, tuple[Next, ...]] = {
    "transient": ("again", "smaller", "operator"),
    "rate_limited": ("smaller", "wait", "operator"),
    "unreachable": ("again", "other", "operator"),
    "timeout": ("smaller", "operator"),
    "refused": ("other", "operator"),
    "too_long": ("shorten", "other", "operator"),
    "malformed": ("repair", "other", "operator"),
    "unauthorised": ("other", "operator"),
    "forbidden_tool": ("repair", "operator"),
    "looping": ("other", "operator"),
    "cap": ("operator",),
    "not_configured": ("operator",),
}
"""What is tried after each fault, in order, each once for a call; smaller and other while there are any left."""


@dataclass(frozen=True)
class Price:
    """Micro (millionths of the currency's unit) for a million tokens; ``source`` says where it is from.

    ``known`` is False when nobody knows the price of the model: then it is that of the most expensive known one.
    """

    currency: str
    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    known: bool = True
    source: str = ""


@dataclass(frozen=True)
class Answer:
    """What a model said: ``value`` as JSON, who wrote it ("provider/model" or "by hand"), whether it was recorded."""

    value: Any
    author: str
    recorded: bool = False
    call: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micro: int = 0
    currency: str = "EUR"
    notes: tuple[str, ...] = field(default=())
