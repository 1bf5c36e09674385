"""Cards that can be decided on one page: those that belong together, and those that are alike; each shown whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import attention, proposals, tasks
from soloist.engine.store.reading import Connection
from soloist.insight import sheets, views

MOST = 40
"""Cards on one page: more are not read with care."""

FEW = 3
"""Recipients of one proposal up to which it may be decided beside others."""


@dataclass(frozen=True)
class Look:
    """What is beside an open card: what is new on it, and how many others it can be decided with."""

    news: views.Changed | None = None
    alike: int = 0


@dataclass(frozen=True)
class Group:
    """Cards on one page; ``whole``: they belong together and are decided all or none. ``left`` did not fit."""

    card: str
    title: str
    whole: bool
    sheets: tuple[views.Sheet, ...]
    left: int = 0


def low_risk(proposal: Mapping[str, Any]) -> bool:
    """Whether a proposal may be decided beside others: no money, no open question, no fault, few recipients."""
    evidence = proposal.get("evidence") or {}
    at_once = proposal["risk"] == "irreversible" and not proposal["hold_ms"]
    money = proposal["risk"] == "financial" or bool(proposal.get("amount_minor"))
    doubtful = bool(proposal.get("questions") or evidence.get("faults") or proposal.get("flags"))
    many = len(proposal.get("recipients") or []) > FEW
    return not (at_once or money or doubtful or many or proposal.get("bundle"))


def kind_of(proposal: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes two proposals alike: operation, agent, template or kind of message."""
    evidence = proposal.get("evidence") or {}
    sort = str(evidence.get("template") or evidence.get("kind") or evidence.get("follow_up") or "")
    return (proposal["connector"], proposal["operation"], str(proposal["agent"]).partition("@")[0], sort)


def alike(conn: Connection, proposal: Mapping[str, Any], now: str) -> list[dict[str, Any]]:
    """The waiting proposals, this one among them, that are like it, with ``card``; none when it wants its own look."""
    if proposal["state"] != "waiting" or not low_risk(proposal):
        return []
    found = attention.alike(conn, proposal, now)
    return [row for row in found if low_risk(row) and kind_of(row) == kind_of(proposal)]


def beside(conn: Connection, ident: str, now: str) -> int:
    """How many others are like an open card (NotFound)."""
    card = tasks.get(conn, ident)
    proposal = proposals.find(conn, card["subject"]) if card["state"] == "open" else None
    return max(0, len(alike(conn, proposal, now)) - 1) if proposal else 0


def group(conn: Connection, ident: str, now: str) -> Group:
    """The cards to decide on one page with this one (NotFound); alone when nothing is like it."""
    card = tasks.get(conn, ident)
    proposal = proposals.find(conn, card["subject"])
    whole = bool(proposal and proposal["bundle"])
    rows = attention.together(conn, proposal) if proposal and whole else alike(conn, proposal, now) if proposal else []
    cards = attention.cards_of(conn, [row["id"] for row in rows])
    idents = [cards[row["id"]] for row in rows if row["id"] in cards]
    if len(idents) < 2 and not whole:
        idents = []
    limit = len(idents) if whole else MOST
    shown = tuple(sheets.sheet(conn, one) for one in idents[:limit])
    return Group(ident, str(card["title"]), whole, shown, len(idents) - len(shown))


def members(conn: Connection, idents: Sequence[str]) -> tuple[str, set[str]]:
    """The bundle that all of these cards are of ("" when they are not of one), and every open card of it."""
    found = [proposals.find(conn, tasks.get(conn, ident)["subject"]) for ident in idents]
    bundles = {str(row["bundle"]) if row else "" for row in found}
    if len(bundles) != 1 or not (bundle := bundles.pop()):
        return "", set()
    rows = attention.together(conn, {"bundle": bundle})
    return bundle, set(attention.cards_of(conn, [row["id"] for row in rows]).values())
