"""Objectives as the queue sees them: how long the money lasts, whether that moves a card; nothing is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import reading, records
from soloist.engine.store.reading import Connection
from soloist.insight import ranking

Card = Mapping[str, Any]


def months(conn: Connection) -> float | None:
    """Months that the money lasts by the shortest runway there is, with open invoices; None when none is counted."""
    found = [row["body"].get("months") for row in records.listed(conn, "runway", before=None, limit=20)]
    counted = [float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool)]
    return min(counted, default=None)


def waiting(conn: Connection, now: str, limit: int) -> list[dict[str, Any]]:
    """Open cards as ``reading.waiting`` has them; those with money in them carry a short runway."""
    cards, left = [dict(card) for card in reading.waiting(conn, now, limit)], months(conn)
    if left is None or left >= ranking.SHORT_RUNWAY:
        return cards
    return [{**card, "runway": left} if card["value_minor"] else card for card in cards]


def lifted(cards: Sequence[Card], place: int, now: str) -> Card:
    """The card at a place (from 1) of a ranked list; it says its runway only if it stands higher because of it."""
    card = cards[place - 1]
    if card.get("runway") is None:
        return card
    plain = ranking.ranked([{**one, "runway": None} for one in cards], now)
    before = next((n for n, one in enumerate(plain, 1) if one["id"] == card["id"]), place)
    return card if before > place else {**card, "runway": None}
