"""Pure decision of what a message is: exact rules first, then the local model; torn ones go to the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from soloist.kernel.confidence import WHOLE, Threshold

SKILL, VERSION = "runtime.kind", "1"
"""Under which a choice is kept with the calls of a run; another choice for the same needs another version."""
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

ASKED_FROM = 0.9
"""Share of the unwanted kinds from which a message is still set aside, and shown in a list, when the operator's
decisions say that setting aside is wrong too often; below it is asked about."""
ASIDE, ANSWERED = "aside", "answered"
"""The two sides a threshold is kept for."""

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
    """The kind, and why in plain words.

    ``told`` is the kind the local model finds likeliest and ``confidence`` (0 to 10,000) how likely its side, answered
    or set aside, is; "" when no model was asked. ``look``: it is set aside, and the operator is shown it in a list.
    """

    kind: str
    rule: str
    told: str = ""
    confidence: int = 0
    look: bool = False

    @property
    def group(self) -> str:
        """The side of what was told."""
        return ASIDE if self.told in UNWANTED else ANSWERED


def soft(automatic: Mapping[str, Any] | None) -> bool:
    """Whether a sign of a machine is only the look of an address, which people at small societies share."""
    return bool(automatic) and automatic is not None and "is that of a newsletter" in str(automatic.get("why"))


def exact(kind: str, rule: str, facts: Facts) -> bool:
    """Whether the rules decided by headers or by what is known, so that no model is asked."""
    return rule.startswith(("headers:", "forward:")) or (
        (facts.known or facts.thread) and kind not in {"client", "unsure", "spam", "bulk", "automatic"}
    )


def choose(kind: str, rule: str, found: Mapping[str, Any], facts: Facts, proved: Threshold | None = None) -> Choice:
    """The kind of a message that no exact rule decided. ``found`` is what ``local.classify`` answered.

    ``proved`` is what the operator's decisions say about setting aside in this language.
    """
    chances: Mapping[str, float] = found.get("probabilities") or {}
    if not chances:
        return Choice(kind, rule)
    unwanted = sum(chances[name] for name in UNWANTED)
    told = max(chances, key=lambda name: chances[name])
    side = unwanted if told in UNWANTED else 1 - unwanted
    chosen = _chosen(kind, rule, found, facts, _least(facts, proved))
    looked = proved is not None and proved.state == "asks" and chosen.kind in UNWANTED
    return replace(chosen, told=told, confidence=round(WHOLE * min(max(side, 0.0), 1.0)), look=looked)


def given(
    kind: str, rule: str, found: Mapping[str, Any], facts: Facts, proved: Threshold | None = None
) -> dict[str, Any]:
    """What is given to ``choose``, as it is kept."""
    known = {"facts": asdict(facts), "proved": asdict(proved) if proved else None}
    return {"kind": kind, "rule": rule, "found": dict(found), **known}


def again(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The choice for what was kept."""
    proved = Threshold(**kept["proved"]) if kept["proved"] else None
    return asdict(choose(kept["kind"], kept["rule"], kept["found"], Facts(**kept["facts"]), proved))


def _least(facts: Facts, proved: Threshold | None) -> float:
    """From which share of the unwanted kinds a stranger's message makes no card."""
    usual = FROM_A_NEWSLETTER if facts.newsletter else SET_ASIDE_FROM
    if proved is None or proved.state == "uncalibrated":
        return usual
    return ASKED_FROM if proved.state == "asks" else max(proved.value / WHOLE, CARD_FROM)


def _chosen(kind: str, rule: str, found: Mapping[str, Any], facts: Facts, least: float) -> Choice:
    chances: Mapping[str, float] = found["probabilities"]
    if facts.known or facts.thread:
        return _acquaintance(kind, rule, found, chances)
    unwanted = sum(chances[name] for name in UNWANTED)
    maybe = chances["enquiry"] >= MAYBE_A_LEAD and not facts.newsletter
    if unwanted >= least and not maybe:
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
