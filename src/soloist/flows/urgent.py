"""Urgent: a card that cannot wait for a window is mailed once to the operator's own address, with a code if it may."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from soloist.engine.store import reading, settings, tasks
from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.tx import Tx
from soloist.flows import attention
from soloist.flows.deciding import Deciding, Ticket
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.insight import letters
from soloist.kernel.errors import SoloistError
from soloist.kernel.ids import derived
from soloist.kernel.origin import OUTSIDE, OWN
from soloist.kernel.proposal import URGENT, NewProposal

LOOK_EVERY = 20.0
"""Seconds between two looks for cards that cannot wait."""
NOBODY = "me@localhost"
"""The address of a home in which nobody set one."""
SHORTEST = 600.0
"""Seconds a letter has at the least to leave, also when its card ends sooner."""


class Urgent:
    """Looks for cards that may interrupt, and writes a letter about each, once."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk, self._deciding = desk, Deciding(desk)

    async def follow(self) -> None:
        """Look for as long as the server runs."""
        while True:
            try:
                await self.look()
            except SoloistError as error:
                logging.getLogger("soloist.urgent").warning("urgent cards have to wait: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> list[str]:
        """Write about every card that may interrupt now; the ids of the letters' proposals."""
        if not await asyncio.to_thread(may_write, self._desk):
            return []
        chosen = await self._desk.store.read(self._pressing)
        found = [await self._desk.store.write(partial(self._write, ident=ident)) for ident in chosen]
        return [ident for ident in found if ident]

    def _pressing(self, conn: Any) -> list[str]:
        """Cards for which there is leave to interrupt; asked again in the transaction that writes."""
        now, config = iso(self._desk.store.clock()), self._desk.settings
        cards = reading.waiting(conn, now, reading.CAP)
        return [card["id"] for card in cards if attention.may_interrupt(conn, now, card, config).given]

    def _write(self, tx: Tx, *, ident: str) -> str:
        """The letter about one card, counted as an interruption in the same commit; "" when it may not after all."""
        leave = attention.interrupt(tx, ident, self._desk.settings, via="mail")
        if not leave.given:
            return ""
        card, business = tasks.get(tx.conn, ident), self._desk.settings.business
        ticket = self._deciding.ticket(tx, card, to=business.email.casefold())
        address = settings.value(tx.conn, "console.address")
        body = letter(ticket, leave.why, zone=business.timezone, address=address, link=self._link(tx, ticket))
        return write(
            tx,
            self._desk,
            ident=derived("proposal", "urgent", ident, card["updated"]),
            source=URGENT,
            payload={"to": [business.email], "subject": f"Urgent: {letters.line(card['title'])[:150]}", "body": body},
            marks=[ticket.mark] if ticket.mark else [],
            reason=f"{leave.why} It could not wait for your next window.",
            seconds=max(SHORTEST, (from_iso(ticket.shown.until) - from_iso(tx.now)).total_seconds()),
        )

    def _link(self, tx: Tx, ticket: Ticket) -> str:
        return self._deciding.link(tx.conn, ticket.mark) if ticket.mark else ""


def letter(ticket: Ticket, why: str, *, zone: str, address: str, link: str) -> str:
    """What the mail about one card says."""
    if ticket.mark:
        lines = letters.section(ticket.shown, zone, code=ticket.code, link=link)
        lines += ["", *letters.how(ticket.options)]
    else:
        lines = [letters.line(ticket.shown.title), letters.line(ticket.shown.why), ""]
        lines.append("This is decided in the console only: it is too much for a mail.")
        lines.append(letters.outcome(ticket.shown, zone))
    console = [f"The console: {address}"] if address else []
    return "\n".join([f"{why} So you are told now.", "", *lines, "", *console]).strip() + "\n"


def may_write(desk: Desk) -> bool:
    """Whether there is somebody to write to and a way that may be used."""
    return desk.settings.business.email != NOBODY and not desk.observe_only(desk.mail_out())


def write(
    tx: Tx,
    desk: Desk,
    *,
    ident: str,
    source: str,
    payload: Mapping[str, Any],
    marks: Sequence[str],
    reason: str,
    seconds: float,
    channel: str = "",
) -> str:
    """Propose a letter of ours, not held; its id. The marks of its codes stand in its evidence."""
    out = desk.mail_out(channel)
    new = NewProposal(
        id=ident,
        connector=out,
        operation=MAIL_OPERATION,
        payload=payload,
        reason=reason,
        source=source,
        evidence={"marks": list(marks)},
        title=str(payload["subject"]),
        expires_in=seconds,
        new_recipient=False,
        origin=OWN | OUTSIDE,
    )
    facts = replace(desk.facts(out, MAIL_OPERATION), hold=0.0)
    return str(desk.approvals.propose(tx, new, facts, actor="soloist")["id"])
