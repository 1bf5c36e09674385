"""Briefing: once a morning the operator gets one mail about their desk; it is an effect like any other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from soloist.engine.store import runs, tasks
from soloist.engine.store import settings as switches
from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.tx import Tx
from soloist.flows import issuing, tending
from soloist.flows.deciding import Deciding
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.insight import bills, letters, morning
from soloist.kernel.errors import SoloistError
from soloist.kernel.ids import derived
from soloist.kernel.origin import OUTSIDE, OWN
from soloist.kernel.proposal import BRIEF, NewProposal
from soloist.sdk.flow import Flow, Verbs

LATEST = 20
"""Hour after which the brief of a day is no longer sent; a machine that slept sends it when it wakes before."""
LOOK_EVERY = 30.0
"""Seconds between two looks at the clock."""
DECIDABLE = 5
"""Cards whose whole content and code a brief holds at the most."""
SENT = "brief.sent"
"""When the last brief was written, or the home began."""
NOBODY = "me@localhost"
"""The address of a home in which nobody set one."""


def due(now: datetime, zone: str, at: str) -> str:
    """The local day (YYYY-MM-DD) whose brief is due at an instant, "" when none is. ``at`` is HH:MM, local time."""
    local = now.astimezone(ZoneInfo(zone))
    hour, minute = (int(part) for part in at.split(":"))
    begun = (local.hour, local.minute) >= (hour, minute)
    return f"{local:%Y-%m-%d}" if begun and local.hour < LATEST else ""


def brief(desk: Desk) -> Flow:
    """Write it and let it go."""
    briefing = Briefing(desk)

    async def body(do: Verbs, day: str) -> None:
        await do.step("write", briefing.write, day)

    return Flow("brief", body)


class Briefing:
    """Asks for the run of a day once, and writes its mail."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk, self._deciding = desk, Deciding(desk)

    async def follow(self) -> None:
        """Look at the clock for as long as the server runs."""
        while True:
            try:
                await self._desk.store.write(self._begin, full=False)
                await self.ask()
            except SoloistError as error:
                logging.getLogger("soloist.brief").warning("the brief has to wait: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    @staticmethod
    def _begin(tx: Tx) -> None:
        """The day on which a home is made has no brief: the operator was just here."""
        if not switches.value(tx.conn, SENT):
            switches.put(tx, SENT, tx.now)

    async def ask(self) -> bool:
        """Ask for the run of today's brief if it is due; True when it was asked for now. The id makes it one a day."""
        settings = self._desk.settings
        if not settings.brief.enabled or not await asyncio.to_thread(self._may_send):
            return False
        day = due(self._desk.store.clock(), settings.business.timezone, settings.brief.at)

        def work(tx: Tx) -> bool:
            if self._told(tx.conn, day):
                return False
            tx.start(f"brief:{day}", "brief", day, subject=day)
            return True

        known = not day or await self._desk.store.read(lambda conn: self._told(conn, day))
        return False if known else await self._desk.store.write(work)

    def _told(self, conn: Any, day: str) -> bool:
        """Whether the brief of a day was asked for, or this is the day on which the home began."""
        sent = switches.value(conn, SENT)
        zone = ZoneInfo(self._desk.settings.business.timezone)
        today = bool(sent) and f"{from_iso(sent).astimezone(zone):%Y-%m-%d}" >= day
        return today or runs.exists(conn, f"brief:{day}")

    def _may_send(self) -> bool:
        """Whether there is somebody to write to and a way that may be used."""
        out = self._desk.mail_out()
        return self._desk.settings.business.email != NOBODY and not self._desk.observe_only(out)

    async def compose(self) -> morning.Letter | None:
        """The brief as it would be shown now, without codes; None when there is nothing to tell."""
        now = iso(self._desk.store.clock())
        found, address = await self._desk.store.read(lambda conn: self._read(conn, now))
        business = self._desk.settings.business
        return morning.letter(found, now=now, zone=business.timezone, language=business.language, address=address)

    def _read(self, conn: Any, now: str) -> tuple[morning.State, str]:
        """What there is to tell, and where the console is."""
        since = switches.value(conn, SENT) or iso(self._desk.store.clock() - timedelta(days=1))
        found = replace(
            morning.state(conn, now=now, since=since), report=self._report(conn), bills=bills.line(conn, self._today())
        )
        return found, switches.value(conn, "console.address")

    def _report(self, conn: Any) -> list[str]:
        """The report of the week before, on a Monday where the operator is."""
        now, business = self._desk.store.clock(), self._desk.settings.business
        if now.astimezone(business.zone).weekday():
            return []
        return issuing.lines_of_week(conn, tending.week_before(now, business.timezone))

    def _today(self) -> str:
        """The day where the operator is."""
        return self._desk.store.clock().astimezone(self._desk.settings.business.zone).date().isoformat()

    async def write(self, run: str, day: str) -> dict[str, Any]:
        """Propose the mail of a day; the built-in grant for letters to oneself lets it go. Answers {proposal}."""
        now, address = iso(self._desk.store.clock()), self._desk.settings.business.email.casefold()
        found, console = await self._desk.store.read(lambda conn: self._read(conn, now))
        business = self._desk.settings.business
        said = {"now": now, "zone": business.timezone, "language": business.language, "address": console}

        def work(tx: Tx) -> dict[str, Any]:
            def propose() -> dict[str, Any]:
                lines, marks = self._by_mail(tx, found, address)
                letter = morning.letter(found, **said, by_mail=lines)
                switches.put(tx, SENT, tx.now)
                return {"proposal": self._propose(tx, run, day, letter, marks) if letter else ""}

            return dict(runs.once(tx, run, "write", propose, given={"day": day}))

        return await self._desk.store.write(work)

    def _by_mail(self, tx: Tx, found: morning.State, address: str) -> tuple[list[str], list[str]]:
        """The first cards that an answer may decide, with content and codes: lines, and the marks of the codes."""
        zone, lines, marks = self._desk.settings.business.timezone, list[str](), list[str]()
        for card in found.cards[: morning.MOST]:
            now = tasks.get(tx.conn, card["id"])
            if len(marks) == DECIDABLE or now["state"] != "open" or not self._deciding.allowed(tx.conn, now):
                continue
            ticket = self._deciding.ticket(tx, now, to=address)
            if ticket.mark:
                link = self._deciding.link(tx.conn, ticket.mark)
                lines += ["", "-" * 20, *letters.section(ticket.shown, zone, code=ticket.code, link=link)]
                marks.append(ticket.mark)
        return [*lines, "", *letters.how(("approve", "reject", "defer"))] if marks else [], marks

    def _propose(self, tx: Tx, run: str, day: str, letter: morning.Letter, marks: Sequence[str]) -> str:
        """The mail as a proposal to the operator's own address, not held."""
        out = self._desk.mail_out()
        facts = replace(self._desk.facts(out, MAIL_OPERATION), hold=0.0)
        new = NewProposal(
            id=derived("proposal", "brief", day),
            connector=out,
            operation=MAIL_OPERATION,
            payload={"to": [self._desk.settings.business.email], "subject": letter.subject, "body": letter.body},
            reason="Your brief of the morning.",
            source=BRIEF,
            run=run,
            evidence={"marks": list(marks)},
            title=letter.subject,
            expires_in=12 * 3600.0,
            new_recipient=False,
            origin=OWN | OUTSIDE,
        )
        return str(self._desk.approvals.propose(tx, new, facts, actor="soloist")["id"])
