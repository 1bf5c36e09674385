"""Delegating: the operator hands one card to one person for a time; she decides as herself; it comes back by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from soloist.config import Person, seconds
from soloist.engine.store import codes, proposals, tasks
from soloist.engine.store.clock import iso, later
from soloist.engine.store.tx import Tx
from soloist.flows import urgent
from soloist.flows.deciding import Deciding, Ticket, own_addresses
from soloist.flows.desk import Desk
from soloist.flows.snoozing import MARGIN
from soloist.insight import letters
from soloist.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from soloist.kernel.ids import derived
from soloist.kernel.proposal import DELEGATE
from soloist.stages.approvals import Decision

USUAL = "2d"
"""How long a card is with somebody when nothing else is said."""
LONGEST = 14 * 86400.0
TAKEN_BACK = "it was taken back"


@dataclass(frozen=True)
class With:
    """Whom a card is with, and until when (UTC ISO 8601)."""

    card: str
    to: str
    name: str
    until: str


def held_by(card: Mapping[str, Any], now: str, people: Mapping[str, Person]) -> With | None:
    """Whom an open card is with at an instant; None when it is the operator's."""
    person = people.get(str(card["delegate"]))
    if card["state"] != "open" or person is None or card["snoozed_until"] <= now:
        return None
    return With(card["id"], card["delegate"], person.name, card["snoozed_until"])


class Delegating:
    """Hands cards over and takes them back."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk, self._deciding = desk, Deciding(desk)

    async def standing(self, card: str) -> tuple[With | None, bool]:
        """Whom a card is with (None when it is the operator's), and whether it may be handed over (NotFound)."""

        def look(conn: Any) -> tuple[With | None, bool]:
            row = tasks.get(conn, card)
            held = held_by(row, iso(self._desk.store.clock()), self._desk.settings.people)
            return held, row["state"] == "open" and self._deciding.allowed(conn, row)

        return await self._desk.store.read(look)

    async def hand_over(self, card: str, to: str, *, until: str = USUAL, who: str, via: str) -> With:
        """Hand a card over for a time like "2d"; the letter to her leaves by the operator's word.

        NotFound for an unknown card or person, NotAllowed for what is decided in the console only, Conflict when it is
        closed, cannot wait, or no mail may leave, BadInput for a time that is none.
        """
        try:
            length = seconds(until or USUAL)
        except ValueError as error:
            raise BadInput(f"until: {error}.", field="until") from error
        if not 60 <= length <= LONGEST:
            raise BadInput("until: between one minute and 14 days.", field="until")
        return await self._desk.store.write(lambda tx: self._hand_over(tx, card, to, length, who=who, via=via))

    def _hand_over(self, tx: Tx, ident: str, to: str, length: float, *, who: str, via: str) -> With:
        """All of it in one transaction: codes, letter with the operator's approval, the card put aside."""
        card, person = tasks.get(tx.conn, ident), self._person(to)
        if card["state"] != "open":
            raise Conflict(f"This card is {card['state']} already; nothing was changed.")
        latest = later(card["deadline"], -MARGIN) if card["deadline"] else later(tx.now, length)
        end = min(latest, later(tx.now, length))
        if end <= tx.now:
            raise Conflict("Its time ends within two hours, so it cannot be handed over. Nothing was changed.")
        self._void(tx, card)
        ticket = self._deciding.ticket(tx, card, to=person.email.casefold(), until=end, defer=False)
        if not ticket.mark:
            raise NotAllowed(
                "This card is decided in the console only: money, new recipients, long texts and what cannot be taken "
                "back are not handed over by mail. Nothing was changed."
            )
        letter = self._letter(tx, ticket, person, length=length)
        digest = proposals.get(tx.conn, letter)["payload_hash"]
        self._desk.approvals.decide_in(tx, letter, Decision("approve", digest, who, via, None, f"handed to {to}"))
        if proposals.get(tx.conn, letter)["state"] != "approved":
            raise Conflict("Policy does not let this letter leave. Nothing was changed.")
        tasks.reopen(tx, ident, delegate=to, snoozed_until=end)
        tx.append("card.delegated", subject=ident, payload={"to": to, "until": end, "letter": letter}, actor=who)
        return With(ident, to, person.name, end)

    def _person(self, to: str) -> Person:
        """The person of a short name."""
        people = self._desk.settings.people
        if to not in people:
            known = ", ".join(sorted(people)) or "nobody yet; add [people.anna] with name and email to soloist.toml"
            raise NotFound(f"There is no person called {to[:60]!r}. Known: {known}.", field="to")
        if people[to].email.casefold() in own_addresses(self._desk.settings):
            raise BadInput("to: this is your own address.", field="to")
        return people[to]

    def _letter(self, tx: Tx, ticket: Ticket, person: Person, *, length: float) -> str:
        """The letter to her, as a proposal that waits for the operator's word."""
        business = self._desk.settings.business
        boss = business.owner or business.name
        link = self._deciding.link(tx.conn, ticket.mark, outside=True)
        shown = replace(
            ticket.shown, deadline=ticket.shown.until, at_expiry=f"It goes back to {boss}; nothing is sent."
        )
        body = [
            f"Hello {person.name},",
            "",
            f"{boss} asks you to decide this for {business.name}. Nothing happens until you do.",
            "",
            *letters.section(shown, business.timezone, code=ticket.code, link=link),
            "",
            *letters.how(ticket.options),
        ]
        payload = {
            "to": [person.email],
            "subject": f"{boss} asks you: {letters.line(ticket.shown.title)[:150]}",
            "body": "\n".join(body) + "\n",
        }
        return urgent.write(
            tx,
            self._desk,
            ident=derived("proposal", "delegate", ticket.mark),
            source=DELEGATE,
            payload=payload,
            marks=[ticket.mark],
            reason=f"You handed the card to {person.name}.",
            seconds=length,
        )

    async def take_back(self, card: str, *, who: str) -> None:
        """The card is the operator's again and her codes end (NotFound, Conflict when it is with nobody)."""

        def work(tx: Tx) -> None:
            row = tasks.get(tx.conn, card)
            if row["state"] != "open" or not row["delegate"]:
                raise Conflict("This card is with nobody else; nothing was changed.")
            self._void(tx, row)
            tasks.reopen(tx, card, delegate="", snoozed_until="")
            tx.append("card.taken_back", subject=card, payload={"from": row["delegate"]}, actor=who)

        await self._desk.store.write(work)

    def _void(self, tx: Tx, card: Mapping[str, Any]) -> None:
        """End the codes of whoever had the card before."""
        if person := self._desk.settings.people.get(str(card["delegate"])):
            codes.void(tx, card["id"], TAKEN_BACK, sent_to=person.email.casefold())
