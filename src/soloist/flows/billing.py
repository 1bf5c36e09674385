"""Billing: invoices that arrive are entered once, with the place of each value; doubtful accounts go to the operator.

An account to pay to is a control value: it is written on the operator's word only, whatever a paper says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.engine.store import bills, conversations, records, releases, runs, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.bill_accounts import AccountCards, Doubt, accounts_of
from soloist.flows.bill_paper import OUTSIDE, SAID, Came, alike, another, check, entered, thing
from soloist.flows.desk import Desk
from soloist.flows.papers import Paper
from soloist.kernel import bills as rules
from soloist.kernel import identity
from soloist.kernel.ids import derived
from soloist.kernel.origin import Origin
from soloist.kernel.work import WorkItem
from soloist.stages.records import merging

AGENT = "billing"
CHANGED = "invoice"
"""What a card about an invoice that came again with another content is about."""
CAME, AGAIN = "invoice.came", "invoice.came_again"
_SURE = ("vat", "domain")
COMPARED = ("number", "gross", "issued", "iban", "order")


@dataclass
class Entered:
    """What became of the invoices of one message."""

    made: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class Billing:
    """Enters invoices of one home and asks about what only the operator can know."""

    def __init__(self, desk: Desk) -> None:
        """Cards about accounts and changed invoices are answered here from now on."""
        self._desk = desk
        self.accounts = AccountCards(desk)
        desk.takers[CHANGED] = self.about_changed

    async def receive(self, run: str, message: Mapping[str, Any], read: Sequence[Paper]) -> dict[str, Any]:
        """Enter the invoices among the files of a message, once: {invoices, again, ours, left}."""
        papers = [paper for paper in read if paper.invoice]
        agent = self._desk.runtime.roster.working(AGENT)
        agent.may_read("invoice")
        agent.may_read("company")
        matches = [await self._before(run, message, paper) for paper in papers]
        dues = [await self._due(run, message, paper) for paper in papers]

        def work(tx: Tx) -> dict[str, Any]:
            def enter() -> dict[str, Any]:
                found = Entered()
                for paper, before, due in zip(papers, matches, dues, strict=True):
                    self._one(tx, run, message, Came(paper, before, due), found)
                releases.made_with(tx, run, {**self._desk.runtime.roster.made_with(AGENT), "agent": ""})
                return {"invoices": found.made, "again": found.again, "ours": found.ours, "left": found.left}

            return dict(runs.once(tx, run, "invoices", enter, given={"message": message["id"]}))

        return await self._desk.store.write(work)

    async def _before(self, run: str, message: Mapping[str, Any], paper: Paper) -> list[Mapping[str, Any]]:
        """What came before that is this invoice or like it."""
        known = await self._desk.store.read(lambda conn: bills.invoices(conn, received=True))
        given = {"kind": "invoice", "new": thing(paper), "known": [entered(row) for row in known]}
        found = await self.use(run, message, "duplicates", given, place=paper.part)
        return list(found["matches"])

    async def _due(self, run: str, message: Mapping[str, Any], paper: Paper) -> Mapping[str, Any]:
        """The day the mail itself names when the paper names none: {value, said}, empty for none."""
        came = Came(paper, ())
        if came.value("due"):
            return {}
        own = str((message["understanding"] or {}).get("own_text") or message["text"] or "")[:20_000]
        found = await self.use(run, message, "due_dates", {"text": own, "issued": came.value("issued")}, paper.part)
        return {"value": found["due"], "said": found["rests_on"]["span"]["text"]} if found["due"] else {}

    async def use(
        self, run: str, message: Mapping[str, Any], skill: str, given: Mapping[str, Any], place: int = 0
    ) -> Mapping[str, Any]:
        """One skill of billing on words of a message."""
        item = WorkItem(
            run,
            f"{skill} {place}",
            AGENT,
            skill,
            given,
            origin=Origin(frozenset({OUTSIDE}), frozenset({f"message:{message['id']}"})),
            flow="intake",
        )
        return (await self._desk.runtime.work(item)).value

    def _one(self, tx: Tx, run: str, message: Mapping[str, Any], came: Came, found: Entered) -> None:
        """One invoice: one of ours, one that was there before, one that only reminds, or a new one."""
        number = came.value("number")
        if rules.ours(came.read["seller"], **self._mine()):
            own = [row["id"] for row in rules.named(number, bills.invoices(tx.conn, received=False))]
            found.ours += own
            tasks.annotate(tx, message["id"], "billing", f"Your own invoice {number} came with this message.")
            return
        before = next((match for match in came.matches if match["verdict"] in ("same", "changed")), None)
        if came.read["kind"] == "reminder":
            before = before or next(iter(came.matches), None)
        if before is not None:
            self._again(tx, run, message, came, before)
            found.again.append(str(before["ref"]))
            return
        amount = came.amount(self._desk.settings.business.currency)
        if amount is None:
            told = f"The invoice {number} was not entered: its sum could not be read. The file is kept with the mail."
            tasks.annotate(tx, message["id"], "billing", told)
            found.left.append(told)
            return
        found.made.append(self._enter(tx, run, message, came, amount))

    def _mine(self) -> dict[str, Any]:
        business = self._desk.settings.business
        domain = identity.company_domain(business.email)
        return {
            "names": (business.name, business.owner),
            "vat_ids": self._desk.settings.billing.vat_ids,
            "domain": domain,
        }

    # ----- a new one

    def _enter(self, tx: Tx, run: str, message: Mapping[str, Any], came: Came, amount: dict[str, Any]) -> str:
        """The record of an invoice, with its supplier; what was checked stands with it."""
        agent = self._desk.runtime.roster.get(AGENT)
        supplier, how = self._supplier(tx, run, message, came)
        account, theirs = came.account, accounts_of(tx.conn, supplier)
        doubt = self.accounts.doubt(came, theirs)
        body: dict[str, Any] = {
            "number": came.value("number")[:200],
            "subject": came.subject(str(message["subject"])),
            "direction": "received",
            "supplier": supplier,
            "amount": amount,
            "tax": came.money("tax", amount["currency"]),
            "issued": came.value("issued"),
            "due": came.value("due") or came.due.get("value", ""),
            "order": came.value("order_reference")[:200],
            "printed_account": account,
            "document": str(message["asset"]),
            "read": came.places(),
            "checks": [*came.checks(), *([check("account", passed=False, words=doubt)] if doubt else [])],
            "message": message["id"],
            "origin": OUTSIDE,
        }
        if account and account in theirs.confirmed and not doubt:
            body["pay_to"] = account
        likely = next((one for one in came.matches if one["verdict"] == "likely"), None)
        if likely:
            body["checks"].append(check("twice", passed=False, words=alike(likely)))
        body = {name: value for name, value in body.items() if value not in ("", None, [])}
        agent.may_write("invoice", [name for name in body if name != "pay_to"])
        ident = derived("invoice", "received", message["id"], came.paper.part)
        why = f"it came with a mail of {message['sender']} ({how})"
        records.create(
            tx, "invoice", "", body, ident=ident, state="received", why=why, run=run, actor=AGENT, by=OUTSIDE
        )
        payload = {"number": body["number"], "supplier": supplier, "message": message["id"], "part": came.paper.part}
        tx.append(CAME, subject=ident, payload=payload, actor=AGENT, run=run)
        if not conversations.get(tx.conn, message["conversation"])["record"]:
            agent.may_write("conversation", ["record"])
            conversations.assign(tx, message["conversation"], supplier)
        if doubt:
            self.accounts.warn(tx, run, ident, Doubt(supplier, account, doubt, sorted(theirs.seen)))
        return ident

    def _supplier(self, tx: Tx, run: str, message: Mapping[str, Any], came: Came) -> tuple[str, str]:
        """Who sent the invoice: by VAT id, by the domain of their address, by likeness; else a new company."""
        keys = dict(came.keys(str(message["sender"])))
        fields = came.company(keys)
        for scheme in _SURE:
            ident = records.identified(tx.conn, scheme, keys[scheme]) if keys.get(scheme) else None
            if ident and not another(records.get(tx.conn, ident), keys):
                self._known(tx, run, ident, fields)
                self._link(tx, run, message, ident, keys)
                return ident, f"known by their {scheme.replace('vat', 'VAT id')}"
        alike = self._desk.records.resolve(tx, "company", fields)
        if alike.zone == "merge" and not another(records.get(tx.conn, alike.record), keys):
            self._known(tx, run, alike.record, fields)
            self._link(tx, run, message, alike.record, keys)
            return alike.record, "known by name and address"
        self._desk.runtime.roster.get(AGENT).may_write("company", fields)
        why = "an invoice of theirs came"
        ident = records.create(tx, "company", "", fields, state="supplier", why=why, run=run, actor=AGENT, by=OUTSIDE)
        self._link(tx, run, message, ident, keys)
        if alike.zone == "review":
            merging.propose(tx, alike.closest, ident, why=why, margin=alike.margin)
            merging.open_cards(tx)
        return ident, "new to you"

    def _known(self, tx: Tx, run: str, ident: str, fields: Mapping[str, Any]) -> None:
        """What a paper adds to a supplier who is known: only what is empty, and that they are one."""
        row = records.get(tx.conn, ident)
        if row["kind"] != "company":
            return
        fresh = {name: value for name, value in fields.items() if not row["body"].get(name) and name != "origin"}
        if fresh or not row["state"]:
            self._desk.runtime.roster.get(AGENT).may_write("company", fresh)
            state = row["state"] or "supplier"
            why = "an invoice of theirs came"
            records.write(tx, ident, row["version"], fresh, why=why, run=run, actor=AGENT, by=OUTSIDE, state=state)

    @staticmethod
    def _link(tx: Tx, run: str, message: Mapping[str, Any], ident: str, keys: Mapping[str, str]) -> None:
        """What they are found by the next time; an identifier that is somebody else's stays theirs."""
        proof = {"message": message["id"]}
        for scheme, value in keys.items():
            if value:
                records.link(tx, scheme, value, ident, rule="invoice", evidence=proof, run=run)

    # ----- what came before

    def _again(self, tx: Tx, run: str, message: Mapping[str, Any], came: Came, before: Mapping[str, Any]) -> None:
        """The same invoice once more is told and not entered; with another content the operator is asked."""
        ident, number = str(before["ref"]), came.value("number")
        row = records.get(tx.conn, ident)
        payload = {"message": message["id"], "verdict": before["verdict"], "part": came.paper.part}
        tx.append(AGAIN, subject=ident, payload=payload, actor=AGENT, run=run)
        reminder = came.read["kind"] == "reminder"
        told = f"They remind you of the invoice {number}." if reminder else f"The invoice {number} came before."
        tasks.annotate(tx, message["id"], "billing", f"{told} It was not entered again.")
        tasks.annotate(tx, ident, "billing", f"It came again on {message['at'][:10]}{' as a reminder' * reminder}.")
        differs = [one for one in before["evidence"] if one["relation"] == "differs" and one["field"] in COMPARED]
        if before["verdict"] != "changed" or reminder or row["state"] == "cancelled":
            return
        words = "; ".join(f"{SAID.get(one['field'], one['field'])} {one['new']} instead of {one['known']}"
                          for one in differs)  # fmt: skip
        amount = came.amount(self._desk.settings.business.currency) or row["body"].get("amount")
        fields = {"amount": amount, "issued": came.value("issued"), "due": came.value("due")}
        fields |= {"printed_account": came.account, "order": came.value("order_reference")[:200]}
        tasks.open_card(
            tx,
            derived("changed", ident, message["id"], came.paper.part),
            "question",
            f"Invoice {number} came again with another content"[:160],
            subject=ident,
            subject_kind=CHANGED,
            record=str(row["body"].get("supplier", "")),
            conversation=message["conversation"],
            run=run,
            why=f"It names {words}. That is how a correction looks, and how a forged invoice looks. "
            "What was entered first stays until you say otherwise.",
            detail={"fields": {name: value for name, value in fields.items() if value}, "message": message["id"]},
            options=[
                {"name": "keep", "label": "Keep the first", "consequence": "The second is not entered."},
                {"name": "take", "label": "Take the second", "consequence": "Its values become a new version; the "
                 "account to pay to stays as you confirmed it."},
                tasks.LATER,
            ],
            estimate=120,
            judgement=2,
            deadline=later(tx.now, 30 * 86400),
            at_expiry="The first one stays as it was entered.",
        )  # fmt: skip

    def about_changed(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """The operator's word on an invoice that came again: it stays, or takes over the new values but no account."""
        if option == tasks.LATER["name"]:
            tasks.snooze(tx, card["id"], later(tx.now, 16 * 3600), actor=who)
            return {"state": "waiting"}
        tasks.close(tx, card["id"], "done", {"option": option}, actor=who)
        if option != "take":
            return {"state": "kept"}
        row = records.get(tx.conn, card["subject"])
        fields = dict(card["detail"]["fields"])
        why = "you took the values of the invoice that came later"
        done = records.write(tx, row["id"], row["version"], fields, why=why, actor=who)
        return {"state": "taken", "version": done["version"]}
