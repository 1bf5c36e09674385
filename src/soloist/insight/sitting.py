"""A sitting: at most some minutes of deciding one card after the other, and what can wait until when after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.config import Attention
from soloist.engine.store import attention as history
from soloist.engine.store import reading
from soloist.engine.store.clock import from_iso
from soloist.engine.store.reading import Connection
from soloist.insight import attention, planning, ranking, sheets, views
from soloist.kernel.errors import NotFound

CHOICES = (5, 15, 30)
"""Minutes that a sitting may take."""

LISTED = 50


@dataclass(frozen=True)
class Sitting:
    """Where a sitting stands. ``seq`` 0: it has not begun. ``left`` cards still fit, ``later`` do not."""

    seq: int = 0
    minutes: int = 0
    spent: float = 0.0
    decided: int = 0
    left: int = 0
    current: views.Sheet | None = None
    urgent: tuple[attention.Line, ...] = ()
    later: tuple[attention.Line, ...] = ()
    waiting: int = 0
    offered: tuple[tuple[int, int], ...] = ()
    """Minutes to choose from with the cards that fit into each."""

    @property
    def share(self) -> int:
        """Percent of what this sitting holds that is decided."""
        whole = self.decided + self.left
        return round(100 * self.decided / whole) if whole else 100


def before(conn: Connection, file: Attention, zone: str, now: str) -> Sitting:
    """What a sitting of each length would hold."""
    cards, estimate = reading.waiting(conn, now, reading.CAP), attention.estimates(conn, now)
    rules = attention.rules(conn, file)
    offered = tuple((minutes, len(planning.sitting(cards, minutes * 60.0, now, estimate)[0])) for minutes in CHOICES)
    urgent = tuple(
        attention.Line(str(card["id"]), str(card["title"]), f"It {why}.")
        for card in ranking.ranked(cards, now)
        if (why := planning.pressing(card, rules, zone, now))
    )
    return Sitting(waiting=len(cards), offered=offered, urgent=urgent[:LISTED])


def at(conn: Connection, seq: int, file: Attention, zone: str, *, now: str, card: str = "") -> Sitting:
    """A sitting that was begun by the event ``seq`` (NotFound), with the next card, or the one asked for."""
    begun = history.begun(conn, seq)
    if begun is None:
        raise NotFound("There is no such sitting. Begin a new one.")
    began, minutes = begun
    spent = max(0.0, (from_iso(now) - from_iso(began)).total_seconds())
    cards, estimate = reading.waiting(conn, now, reading.CAP), attention.estimates(conn, now)
    rest = minutes * 60.0 - spent
    fits, over = planning.sitting(cards, rest, now, estimate) if rest > 0 else ([], list(ranking.ranked(cards, now)))
    ident = card or (str(fits[0]["id"]) if fits else "")
    rules = attention.rules(conn, file)
    urgent, later = _waits(over, rules, zone, now)
    return Sitting(
        seq=seq,
        minutes=minutes,
        spent=spent,
        decided=history.counted(conn, ("card.done", "card.deferred"), seq),
        left=len(fits),
        current=sheets.sheet(conn, ident) if ident else None,
        urgent=urgent,
        later=later,
        waiting=len(cards),
        offered=tuple((choice, 0) for choice in CHOICES),
    )


def _waits(
    cards: Sequence[Mapping[str, Any]], rules: Attention, zone: str, now: str
) -> tuple[tuple[attention.Line, ...], tuple[attention.Line, ...]]:
    """What cannot wait although the time is over, and what can, until when."""
    urgent, later = [], []
    for card in cards:
        ident, title = str(card["id"]), str(card["title"])
        if why := planning.pressing(card, rules, zone, now):
            urgent.append(attention.Line(ident, title, f"It {why}."))
        else:
            later.append(attention.Line(ident, title, "", planning.can_wait_until(card, rules, zone, now)))
    return tuple(urgent[:LISTED]), tuple(later[:LISTED])
