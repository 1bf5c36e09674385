"""Ranking of cards: urgent alerts, then judgement, then deadline x value / estimate; pure and total."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from soloist.insight import words

Card = Mapping[str, Any]
"""A row of the tasks table: type, urgency, judgement, deadline, value_minor, currency, estimate (s), created, id."""

SHORTEST = 20.0
"""Seconds that any decision takes at the least, so that an estimate of none does not win by itself."""

USUAL = 60.0
"""Seconds taken for a card without an estimate."""

SHORT_RUNWAY = 3.0
"""Months of runway from which money weighs more: three times as much when there is nothing left."""

SOON = 86_400.0
"""Seconds to a deadline from which it is worth a word."""


ANSWER_WITHIN = {"now": 2 * 3600.0, "day": 8 * 3600.0, "week": 3 * 86_400.0}
"""Seconds within which triage says that an answer is wanted; it only moves a card in the order, and ends nothing."""


def ranked(cards: Sequence[Card], now: str) -> list[Card]:
    """The cards in the order they should be decided, those asleep at ``now`` left out; equal inputs, equal order.

    ``now`` and every instant are UTC ISO 8601 text. The order does not depend on the order of the input.
    """
    base = words.instant(now)
    awake = (card for card in cards if not asleep(card, now))
    return [card for _, card in sorted(((_key(card, base), card) for card in awake), key=lambda pair: pair[0])]


def asleep(card: Card, now: str) -> bool:
    """Whether a card was put off to an instant that has not come."""
    return str(card.get("snoozed_until") or "") > now


def urgency(card: Card) -> int:
    """0 for an urgent alert, 1 as usual, 2 for what is only for a quiet moment.

    A doubt about something outside is an alert by itself; others are marked by who opens the card.
    """
    if card.get("type") == "unknown_outcome":
        return 0
    return {"urgent": 0, "low": 2}.get(str(card.get("urgency") or ""), 1)


def weight(card: Card, now: str) -> float:
    """deadline x value / estimate, a positive number; only its order means anything."""
    return _weight(card, words.instant(now))


def explain(card: Card, place: int, now: str) -> str:
    """One line about its place, counted from 1: "First because it expires in 3 h and is worth EUR 4,000."."""
    named = {1: "First", 2: "Second", 3: "Third"}.get(place, f"Number {place}")
    why = reasons(card, now)
    if not why:
        return f"{named} by age: nothing about it presses."
    return f"{named} because it {why[0] if len(why) == 1 else ', '.join(why[:-1]) + ' and ' + why[-1]}."


def reasons(card: Card, now: str) -> list[str]:
    """What speaks for a card, strongest first, each as words that follow "it"."""
    found = ["is urgent"] if urgency(card) == 0 else []
    found += ["needs your judgement"] if int(card["judgement"] or 0) else []
    found += ["wants an answer soon"] if card.get("sla") in ("now", "day") else []
    rest = _seconds_left(card, words.instant(now))
    if rest is not None and rest <= 0:
        found.append("is past its time")
    elif rest is not None and rest < SOON:
        found.append(f"expires in {words.lasted(max(rest, 60.0))}")
    if value := int(card["value_minor"] or 0):
        found.append(f"is worth about {words.money(value, str(card['currency'] or ''))}".rstrip())
    if card.get("runway") is not None:
        found.append(f"brings in money while the runway is {card['runway']:g} months")
    spent = float(card["estimate"] or 0)
    if 0 < spent <= SHORTEST:
        found.append("takes a moment")
    return found


def _key(card: Card, base: datetime | None) -> tuple[int, int, float, str, str]:
    """Urgency, judgement, weight, age, id: the last is unique, so the order is total."""
    judgement, heavy = -int(card["judgement"] or 0), -_weight(card, base)
    return (urgency(card), judgement, heavy, str(card["created"]), str(card["id"]))


def _weight(card: Card, base: datetime | None) -> float:
    """Urgency grows without end towards the deadline; money counts by its size, not by its last cent."""
    rest = _seconds_left(card, base)
    urgency = 1.0 if rest is None else 1.0 + 48.0 / (1.0 + max(0.0, rest) / 3600.0)
    worth = 1.0 + math.log10(1.0 + abs(int(card["value_minor"] or 0)) / 100.0)
    effort = max(SHORTEST, float(card["estimate"] or 0) or USUAL) / 60.0
    return urgency * worth * _pressed(card) / effort


def _pressed(card: Card) -> float:
    """How much more money weighs when it does not last long; a card that says no runway weighs as it is."""
    months = card.get("runway")
    return 1.0 if months is None else 1.0 + 2.0 * max(0.0, SHORT_RUNWAY - float(months)) / SHORT_RUNWAY


def _seconds_left(card: Card, base: datetime | None) -> float | None:
    """Seconds to the deadline, or to when its sender needs an answer; negative when passed, None without either."""
    end = words.instant(str(card["deadline"])) if card["deadline"] else None
    begun, within = words.instant(str(card.get("created") or "")), ANSWER_WITHIN.get(str(card.get("sla") or ""))
    wanted = begun + timedelta(seconds=within) if begun and within else None
    first = min((one for one in (end, wanted) if one), default=None)
    return (first - base).total_seconds() if first and base else None
