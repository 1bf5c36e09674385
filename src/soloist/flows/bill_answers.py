"""Answers about bills: what a client asks or tells of an invoice, answered from its record, to whose it is only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.config import seconds
from soloist.engine.store import bills, conversations, proposals, records, releases, runs, tasks
from soloist.engine.store.tx import Tx
from soloist.flows import replies, wording
from soloist.flows.billing import AGENT, Billing
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.flows.paying import Owed, fact_of, owed, told_of
from soloist.kernel import bills as rules
from soloist.kernel.identity import normal_address
from soloist.kernel.ids import derived
from soloist.kernel.origin import Origin
from soloist.kernel.proposal import NewProposal, agent_proposal_id
from soloist.kernel.work import WorkItem
from soloist.stages.runtime.replying import pieces

MOST = 5
"""Invoices one answer speaks of."""
_PAID = re.compile(
    r"\b(?:(?:have|has|we|i|was|been|just|already)\s+(?:\w+\s+){0,2}(?:paid|transferred|wired|settled)"
    r"|payment (?:has been|was|is) (?:sent|made|on its way)|(?:ü|ue)berwiesen|bezahlt|beglichen|angewiesen"
    r"|avons (?:bien )?(?:pay[ée]|r[ée]gl[ée]|vir[ée])|ai (?:bien )?(?:pay[ée]|r[ée]gl[ée])"
    r"|virement (?:a [ée]t[ée]|est) (?:fait|effectu[ée]|parti)|hemos (?:pagado|transferido|abonado)"
    r"|he (?:pagado|transferido|abonado)|transferencia (?:est[áa] hecha|realizada))\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|nicht|noch nicht|pas|no|haven't|hasn't|n't|whether|if|ob|si)\b", re.IGNORECASE)
_STANDS = re.compile(
    r"invoice|bill\b|payment|paid|due|outstanding|rechnung|zahl|f[äa]llig|offen|bezahl|eingegangen|facture|paiement|pay[ée]"
    r"|r[ée]gl|[ée]ch[ée]ance|factura|pago|pagad|vence|pendiente|status|stand\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Asked:
    """What a message says about invoices: whose it is, those it names, what it asks, what it says was paid."""

    message: Mapping[str, Any]
    parties: tuple[str, ...]
    named: Sequence[Mapping[str, Any]] = ()
    theirs: Sequence[Mapping[str, Any]] = ()
    questions: tuple[str, ...] = ()
    paid: bool = False
    other: bool = False


class BillAnswers:
    """Answers one message about money."""

    def __init__(self, desk: Desk, billing: Billing) -> None:
        """The stages of one process."""
        self._desk, self._billing = desk, billing

    async def answer(self, run: str, message_id: str, who: Mapping[str, Any]) -> dict[str, Any]:
        """Note what was announced, warn of an account, propose an answer from records; {taken} says whether it was all.

        A message that names no invoice of theirs is left to who answers everything else.
        """
        agent = self._desk.runtime.roster.working(AGENT)
        for kind in ("invoice", "payment", "person", "company", "conversation"):
            agent.may_read(kind)
        asked, now = await self._desk.store.read(lambda conn: self._asked(conn, message_id, who))
        if await self._accounts(run, asked):
            return {"taken": True, "why": "an account"}
        if asked.paid and (asked.named or asked.theirs):
            sums = await self._billing.use(run, asked.message, "money", {"text": _own(asked.message)[:20_000],
                                           "currency": self._desk.settings.business.currency})  # fmt: skip
            told = await self._desk.store.write(lambda tx: self._announced(tx, run, asked, sums["sums"], now))
            if told["payment"] and not asked.questions:
                return {"taken": True, "why": "a payment was announced", **told}
        shown = asked.named or (asked.theirs if asked.questions and len(asked.theirs) <= MOST else ())
        if asked.other or not shown or not asked.questions:
            return {"taken": False}
        return await self._propose(run, asked, shown[:MOST], now)

    def _asked(self, conn: Any, message_id: str, who: Mapping[str, Any]) -> tuple[Asked, Owed]:
        """What the message is about, from its words and our records."""
        message = conversations.message(conn, message_id)
        ids = [str(who.get(name) or "") for name in ("person", "company")]
        person = records.get(conn, ids[0]) if ids[0] else None
        ids.append(str(person["body"].get("company") or "") if person else "")
        parties = tuple(dict.fromkeys(one for one in ids if one))
        own = bills.invoices(conn, received=False)
        text, read = _own(message), message["understanding"] or {}
        named = rules.named(f"{message['subject']}\n{text}", own)
        theirs = [row for row in own if row["body"].get("client") in parties]
        questions = tuple(str(span["text"]) for span in read.get("questions") or ())
        notice = _notice(text)
        now = owed(conn)
        open_ = [row for row in theirs if now.open(row["id"])]
        mine = [row for row in named if row in theirs]
        return Asked(
            message=message,
            parties=parties,
            named=mine,
            theirs=open_,
            questions=questions,
            paid=notice >= 0 and not _within(notice, text, questions),
            other=len(mine) < len(named),
        ), now

    async def _accounts(self, run: str, asked: Asked) -> bool:
        """Whether a supplier's mail names another account than theirs; then a card warns, and nothing is answered."""
        found = await self._billing.use(run, asked.message, "identifiers", {"text": _own(asked.message)[:100_000]})
        accounts = [str(one["value"]) for one in found["identifiers"] if one["kind"] == "iban"]
        if not accounts or not asked.parties:
            return False

        def work(tx: Tx) -> bool:
            warned = [
                self._billing.accounts.warn_of(tx, run, asked.message, account, party)
                for account in accounts[:3]
                for party in asked.parties
            ]
            return any(warned)

        return await self._desk.store.write(work)

    # ----- what was paid, they say

    def _announced(
        self, tx: Tx, run: str, asked: Asked, sums: Sequence[Mapping[str, Any]], now: Owed
    ) -> dict[str, Any]:
        """An expected payment for the one invoice they mean; {payment} is "" when it cannot be told which."""

        def note() -> dict[str, Any]:
            open_ = [row for row in (asked.named or asked.theirs) if now.open(row["id"])]
            said = {(one["minor"], one["currency"]) for one in sums}
            fits = [row for row in open_ if (now.left[row["id"]], rules.money_of(row)[1]) in said]
            one = open_ if len(open_) == 1 else fits
            if len(one) != 1:
                return {"payment": ""}
            return {"payment": self._expect(tx, run, asked.message, one[0], now.left[one[0]["id"]])}

        return dict(runs.once(tx, run, "announced", note, given={"message": asked.message["id"]}))

    def _expect(self, tx: Tx, run: str, message: Mapping[str, Any], bill: Mapping[str, Any], left: int) -> str:
        """The payment they announce, as expected money: nothing counts as paid by it."""
        ident = derived("payment", "announced", bill["id"])
        body = {
            "reference": str(bill["body"]["number"]),
            "amount": {"minor": left, "currency": rules.money_of(bill)[1]},
            "direction": "in",
            "on": str(message["at"])[:10],
            "invoice": bill["id"],
            "client": bill["body"].get("client", ""),
        }
        body = {name: value for name, value in body.items() if value}
        self._desk.runtime.roster.get(AGENT).may_write("payment", body)
        if not records.history(tx.conn, ident, limit=1):
            why = f"{message['sender']} says that it is paid; it counts when it arrives"
            records.create(
                tx, "payment", "", body, ident=ident, state="expected", why=why, run=run, actor=AGENT, by="outside"
            )
        tasks.annotate(tx, message["id"], "billing", f"They say that invoice {bill['body']['number']} is paid.")
        return ident

    # ----- what they ask

    async def _propose(self, run: str, asked: Asked, shown: Sequence[Mapping[str, Any]], now: Owed) -> dict[str, Any]:
        """The answer as a draft: how each invoice stands, from its record."""
        message, today = asked.message, self._desk.store.clock().astimezone(self._desk.settings.business.zone)
        facts = [fact_of(row, _left(row, now), today.date().isoformat()) for row in shown]
        rest = [text for text in asked.questions if not _STANDS.search(text)]
        language = await self._billing.use(run, message, "language", {"text": _own(message)[:20_000],
                                           "default": message["language"] or "en"})  # fmt: skip
        given = {
            "kind": "status",
            "bills": facts,
            "language": message["language"] or language["language"],
            "sender_name": message["sender_name"],
            "subject": message["subject"] or " ",
            "open": rest[:MOST],
            **await wording.frame(self._desk, AGENT),
        }
        origin = Origin(frozenset({"outside", "own"}), frozenset({f"message:{message['id']}"}))
        item = WorkItem(run, "draft_bill", AGENT, "draft_bill", given, wanted="how invoices stand", origin=origin)
        to = str(message["answer_to"] or message["sender"])
        kept = await replies.ruled(self._desk, (await self._desk.runtime.work(item)).value, to)
        draft = kept.draft
        checked = {
            "draft": dict(draft),
            "house_book": given["house_book"],
            "message_text": "\n".join([str(message["subject"]), str(message["text"]), *map(told_of, facts)]),
            "recipient": to,
            "allowed_recipients": [message["sender"], *(message["recipients"] or [])],
        }
        check = WorkItem(run, "check_draft", "supervisor", "check_draft", checked, origin=origin)
        faults = tuple(str(fault) for fault in (await self._desk.runtime.work(check)).value["faults"])
        letter = _Letter(draft, to, (*faults, *kept.faults), kept.used, tuple(facts), tuple(rest), origin)
        return await self._desk.store.write(lambda tx: self._put(tx, run, asked, letter))

    def _put(self, tx: Tx, run: str, asked: Asked, letter: _Letter) -> dict[str, Any]:
        """The proposal, once; an older draft on the thread is withdrawn."""
        message = asked.message

        def propose() -> dict[str, Any]:
            replies.withdraw_older(self._desk, tx, message["conversation"])
            agent = self._desk.runtime.roster.get(AGENT)
            agent.may_propose(MAIL_OPERATION, proposals.made_in(tx.conn, run))
            thread = conversations.get(tx.conn, message["conversation"])
            out = self._desk.mail_out(thread["channel"])
            asks = [f"They also ask: {text!r} Billing has no record that answers this." for text in letter.rest]
            asks += [f"The draft was checked and has a fault: {fault}" for fault in letter.faults]
            numbers = ", ".join(str(fact["number"]) for fact in letter.facts)
            new = NewProposal(
                id=agent_proposal_id(run, "bill answer", 0),
                connector=out,
                operation=MAIL_OPERATION,
                payload=replies.on_thread(message, letter.to, letter.draft),
                reason=f"They ask about {numbers}; the answer is what the record says.",
                source=f"agent:{AGENT}",
                run=run,
                agent=agent.label,
                evidence={
                    "message": message["id"],
                    "invoices": [dict(fact) for fact in letter.facts],
                    "template": letter.draft["template"],
                    "notes": letter.draft["notes"],
                    "follow_up": True,
                },
                questions=tuple({"text": text} for text in asks),
                record=asked.parties[0],
                conversation=message["conversation"],
                thread_head=thread["head"],
                expires_in=seconds(self._desk.settings.intake.reply_within),
                title=f"Reply to {message['sender_name'] or message['sender']}: {message['subject']}"[:160],
                new_recipient=normal_address(letter.to) != normal_address(message["sender"]),
                thread_known=True,
                origin=letter.origin,
            )
            made = self._desk.runtime.roster.made_with(AGENT)
            releases.made_with(tx, run, {**made, "pieces": pieces((), "supervisor")})
            done = self._desk.approvals.propose(tx, new, self._desk.facts(out, MAIL_OPERATION), actor=new.agent)
            self._desk.standing.note(tx, letter.used, done["id"], run)
            return {"taken": True, "proposals": [done["id"]]}

        return dict(runs.once(tx, run, "propose", propose, given={"message": message["id"]}))


@dataclass(frozen=True)
class _Letter:
    """A draft with what it rests on."""

    draft: Mapping[str, Any]
    to: str
    faults: tuple[str, ...]
    used: tuple[tuple[str, str], ...]
    facts: tuple[Mapping[str, Any], ...]
    rest: tuple[str, ...]
    origin: Origin


def _own(message: Mapping[str, Any]) -> str:
    """What they newly wrote."""
    return str((message["understanding"] or {}).get("own_text") or message["text"] or "")


def _notice(text: str) -> int:
    """Where a text says that something was paid, -1 when it does not, or says that it was not."""
    hits = (hit for hit in _PAID.finditer(text) if not _NOT.search(text[max(0, hit.start() - 24) : hit.end()]))
    return next((hit.start() for hit in hits), -1)


def _within(place: int, text: str, questions: Sequence[str]) -> bool:
    """Whether a place of a text lies in one of the questions: who asks whether it was paid has not said so."""
    starts = ((text.find(question), len(question)) for question in questions)
    return any(0 <= start <= place < start + length for start, length in starts)


def _left(row: Mapping[str, Any], now: Owed) -> int:
    """What is open of an invoice; 0 of one that is closed."""
    return now.left.get(row["id"], 0 if row["state"] in ("paid", "cancelled") else rules.money_of(row)[0])
