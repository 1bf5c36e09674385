"""Snoozing: a card is put off to a chosen morning and comes back by itself; nothing is decided by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from soloist.engine.store import tasks
from soloist.engine.store.clock import from_iso, iso, later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.errors import BadInput, Conflict
from soloist.stages.approvals import Decision

CHOICES: Mapping[str, str] = {"tomorrow": "Tomorrow morning", "3days": "In 3 days", "week": "Next week"}
"""What an operator may choose, by name, in the order it is offered."""

MORNING = 8
"""Hour of the operator's day at which a card comes back."""

MARGIN = 2 * 3600.0
"""Seconds before its deadline at which a card comes back at the latest, so that it never ends while it sleeps."""


def morning(choice: str, now: str, zone: str) -> str:
    """The instant a choice names: 8 o'clock of that day in the operator's zone (BadInput for another choice)."""
    if choice not in CHOICES:
        raise BadInput(f"until: one of {', '.join(CHOICES)}.", field="until")
    local = from_iso(now).astimezone(ZoneInfo(zone))
    days = {"tomorrow": 1, "3days": 3, "week": 7 - local.weekday()}[choice]
    day = (local + timedelta(days=days)).date()
    return iso(datetime(day.year, day.month, day.day, MORNING, tzinfo=ZoneInfo(zone)))


def until(card: Mapping[str, Any], choice: str, now: str, zone: str) -> str:
    """When a card comes back: the chosen morning, or two hours before its time ends when that is earlier.

    Conflict when it cannot wait at all.
    """
    wanted = morning(choice, now, zone)
    latest = later(card["deadline"], -MARGIN) if card["deadline"] else wanted
    if latest <= now:
        raise Conflict("Its time ends within two hours, so it cannot wait. Nothing was changed.")
    return min(wanted, latest)


def offered(deadline: str, now: str, zone: str) -> list[tuple[str, str]]:
    """The choices that fit before a deadline ("" for none) with their words; one is left while any wait is possible."""
    if deadline and later(deadline, -MARGIN) <= now:
        return []
    latest = later(deadline, -MARGIN) if deadline else ""
    fitting = [(name, told) for name, told in CHOICES.items() if not latest or morning(name, now, zone) <= latest]
    return fitting or [("tomorrow", "Two hours before its time ends")]


async def snooze(
    desk: Desk, ident: str, choice: str = "tomorrow", *, digest: str = "", who: str, via: str
) -> dict[str, Any]:
    """Put an open card off; answers {card, option, until, ...}.

    A proposal's card keeps the decision, bound to ``digest`` (StaleHash); Conflict when the card is closed.
    """
    return await desk.store.write(lambda tx: snooze_in(desk, tx, ident, choice, digest=digest, who=who, via=via))


def snooze_in(
    desk: Desk, tx: Tx, ident: str, choice: str = "tomorrow", *, digest: str, who: str, via: str
) -> dict[str, Any]:
    """The same inside a transaction."""
    card = tasks.get(tx.conn, ident)
    if card["state"] != "open":
        raise Conflict(f"This card is {card['state']} already; nothing was changed.")
    if card["type"] == "unknown_outcome":
        raise Conflict("What may have happened outside cannot be put off. Nothing was changed.")
    end = until(card, choice, tx.now, desk.settings.business.timezone)
    if card["type"] in ("proposal", "change") and card["subject_kind"] == "proposal":
        said = Decision("defer", digest, who, via, until=end)
        return {"card": ident, "option": "defer", **desk.approvals.decide_in(tx, card["subject"], said)}
    tasks.snooze(tx, ident, end, actor=who)
    return {"card": ident, "option": "defer", "state": "waiting"}


async def defer_proposal(desk: Desk, proposal: str, said: Decision) -> dict[str, Any]:
    """A decision about a proposal as programs send it; deferring puts the card off to tomorrow morning."""

    def work(tx: Tx) -> dict[str, Any]:
        card = tasks.open_for(tx.conn, proposal)
        end = until(card, "tomorrow", tx.now, desk.settings.business.timezone) if card else ""
        deferred = Decision("defer", said.payload_hash, said.who, said.via, None, said.reason, end)
        return desk.approvals.decide_in(tx, proposal, deferred)

    return await desk.store.write(work)


async def wake(desk: Desk, ident: str, *, who: str) -> bool:
    """Take a card up again that sleeps; False when it is awake or closed."""

    def work(tx: Tx) -> bool:
        card = tasks.get(tx.conn, ident)
        sleeps = card["state"] == "open" and str(card["snoozed_until"]) > tx.now
        if sleeps:
            tasks.snooze(tx, ident, "", actor=who)
        return sleeps

    return await desk.store.write(work)
