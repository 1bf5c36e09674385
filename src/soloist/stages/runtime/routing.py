"""Pure decision of what a message wants: two gates on what the local router told; whoever is not sure says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from soloist.kernel.confidence import WHOLE, Threshold

SKILL = "intent"
SURE_FROM = 7_000
"""Calibrated confidence from which an intent is taken while the operator's decisions prove nothing yet."""
OPERATOR = ""
"""The answer of whoever is not sure."""


@dataclass(frozen=True)
class Routed:
    """What a message wants: an intent, or "" for the operator, and why. ``by`` names who told it.

    ``told`` is the likeliest intent even when it is not sure enough, ``confidence`` (0 to 10,000) the router's own
    calibrated one; a language model has none, since what it says of itself is no measure.
    """

    intent: str
    why: str
    by: str = ""
    how: str = ""
    told: str = ""
    confidence: int = 0
    probabilities: Mapping[str, float] = field(default_factory=dict)


def route(found: Mapping[str, Any], proved: Threshold | None = None) -> Routed:
    """Both gates: it is like the examples at all, and it is sure enough. ``found`` is what ``local.intent`` told."""
    chances: Mapping[str, float] = found.get("probabilities") or {}
    by = str(found.get("model") or "")
    if not chances:
        why = str(found.get("trouble") or "") or "Your examples do not tell this language apart well enough yet."
        return Routed(OPERATOR, why, by)
    told = max(sorted(chances), key=lambda name: chances[name])
    confidence = round(WHOLE * chances[told])
    how = str(found.get("how") or "")
    held = Routed(OPERATOR, "It is unlike every example.", by, how, told, confidence, chances)
    if not found.get("in_scope"):
        return held
    if why := unsure(confidence, proved or Threshold()):
        return replace(held, why=why)
    words = "means the same as" if how == "meaning" else "reads like"
    return replace(held, intent=told, why=f"It {words} your examples.")


def unsure(confidence: int, proved: Threshold) -> str:
    """Why an intent of this confidence is not taken, "" when it is."""
    if proved.state == "asks":
        return "Your decisions say that this is wrong too often, so it asks you."
    if confidence < (proved.value if proved.state == "alone" else SURE_FROM):
        return "It is like several of your intents, or only a little like one."
    return ""
