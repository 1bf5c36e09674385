"""Faults: the closed set of what can go wrong outside and what the core does about each; adapters only name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from soloist.sdk.connector import Absent, CannotTell, Done, Fault, Found, Lookup, Outcome, Refused, Trouble

Sent = Literal["no", "yes", "maybe"]
"""Whether anything left the house."""


@dataclass(frozen=True)
class Advice:
    """One fault: what it means, whether a write with it may have left, whether it is tried again, what the core does.

    ``retry`` is "by itself" (the same bytes, after the stated pause), "by class" (only as the class of the operation
    allows), or "never" (a person or a new proposal is needed).
    """

    means: str
    sent: Sent
    retry: Literal["by itself", "by class", "never"]
    does: str


ADVICE: Mapping[Fault, Advice] = {
    "auth": Advice(
        "the sign-in was refused (401, 403, no token, no secret)",
        "no",
        "never",
        "the connector is left alone at once and one card asks you; after a new secret it goes on",
    ),
    "forbidden": Advice(
        "signed in, but not allowed to do this", "no", "never", "the same as auth: one card, nothing is repeated"
    ),
    "not_found": Advice("what it is about is not there", "no", "never", "failed, with the exact input on the card"),
    "conflict": Advice(
        "the thing changed meanwhile (409, 412)",
        "maybe",
        "by class",
        "class A and B look it up, for it may be our own write; else it is proposed anew, with a new approval",
    ),
    "invalid": Advice("our request is wrong", "no", "never", "failed, with the exact input on the card"),
    "rejected": Advice(
        "the other side says no (declined, bounced)", "no", "never", "failed, with its words on the card"
    ),
    "rate_limited": Advice(
        "too many calls",
        "no",
        "by itself",
        "everything with this credential waits as long as was asked; what you just decided goes first; not counted",
    ),
    "unavailable": Advice(
        "not reached, or not able to answer",
        "no",
        "by itself",
        "tried again after a growing pause; five in a row and the connector is left alone for a while",
    ),
    "outcome_unknown": Advice(
        "no trustworthy answer came",
        "maybe",
        "by class",
        "A: the same key again inside its window; B: looked up twice, a lag apart; B' and C: a card for you",
    ),
    "protocol_drift": Advice(
        "the answer is not of the shape we know",
        "maybe",
        "by class",
        "a write is of unknown outcome; of reading only this stream or list stops, and nothing is concluded from it",
    ),
    "bug": Advice(
        "the adapter itself failed", "maybe", "by class", "a write is of unknown outcome; the failure is on the board"
    ),
}
"""What follows from each fault; the core decides it, never an adapter."""

FAULTS: frozenset[str] = frozenset(get_args(Fault))


def fault_of(outcome: Outcome | Lookup | Trouble) -> tuple[Fault, Sent] | None:
    """The fault of a failed outcome, look-up or trouble, and whether anything left; None for what worked."""
    if isinstance(outcome, Done | Found | Absent):
        return None
    if isinstance(outcome, Trouble):
        sent: Sent = "yes" if outcome.sent == "yes" else "maybe" if outcome.sent == "maybe" else "no"
        return outcome.fault, sent
    if isinstance(outcome, CannotTell):
        return "unavailable", "no"
    if not isinstance(outcome, Refused):
        return "outcome_unknown", "maybe"
    if outcome.auth:
        return "auth", "no"
    if outcome.limited:
        return "rate_limited", "no"
    return ("rejected" if outcome.retry_after is None else "unavailable"), "no"
