"""Attention: whether a card may interrupt the operator now, counted against the day's cap, and what is set about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.config import Attention, Settings
from soloist.engine.store import attention as history
from soloist.engine.store import events, proposals, tasks
from soloist.engine.store import settings as switches
from soloist.engine.store.reading import Connection
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.insight import attention, planning
from soloist.kernel.errors import BadInput


@dataclass(frozen=True)
class Leave:
    """Whether a card may reach the operator at once, and the reason either way as a sentence; ``until``: it waits."""

    given: bool
    why: str
    until: str = ""


def may_interrupt(conn: Connection, now: str, card: Mapping[str, Any], settings: Settings) -> Leave:
    """Whether a card is urgent enough to interrupt, has not done so, and the cap of the day is not used up.

    It only answers: ``interrupt`` asks the same and counts it in one transaction.
    """
    rules, zone = attention.rules(conn, settings.attention), settings.business.timezone
    if card["state"] != "open" or str(card["snoozed_until"] or "") > now:
        return Leave(False, "It does not wait for you now.")
    why = planning.pressing(card, rules, zone, now)
    until = planning.can_wait_until(card, rules, zone, now)
    if not why:
        return Leave(False, "It can wait for your next window.", until)
    if history.was_interrupted_by(conn, str(card["id"])):
        return Leave(False, "You were told about it already.", until)
    used = history.interruptions(conn, planning.day_began(zone, now))
    if used >= rules.interruptions_per_day:
        return Leave(False, f"Your {rules.interruptions_per_day} interruptions of today are used.", until)
    return Leave(True, f"It {why}.")


def interrupt(tx: Tx, card: str, settings: Settings, *, via: str) -> Leave:
    """Ask for leave to interrupt and count it against today's cap; ``via`` is "mail" or "browser" (NotFound)."""
    leave = may_interrupt(tx.conn, tx.now, tasks.get(tx.conn, card), settings)
    if leave.given:
        tx.append(history.INTERRUPTED, subject=card, payload={"via": via, "why": leave.why})
    return leave


async def adjust(desk: Desk, values: Mapping[str, Any], *, who: str) -> Attention:
    """Set minutes, windows, weekdays or the cap in the console; nothing goes back to soloist.toml (BadConfig)."""
    known = {name: value for name, value in values.items() if name in Attention.model_fields}

    def work(tx: Tx) -> Attention:
        merged = attention.merged(desk.settings.attention, known)
        switches.put(tx, attention.SET, json.dumps(known) if known else "")
        tx.append("attention.set" if known else "attention.reset", payload=known, actor=who)
        return merged

    return await desk.store.write(work)


async def sit_down(desk: Desk, minutes: int, *, who: str) -> int:
    """Begin a sitting of some minutes; answers the place in the journal by which it is known (BadInput)."""
    if not 1 <= minutes <= 240:
        raise BadInput("minutes: between 1 and 240.", field="minutes")
    event = await desk.store.write(lambda tx: tx.append(history.SITTING, payload={"minutes": minutes}, actor=who).id)
    return await desk.store.read(lambda conn: int(events.get(conn, event)["seq"]))


async def looked_at(desk: Desk, ran: Sequence[str], *, who: str) -> None:
    """Keep a review mark on what ran alone: it is not shown again (NotFound for what is no proposal)."""

    def work(tx: Tx) -> None:
        for ident in dict.fromkeys(ran):
            row = proposals.get(tx.conn, ident)
            tasks.annotate(tx, row["id"], history.REVIEWED, "looked at after it ran alone", actor=who)
        if ran:
            tx.append("alone.reviewed", payload={"many": len(set(ran))}, actor=who)

    await desk.store.write(work)
