"""Deciding from afar: what a one-time code or link may decide, and the one place where it does; no page, no mail.

A code is bound to a card, to the options it may choose, to the bytes that were shown and to the address it was sent to.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from soloist.config import Settings
from soloist.engine.store import codes, conversations, proposals, tasks
from soloist.engine.store import settings as switches
from soloist.engine.store.clock import iso, later
from soloist.engine.store.tx import Tx
from soloist.engine.vault import Vault
from soloist.flows import snoozing
from soloist.flows.desk import Desk
from soloist.insight import letters
from soloist.kernel.errors import Conflict, NotAllowed, NotFound, SoloistError, StaleHash
from soloist.kernel.hashing import json_hash
from soloist.kernel.proposal import LETTERS, amount, recipients

Risk = Literal["low", "medium", "high"]
OPERATOR = "operator"
LIVES = 24 * 3600.0
"""Seconds a code lives at the most; it never outlives its card."""
MOST_RECIPIENTS = 5
"""People whom one decision by mail may reach."""
MOST_OPTIONS = 6
ASKED = frozenset({"message", "proposal"})
"""What a question may be about to be answered by mail."""


def risk_of(card: Mapping[str, Any], proposal: Mapping[str, Any] | None, wrote: Collection[str] = ()) -> Risk:
    """How much a wrong decision about a card could do: only low and medium are decided by mail or link.

    What is not known to be harmless is high: money, new recipients, many of them, what cannot be taken back and is not
    held, bundles, anything policy found unusual, and every kind of card that is not named here. ``wrote`` are the
    addresses that wrote on its thread: an answer to them goes to nobody new.
    """
    kind, about = card["type"], card["subject_kind"]
    if kind == "question" and about in ASKED:
        return "low"
    if kind not in ("proposal", "change") or about != "proposal" or proposal is None:
        return "high"
    if proposal["noun"] == "change":
        return "low" if kind == "change" and proposal["risk"] == "reversible" else "high"
    return "high" if _dangerous(proposal, wrote) else "low" if proposal["undo"] == "exact" else "medium"


def _dangerous(proposal: Mapping[str, Any], wrote: Collection[str]) -> bool:
    """Whether an outside effect is too much to be decided away from the console."""
    payload, evidence = proposal["payload"] or {}, proposal["evidence"] or {}
    money = proposal["risk"] == "financial" or proposal.get("amount_minor") or amount(payload)[0]
    told = proposal.get("recipients") or recipients(payload)
    final = proposal["undo"] != "exact" and not proposal["hold_ms"]
    wide = len(told) > MOST_RECIPIENTS or proposal.get("audience") in ("list", "public")
    new = bool(evidence.get("new_recipient", True)) and not {to.casefold() for to in told} <= set(wrote)
    return bool(money or final or wide or new or proposal.get("flags") or proposal.get("bundle"))


def judged(conn: Any, card: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> Risk:
    """The risk of a card with what is stored about its thread."""
    thread = conversations.of(conn, proposal["conversation"]) if proposal and proposal["conversation"] else []
    return risk_of(card, proposal, {str(m["sender"]).casefold() for m in thread if m["direction"] == "in"})


def bound(card: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> str:
    """The hash a code is bound to: the payload of a proposal, the words of a question."""
    if card["type"] in ("proposal", "change") and proposal is not None:
        return str(proposal["payload_hash"])
    return json_hash({"card": card["id"], "title": card["title"], "why": card["why"], "options": card["options"]})


def options_of(card: Mapping[str, Any], *, defer: bool) -> list[str]:
    """What may be chosen by mail or link."""
    names = [str(choice["name"]) for choice in card["options"] or []]
    if card["type"] in ("proposal", "change"):
        names = [name for name in names if name in ("approve", "reject", "defer")]
    return [name for name in names if defer or name != "defer"][:MOST_OPTIONS]


def own_addresses(settings: Settings) -> frozenset[str]:
    """The operator's own mail addresses."""
    boxes = [part.address for part in settings.connectors.values() if part.kind == "mail" and part.address]
    return frozenset(address.casefold() for address in (settings.business.email, *boxes))


@dataclass(frozen=True)
class Ticket:
    """A card as it goes into a letter, with the mark of its code; ``mark`` is "" when it cannot be decided by mail."""

    card: str
    shown: letters.Shown
    mark: str = ""
    options: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """What stands for the code in the stored letter."""
        return codes.place(codes.CODE, self.mark)


@dataclass(frozen=True)
class Said:
    """One decision from afar. ``ref`` names the mail or the press, so that the same one twice is one decision."""

    option: str
    via: str
    reason: str = ""
    ref: str = ""
    sender: str = ""


@dataclass(frozen=True)
class Look:
    """What a link leads to. ``gone`` says why nothing can be decided any more, "" while it can."""

    shown: letters.Shown | None = None
    gone: str = ""
    status: int = 200
    who: str = ""
    options: tuple[str, ...] = field(default=())


class Deciding:
    """Codes and links of one home: made, looked at, used up."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk

    @cached_property
    def secrets(self) -> codes.Secrets:
        """What codes are derived from."""
        return codes.Secrets(Vault(self._desk.home.keys).install_key())

    def allowed(self, conn: Any, card: Mapping[str, Any]) -> bool:
        """Whether a card may be decided by a code or link at all."""
        return judged(conn, card, _about(conn, card)) != "high" and bool(options_of(card, defer=False))

    # ----- making

    def ticket(self, tx: Tx, card: Mapping[str, Any], *, to: str, until: str = "", defer: bool = True) -> Ticket:
        """A card for a letter to an address, with a fresh code where its risk allows one."""
        proposal, ends = _about(tx.conn, card), _sooner(until or later(tx.now, LIVES), card["deadline"])
        risk, options = judged(tx.conn, card, proposal), options_of(card, defer=defer)
        found = letters.shown(card, proposal, risk, options, until=ends)
        if risk == "high" or found.long or not options or ends <= tx.now:
            return Ticket(card["id"], found)
        given = {"card": card["id"], "option": " ".join(options), "payload_hash": bound(card, proposal), "sent_to": to}
        return Ticket(card["id"], found, codes.mint(tx, self.secrets, expires=ends, **given), tuple(options))

    def link(self, conn: Any, mark: str, *, outside: bool = False) -> str:
        """The address of a mark's page as it stands in a stored letter, "" when there is none.

        ``outside``: only one that somebody on another machine could open.
        """
        name = self._desk.settings.server.console_host
        base = f"https://{name}" if name else switches.value(conn, "console.address").rstrip("/")
        if not base or (outside and _only_here(base)):
            return ""
        return f"{base}/d/{codes.place(codes.LINK, mark)}"

    def fill(self, proposal: Mapping[str, Any], payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """A letter of ours with its codes, right before it leaves; every other payload as it is."""
        marks = (proposal["evidence"] or {}).get("marks") or []
        if proposal["source"] not in LETTERS or not marks:
            return payload
        return {**payload, "body": self.secrets.filled(str(payload["body"]), marks)}

    # ----- using

    def decide_in(self, tx: Tx, row: Mapping[str, Any], said: Said) -> str:
        """Use a code or link for one option; answers the card's title (Conflict, StaleHash, NotAllowed say why not)."""
        card, proposal, who = self._open(tx.conn, row, said.ref)
        if said.option not in str(row["option"]).split():
            raise NotAllowed(f"This code cannot choose {said.option!r}; it can choose: {row['option']}.")
        if not card:
            return self._title(tx.conn, row["card"])
        if not codes.use(tx, row, f"{said.option} {said.ref}"):
            raise Conflict("This code was used at this moment. Nothing was done a second time.")
        digest = str(row["payload_hash"]) if proposal else ""
        if said.option == "defer":
            snoozing.snooze_in(self._desk, tx, card["id"], digest=digest, who=who, via=said.via)
        else:
            given = {"digest": digest, "who": who, "via": said.via, "edits": None, "reason": said.reason}
            self._desk.decide_in(tx, card["id"], said.option, **given)
        payload = {"option": said.option, "via": said.via, "to": row["sent_to"]}
        tx.append("code.used", subject=card["id"], payload=payload, actor=who)
        return str(card["title"])

    def _open(self, conn: Any, row: Mapping[str, Any], ref: str) -> tuple[dict[str, Any], dict[str, Any] | None, str]:
        """Card, proposal and person of a live code; an empty card when this very mail used it before."""
        if row["used"] and ref and str(row["outcome"]).endswith(f" {ref}"):
            return {}, None, ""
        zone = self._desk.settings.business.timezone
        if row["used"]:
            raise Conflict(f"This code was used {letters.when(row['used'], zone)}. Nothing was done a second time.")
        card, now = tasks.get(conn, row["card"]), iso(self._desk.store.clock())
        proposal = _about(conn, card)
        if row["expires"] <= now:
            raise Conflict(f"This code ended {letters.when(row['expires'], zone)}. Nothing was done.")
        if card["state"] != "open":
            raise Conflict(f"This card is {card['state']} already. Nothing was done.")
        if bound(card, proposal) != row["payload_hash"]:
            raise StaleHash("It changed after this letter was written. Nothing was done; it waits in the console.")
        if judged(conn, card, proposal) == "high":
            raise NotAllowed("This is decided in the console only. Nothing was done.")
        return card, proposal if card["type"] in ("proposal", "change") else None, self._who(row, card, now)

    def _who(self, row: Mapping[str, Any], card: Mapping[str, Any], now: str) -> str:
        """The person a code belongs to: the operator, or whom the card is with just now."""
        if row["sent_to"] in own_addresses(self._desk.settings):
            return OPERATOR
        person = self._desk.settings.people.get(card["delegate"])
        if person and person.email.casefold() == row["sent_to"] and card["snoozed_until"] > now:
            return str(card["delegate"])
        raise Conflict("This card is not with you any more. Nothing was done.")

    @staticmethod
    def _title(conn: Any, card: str) -> str:
        return str(tasks.get(conn, card)["title"])

    # ----- links

    async def look(self, token: str) -> Look:
        """What a link shows; looking decides nothing and uses nothing up."""
        return await self._desk.store.read(lambda conn: self._look(conn, token))

    def _look(self, conn: Any, token: str) -> Look:
        row = self._of_token(conn, token)
        if row is None:
            return Look(gone="This link is not known here.", status=404)
        try:
            card, proposal, who = self._open(conn, row, "")
        except SoloistError as error:
            return Look(gone=error.detail.replace("This code", "This link"), status=410)
        options = str(row["option"]).split()
        found = letters.shown(card, proposal, judged(conn, card, proposal), options, until=row["expires"])
        return Look(found, who=who, options=tuple(options))

    async def press(self, token: str, option: str, reason: str = "") -> str:
        """Decide by a link, once; answers the card's title (NotFound, Conflict, StaleHash, NotAllowed)."""

        def work(tx: Tx) -> str:
            row = self._of_token(tx.conn, token)
            if row is None:
                raise NotFound("This link is not known here. Nothing was done.")
            return self.decide_in(tx, row, Said(option, "link", reason))

        return await self._desk.store.write(work)

    async def comment(self, token: str, text: str) -> None:
        """Leave words on the card of a live link without deciding (NotFound, Conflict)."""

        def work(tx: Tx) -> None:
            row = self._of_token(tx.conn, token)
            if row is None:
                raise NotFound("This link is not known here. Nothing was kept.")
            card, _proposal, who = self._open(tx.conn, row, "")
            if len([n for n in tasks.annotations_of(tx.conn, card["id"]) if n["actor"] == who]) >= 20:
                raise Conflict("There are 20 comments from here already. Nothing was kept.")
            tasks.annotate(tx, card["id"], "comment", text[:2000], actor=who)
            tx.append("card.commented", subject=card["id"], payload={"via": "link"}, actor=who)

        await self._desk.store.write(work)

    def _of_token(self, conn: Any, token: str) -> dict[str, Any] | None:
        """The row of a link that carries our seal."""
        if not self.secrets.mark_of(token):
            return None
        return codes.find(conn, self.secrets.hash(codes.LINK, token))


def _about(conn: Any, card: Mapping[str, Any]) -> dict[str, Any] | None:
    """The proposal a card is about, if it is about one."""
    return proposals.find(conn, card["subject"]) if card["subject_kind"] == "proposal" else None


def _sooner(one: str, other: str) -> str:
    """The earlier of two instants; "" counts as never."""
    return min(one, other) if other else one


def _only_here(base: str) -> bool:
    """Whether an address means this machine."""
    host = urlsplit(base).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
