"""Pure decision of what a message is: exact rules first, then the local model; torn ones go to the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNWANTED = ("bulk", "automatic", "spam")
WANTED = ("enquiry", "client", "support", "billing", "scheduling")
FROM_ACQUAINTANCES = ("client", "support", "billing", "scheduling", "enquiry")

SET_ASIDE_FROM = 0.55
"""Share of the unwanted kinds from which a stranger's message makes no card, unless MAYBE_A_LEAD speaks against it."""
MAYBE_A_LEAD = 0.22
"""Share of "enquiry" from which a stranger's message is answered although most of it reads unwanted.

Both were chosen on 480 messages that were written apart and were not learned from at that time.
"""
FROM_STRANGERS = 2.0
"""Weight of "enquiry" against the other wanted kinds: a stranger seldom writes about an invoice or a date of ours."""
FROM_A_NEWSLETTER = 0.45
"""The same where the sender's address is that of a newsletter."""
CARD_FROM = 0.35
"""Share of the unwanted kinds below which a stranger's message is taken for what it reads like."""
STILL_A_LEAD = 0.12
"""Share of "enquiry" from which a torn message is answered like one: a lead that is missed costs most."""
CLEAR = 0.5
"""Share of the first kind below which an acquaintance's message keeps what the rules said, and below which a message
unlike all examples is not guessed."""

_NAMES = {
    "enquiry": "an enquiry",
    "client": "an acquaintance's message",
    "support": "a request for help",
    "billing": "a message about money",
    "scheduling": "a message about a date",
    "bulk": "a mailing to many",
    "automatic": "a machine's message",
    "spam": "a sales pitch or a fraud",
    "other": "a personal message",
}


@dataclass(frozen=True)
class Facts:
    """What is known around a message: its sender is a client, its thread is ours, its address is a newsletter's."""

    known: bool = False
    thread: bool = False
    newsletter: bool = False


@dataclass(frozen=True)
class Choice:
    """The kind, and why in plain words."""

    kind: str
    rule: str


def soft(automatic: Mapping[str, Any] | None) -> bool:
    """Whether a sign of a machine is only the look of an address, which people at small societies share."""
    return bool(automatic) and automatic is not None and "is that of a newsletter" in str(automatic.get("why"))


def exact(kind: str, rule: str, facts: Facts) -> bool:
    """Whether the rules decided by headers or by what is known, so that no model is asked."""
    return rule.startswith(("headers:", "forward:")) or (
        (facts.known or facts.thread) and kind not in {"client", "unsure", "spam", "bulk", "automatic"}
    )


def choose(kind: str, rule: str, found: Mapping[str, Any], facts: Facts) -> Choice:
    """The kind of a message that no exact rule decided. ``found`` is what ``local.classify`` answered."""
    chances: Mapping[str, float] = found.get("probabilities") or {}
    if not chances:
        return Choice(kind, rule)
    if facts.known or facts.thread:
        return _acquaintance(kind, rule, found, chances)
    unwanted = sum(chances[name] for name in UNWANTED)
    maybe = chances["enquiry"] >= MAYBE_A_LEAD and not facts.newsletter
    if unwanted >= (FROM_A_NEWSLETTER if facts.newsletter else SET_ASIDE_FROM) and not maybe:
        first = max(UNWANTED, key=lambda name: chances[name])
        return Choice(first, _said(found, first))
    if unwanted >= CARD_FROM:
        return Choice("enquiry" if chances["enquiry"] >= STILL_A_LEAD else "unsure", _torn(found, chances))
    if chances["other"] >= max(chances[name] for name in WANTED):
        return Choice("unsure", _said(found, "other"))
    best = max(WANTED, key=lambda name: chances[name] * (FROM_STRANGERS if name == "enquiry" else 1.0))
    if not found["in_scope"] and best != kind and chances[best] < CLEAR:
        return Choice("unsure", f"{_said(found, best)}, but it is unlike all that was learned")
    return Choice(best, _said(found, best))


def _acquaintance(kind: str, rule: str, found: Mapping[str, Any], chances: Mapping[str, float]) -> Choice:
    """A client's or an answered person's message always makes a card; only what it is about is open."""
    best = max(FROM_ACQUAINTANCES, key=lambda name: chances[name])
    if chances[best] >= CLEAR and kind in {"client", "unsure"}:
        return Choice(best, _said(found, best))
    if kind in {"unsure", "spam", "bulk", "automatic"}:
        return Choice("client", rule)
    return Choice(kind, rule)


def _said(found: Mapping[str, Any], first: str) -> str:
    """What decided, and the example it is close to."""
    near = found.get("nearest")
    like = f", like “{near['text']}”" if near and near["label"] == first and near["likeness"] > 0.5 else ""
    return f"classifier {found['model']}: reads like {_NAMES[first]}{like}"


def _torn(found: Mapping[str, Any], chances: Mapping[str, float]) -> str:
    """Both things a message reads like."""
    wanted = max((*WANTED, "other"), key=lambda name: chances[name])
    unwanted = max(UNWANTED, key=lambda name: chances[name])
    return f"classifier {found['model']}: reads like {_NAMES[wanted]}, but also like {_NAMES[unwanted]}"
