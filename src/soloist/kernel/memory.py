"""Memory's nouns: tiers with their lifetime and write rule, trust, and an item that is about to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Tier = Literal["ephemeral", "working", "session", "canonical"]
Trust = Literal["confirmed", "rule", "unverified"]

DAY = 86_400


@dataclass(frozen=True)
class TierRule:
    """How long a tier lives (seconds, 0 for always), whether it gets vectors, who may write it, in words."""

    lifetime: int
    vectors: bool
    writers: frozenset[str]
    rule: str


TIERS: Mapping[str, TierRule] = {
    "ephemeral": TierRule(
        DAY, False, frozenset({"system", "agent", "operator"}), "belongs to one run and ends with it"
    ),
    "working": TierRule(
        7 * DAY,
        True,
        frozenset({"system", "agent", "operator"}),
        "what a working session is about; closed or carried over",
    ),
    "session": TierRule(
        90 * DAY,
        True,
        frozenset({"system", "agent", "operator", "outside"}),
        "what was said and done lately, and its summaries",
    ),
    "canonical": TierRule(
        0, True, frozenset({"operator", "rule"}), "kept for good; written on a person's word or by a rule"
    ),
}
TRUSTS: tuple[str, ...] = ("confirmed", "rule", "unverified")


@dataclass(frozen=True)
class NewMemory:
    """An item before it is written.

    ``scope`` names what it belongs to ("" for the whole house), ``ref`` the thing it stands for in its ``source``,
    ``at`` when it happened in the world (ISO, UTC), ``thread``/``ordinal`` its place in a conversation, ``record``
    whom it is about, ``asset`` with ``span`` the part of a document it is, ``origin`` the sources it was derived from.
    """

    text: str
    tier: str = "session"
    scope: str = ""
    kind: str = "note"
    source: str = ""
    ref: str = ""
    at: str = ""
    actor: str = ""
    thread: str = ""
    ordinal: int = 0
    record: str = ""
    asset: str = ""
    span: tuple[int, int] = (0, 0)
    origin: Sequence[str] = ()
    trust: str = "unverified"
    importance: int = 0
    pinned: bool = False
    tags: Sequence[str] = ()
    detail: Mapping[str, Any] | None = None
    expires: str = ""
