"""Paying: payments find their invoices, what is paid is closed, who is late is reminded by proposals; it pays nothing.

It follows the records: a bank row that was imported, a payment entered by hand and one a program wrote are the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from soloist.engine.store import bills, clients, conversations, proposals, records
from soloist.engine.store.clock import from_iso
from soloist.engine.store.tx import Tx
from soloist.flows import replies, wording
from soloist.flows.billing import AGENT
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.kernel import bills as rules
from soloist.kernel import money
from soloist.kernel.errors import SoloistError
from soloist.kernel.ids import derived
from soloist.kernel.origin import Origin
from soloist.kernel.proposal import NewProposal
from soloist.kernel.work import WorkItem
from soloist.stages.records import merging

LOOK_EVERY = 30.0
"""Seconds between two looks whether invoices or payments have changed, or the day has."""
MOST_WAITING = 5
"""Reminders that wait for the operator at once; the others stand on the page of bills until there is room."""
OLDEST = 180
"""Days after which a late invoice is no longer reminded of by itself."""
SOURCE = f"agent:{AGENT}"
KINDS = ("invoice", "payment")
_log = logging.getLogger("soloist.billing")


@dataclass(frozen=True)
class Owed:
    """Open invoices of both directions, what is left of each, and payments that were announced."""

    invoices: Sequence[Mapping[str, Any]] = ()
    left: Mapping[str, int] = field(default_factory=dict)
    announced: Mapping[str, str] = field(default_factory=dict)

    def open(self, ident: str) -> bool:
        """Whether something of an invoice is left to pay."""
        return self.left.get(ident, 0) > 0


def owed(conn: Any) -> Owed:
    """How all open invoices stand; ``announced`` is the day on which a payment of one was announced."""
    rows = bills.invoices(conn, received=False, states=bills.OPEN_OWN)
    rows += bills.invoices(conn, received=True, states=bills.OPEN_RECEIVED)
    paid = bills.payments(conn, states=("received",), loose=False)
    announced = {
        str(row["body"]["invoice"]): str(row["body"].get("on", ""))
        for row in bills.payments(conn, states=("expected",), loose=False)
    }
    return Owed(rows, {row["id"]: rules.left(row, paid) for row in rows}, announced)


class Paying:
    """Keeps invoices true to the payments of one home and proposes reminders."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk
        self._seen: tuple[str, ...] = ()

    async def follow(self) -> None:
        """Look for as long as the server runs."""
        while True:
            try:
                await self.look()
            except SoloistError as error:
                _log.warning("payments were not looked at: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> dict[str, list[str]]:
        """Match, close, withdraw and remind where something has changed; ids {matched, paid, withdrawn, proposed}."""
        mark = await self._mark()
        if mark == self._seen:
            return {}
        done = await self._desk.store.write(self._settle)
        done["proposed"] = await self._remind()
        self._seen = await self._mark()
        return done

    async def _mark(self) -> tuple[str, ...]:
        found = await self._desk.store.read(lambda conn: records.newest_changes(conn, KINDS))
        return (self._today(), *(f"{kind} {at}" for kind, at in sorted(found.items())))

    def _today(self) -> str:
        return self._desk.store.clock().astimezone(self._desk.settings.business.zone).date().isoformat()

    # ----- payments

    def _settle(self, tx: Tx) -> dict[str, list[str]]:
        """Payments to their invoices, invoices that are paid to their end, reminders of them back."""
        matched = [ident for row in bills.payments(tx.conn, states=("received",), loose=True)
                   if (ident := self._match(tx, row))]  # fmt: skip
        paid = [row["id"] for row in owed(tx.conn).invoices if self._paid(tx, row)]
        return {"matched": matched, "paid": paid, "withdrawn": self._withdraw(tx)}

    def _match(self, tx: Tx, payment: Mapping[str, Any]) -> str:
        """The invoice a payment was given to, "" when nothing says so for certain."""
        now = owed(tx.conn)
        found = rules.match(payment, now.invoices, now.left)
        if not found.invoice:
            return ""
        self.give(tx, payment, found.invoice, why=f"matched: {found.why}", actor=AGENT)
        return str(payment["id"])

    def give(self, tx: Tx, payment: Mapping[str, Any], invoice: str, *, why: str, actor: str) -> None:
        """Let a payment pay an invoice; what was announced of it has come and is one with it."""
        bill = records.get(tx.conn, invoice, "invoice")
        fields: dict[str, Any] = {"invoice": invoice}
        if not payment["body"].get("client") and bill["body"].get("client"):
            fields["client"] = bill["body"]["client"]
        if actor == AGENT:
            self._desk.runtime.roster.get(AGENT).may_write("payment", fields)
        by = "system" if actor == AGENT else ""
        records.write(tx, payment["id"], payment["version"], fields, why=why, actor=actor, by=by)
        sum_ = rules.money_of(payment)
        for row in bills.payments(tx.conn, states=("expected",), loose=False):
            if row["body"].get("invoice") == invoice and rules.money_of(row) == sum_ and row["id"] != payment["id"]:
                merging.merge(tx, payment["id"], row["id"], {}, who="soloist", why="the payment came as announced")
                break

    async def give_by_hand(self, payment: str, invoice: str, *, who: str) -> None:
        """A payment pays an invoice on the operator's word (NotFound); what is paid by it is closed at once."""

        def work(tx: Tx) -> None:
            row = records.get(tx.conn, payment, "payment")
            self.give(tx, row, invoice, why="you said what it pays", actor=who)
            self._settle(tx)

        await self._desk.store.write(work)

    def _paid(self, tx: Tx, bill: Mapping[str, Any]) -> bool:
        """Close an invoice of which nothing is left; one without a sum, or with no payment, stays as it is."""
        mine = [
            row
            for row in bills.payments(tx.conn, states=("received",), loose=False)
            if row["body"].get("invoice") == bill["id"]
        ]
        if not mine or rules.left(bill, mine) > 0:
            return False
        self._desk.runtime.roster.get(AGENT).may_write("invoice", ["state", "paid_on"])
        last = max(str(row["body"].get("on") or "") for row in mine)
        fields = {"paid_on": last} if last else {}
        why = f"paid: {', '.join(row['title'] or row['id'] for row in mine)[:200]}"
        records.write(tx, bill["id"], bill["version"], fields, why=why, actor=AGENT, by="system", state="paid")
        return True

    # ----- reminders

    def _withdraw(self, tx: Tx) -> list[str]:
        """Take back what waits and is no longer true: the invoice is paid, announced, or no longer asked for."""
        now, found = owed(tx.conn), []
        for row in bills.proposed(tx.conn, SOURCE, ("waiting",)):
            about = (row["evidence"] or {}).get("reminder") or {}
            invoice = str(about.get("invoice", ""))
            if not invoice:
                continue
            why = ""
            if not now.open(invoice):
                why = "The invoice is paid or no longer open."
            elif self._announced(now, invoice):
                why = "They announced the payment."
            if why:
                self._desk.approvals.withdraw(tx, row["id"], actor="soloist", why=why)
                found.append(str(row["id"]))
        return found

    def _announced(self, now: Owed, invoice: str) -> bool:
        """Whether a payment was announced so lately that nobody is reminded."""
        day = now.announced.get(invoice, "")
        if not day:
            return False
        until = date.fromisoformat(day[:10]) + timedelta(days=self._desk.settings.billing.expect_within)
        return until.isoformat() >= self._today()

    async def _remind(self) -> list[str]:
        """Propose what is due, the oldest first, as long as there is room in the inbox."""
        try:
            self._desk.runtime.roster.working(AGENT)
        except SoloistError:
            return []
        found = await self._desk.store.read(self._due)
        made = []
        for bill, stage, count in found:
            if ident := await self._propose(bill, stage, count):
                made.append(ident)
        return made

    def _due(self, conn: Any) -> list[tuple[Mapping[str, Any], int, int]]:
        """Late invoices of ours whose stage has no proposal yet: (invoice, stage, which reminder in words)."""
        now, today = owed(conn), self._today()
        waiting = {self._invoice_of(row) for row in bills.proposed(conn, SOURCE, ("waiting",))} - {""}
        sent: dict[str, int] = {}
        for row in bills.proposed(conn, SOURCE, ("approved",)):
            sent[self._invoice_of(row)] = sent.get(self._invoice_of(row), 0) + 1
        after, oldest = self._desk.settings.billing.remind_after, date.fromisoformat(today) - timedelta(days=OLDEST)
        found = []
        for bill in sorted(now.invoices, key=lambda row: str(row["body"].get("due", ""))):
            due = str(bill["body"].get("due") or "")
            stage = rules.stage(due, today, after)
            if bill["body"].get("direction") == "received" or not stage or due < oldest.isoformat():
                continue
            if bill["id"] in waiting or not now.open(bill["id"]) or self._announced(now, bill["id"]):
                continue
            if proposals.find(conn, _ident(bill["id"], stage)) is None and address_of(conn, bill)[0]:
                found.append((bill, stage, sent.get(bill["id"], 0) + 1))
        return found[: max(0, MOST_WAITING - len(waiting))]

    @staticmethod
    def _invoice_of(row: Mapping[str, Any]) -> str:
        return str(((row["evidence"] or {}).get("reminder") or {}).get("invoice", ""))

    async def _propose(self, bill: Mapping[str, Any], stage: int, count: int) -> str:
        """A reminder of one invoice as a proposal; its recipient and its figures are those of the records."""
        (address, name, language, whose), left = await self._desk.store.read(
            lambda conn: (address_of(conn, bill), owed(conn).left.get(bill["id"], 0))
        )
        facts = fact_of(bill, left, self._today())
        given = {
            "kind": "reminder",
            "bills": [facts],
            "stage": count,
            "language": language or self._desk.settings.business.language,
            "sender_name": name,
            **await wording.frame(self._desk, AGENT),
        }
        run = f"reminder:{bill['id']}:{stage}"
        made = (await self._desk.runtime.work(_item(run, "draft_bill", given, bill))).value
        kept = await replies.ruled(self._desk, made, address)
        draft = kept.draft
        faults = [*await self._check(run, draft, facts, address), *kept.faults]

        def work(tx: Tx) -> str:
            if proposals.find(tx.conn, _ident(bill["id"], stage)) is not None or not owed(tx.conn).open(bill["id"]):
                return ""
            self._desk.runtime.roster.get(AGENT).may_propose(MAIL_OPERATION)
            out = self._desk.mail_out()
            thread = conversations.open_new(tx, out, str(draft["subject"]).casefold())
            conversations.assign(tx, thread, whose)
            late = (from_iso(f"{self._today()}T00:00:00Z") - from_iso(f"{facts['due']}T00:00:00Z")).days
            new = NewProposal(
                id=_ident(bill["id"], stage),
                connector=out,
                operation=MAIL_OPERATION,
                payload={"to": [address], "subject": draft["subject"], "body": draft["body"]},
                reason=f"The invoice {facts['number']} was due on {facts['due']}, {late} days ago, and is not paid.",
                source=SOURCE,
                agent=self._desk.runtime.agents[AGENT].label,
                evidence={
                    "reminder": {"invoice": bill["id"], "stage": stage, "version": bill["version"], **facts},
                    "follow_up": True,
                    "template": draft["template"],
                    "notes": draft["notes"],
                    **({"faults": faults} if faults else {}),
                },
                questions=tuple({"text": f"The draft was checked and has a fault: {fault}"} for fault in faults),
                record=whose,
                conversation=thread,
                origin=Origin(frozenset({"own"}), frozenset({f"record:{bill['id']}"})),
                title=f"Remind {name or address} of invoice {facts['number']}",
                value_minor=left,
                currency=str(facts["currency"]),
                expires_in=14 * 86400.0,
                new_recipient=False,
                thread_known=True,
            )
            done = self._desk.approvals.propose(tx, new, self._desk.facts(out, MAIL_OPERATION), actor=new.agent)
            self._desk.standing.note(tx, kept.used, str(done["id"]), run)
            return str(done["id"])

        return await self._desk.store.write(work)

    async def _check(self, run: str, draft: Mapping[str, Any], facts: Mapping[str, Any], to: str) -> list[str]:
        """The supervisor's look at the letter: its figures are held against the record."""
        given = {
            "draft": dict(draft),
            "house_book": "",
            "message_text": told_of(facts),
            "recipient": to,
            "allowed_recipients": [to],
        }
        item = WorkItem(run, "check_draft", "supervisor", "check_draft", given, origin=Origin(frozenset({"own"})))
        return [str(fault) for fault in (await self._desk.runtime.work(item)).value["faults"]]


def _ident(invoice: str, stage: int) -> str:
    """The id of the reminder of one stage: there is one."""
    return derived("proposal", "reminder", invoice, stage)


def _item(run: str, skill: str, given: Mapping[str, Any], bill: Mapping[str, Any]) -> WorkItem:
    origin = Origin(frozenset({"own"}), frozenset({f"record:{bill['id']}"}))
    return WorkItem(run, skill, AGENT, skill, given, wanted="a letter about an invoice of ours", origin=origin)


def fact_of(bill: Mapping[str, Any], left: int, today: str) -> dict[str, Any]:
    """An invoice of ours as a letter names it: number, sums and days of the record, and how it stands."""
    body, (minor, currency) = bill["body"], rules.money_of(bill)
    due, state = str(body.get("due") or ""), str(bill["state"])
    if state not in ("paid", "cancelled", "draft"):
        state = "part" if 0 < left < minor else "late" if due and due < today else "open"
    return {
        "number": str(body.get("number", "")),
        "minor": minor,
        "currency": currency,
        "left": left,
        "issued": str(body.get("issued") or ""),
        "due": due,
        "paid_on": str(body.get("paid_on") or ""),
        "state": state,
    }


def told_of(facts: Mapping[str, Any]) -> str:
    """The sums of an invoice as plain text, for the check that a letter names no other."""
    from_units = (facts["minor"], facts["left"], facts["minor"] - facts["left"])
    return "\n".join(f"{money.plain(minor, str(facts['currency']))} {facts['currency']}" for minor in from_units)


def address_of(conn: Any, bill: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Where a letter about an invoice goes: (address, name, language, record) of its client's record, "" for nobody."""
    whose = str(bill["body"].get("client") or "")
    row = records.standing(conn, whose) if whose else None
    if row is None:
        return "", "", "", ""
    body = row["body"]
    address = next(iter(body.get("emails") or []), "")
    name = str(body.get("name") or "") if row["kind"] == "person" else ""
    if not address and row["kind"] == "company":
        for person in clients.people_of(conn, row["id"]):
            if address := next(iter(person["body"].get("emails") or []), ""):
                name, body = str(person["body"].get("name") or ""), person["body"]
                break
    return str(address), name, str(body.get("language") or row["body"].get("language") or ""), str(row["id"])
