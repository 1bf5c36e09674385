"""Accounts of suppliers: another one than before is asked about, and only the operator's word makes one to pay to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import bills, records, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.bill_paper import Came, identity_of
from soloist.flows.desk import Desk
from soloist.kernel.ids import derived

SUBJECT = "account"
"""What a card about an account is about."""


class AccountCards:
    """Asks about accounts that changed and keeps what the operator says."""

    def __init__(self, desk: Desk) -> None:
        """Cards about accounts are answered here from now on."""
        desk.takers[SUBJECT] = self.about

    def doubt(self, came: Came, known: Accounts) -> str:
        """Why the account of an invoice must be asked about, "" when nothing speaks against it."""
        if conflict := next((one for one in came.whole["conflicts"] if one["field"] == "iban"), None):
            return str(conflict["words"])
        if not came.account or not known.seen or came.account in known.seen:
            return ""
        return f"The paper asks for payment to {came.account}; until now it was {', '.join(sorted(known.seen))}."

    def warn(self, tx: Tx, run: str, invoice: str, doubt: Doubt) -> None:
        """A card about an account that is not the one before; one for each supplier and account."""
        who = records.get(tx.conn, doubt.supplier)["title"] if doubt.supplier else "A sender"
        ident = derived("account", doubt.supplier, doubt.account)
        if tasks.answered(tx.conn, ident):  # once refused, it is asked about again with each new invoice
            ident = derived("account", doubt.supplier, doubt.account, invoice or run)
        tasks.open_card(
            tx,
            ident,
            "question",
            f"{who} names another account to be paid to"[:160],
            subject=invoice or doubt.supplier,
            subject_kind=SUBJECT,
            record=doubt.supplier,
            conversation=doubt.conversation,
            run=run,
            why=f"{doubt.words} This is the mark of a forged invoice. Ask them on a way you knew before, not on one "
            "that stands in this message.",
            detail={"account": doubt.account, "before": doubt.before, "supplier": doubt.supplier, "invoice": invoice},
            options=[
                {"name": "right", "label": "I asked them: it is theirs", "consequence": f"{doubt.account} is kept as "
                 "an account of theirs, on your word."},
                {"name": "wrong", "label": "It is not theirs", "consequence": "The account is kept nowhere"
                 + ("; the invoice is cancelled." if invoice else ".")},
                tasks.LATER,
            ],
            estimate=300,
            judgement=3,
            deadline=later(tx.now, 30 * 86400),
            at_expiry="Nothing is taken over.",
        )  # fmt: skip

    def warn_of(self, tx: Tx, run: str, message: Mapping[str, Any], account: str, supplier: str) -> bool:
        """A mail of a known supplier that names another account than theirs; whether a card tells of it."""
        known = accounts_of(tx.conn, supplier)
        if not known.seen or account in known.seen:
            return False
        words = f"A mail of theirs names the account {account}; until now it was {', '.join(sorted(known.seen))}."
        before = sorted(known.seen)
        self.warn(tx, run, "", Doubt(supplier, account, words, before, str(message["conversation"])))
        return True

    def about(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """The operator's word on an account: theirs from now on, or never taken over."""
        if option == tasks.LATER["name"]:
            tasks.snooze(tx, card["id"], later(tx.now, 16 * 3600), actor=who)
            return {"state": "waiting"}
        tasks.close(tx, card["id"], "done", {"option": option}, actor=who)
        told, invoice = card["detail"], str(card["detail"]["invoice"])
        if option == "right":
            self.confirm(tx, str(told["supplier"]), str(told["account"]), who=who)
        elif invoice and records.get(tx.conn, invoice)["state"] == "received":
            row = records.get(tx.conn, invoice)
            why = "you said that its account is not theirs"
            records.write(tx, invoice, row["version"], {}, why=why, actor=who, state="cancelled")
        return {"state": "confirmed" if option == "right" else "refused"}

    def confirm(self, tx: Tx, supplier: str, account: str, *, who: str) -> int:
        """An account of a supplier on the operator's word; how many open invoices are to be paid to it (BadInput)."""
        row, account = records.get(tx.conn, supplier), identity_of(account)
        if row["kind"] == "company" and account not in (row["body"].get("accounts") or []):
            accounts = [*(row["body"].get("accounts") or []), account]
            why = "you confirmed this account"
            records.write(tx, supplier, row["version"], {"accounts": accounts}, why=why, actor=who, by="operator")
        count = 0
        for bill in bills.invoices(tx.conn, received=True, states=bills.OPEN_RECEIVED, supplier=supplier):
            if bill["body"].get("printed_account") == account and bill["body"].get("pay_to") != account:
                checks = [one for one in bill["body"].get("checks") or [] if one["name"] != "account"]
                fields = {"pay_to": account, "checks": checks}
                why = "you confirmed the account"
                records.write(tx, bill["id"], bill["version"], fields, why=why, actor=who, by="operator")
                count += 1
        return count


@dataclass(frozen=True)
class Accounts:
    """The accounts of a supplier: those the operator confirmed, and all that were named without a doubt."""

    confirmed: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Doubt:
    """An account that is not the one before: whose, which, in words, and which there were."""

    supplier: str
    account: str
    words: str
    before: list[str]
    conversation: str = ""


def accounts_of(conn: Any, supplier: str) -> Accounts:
    """What is known of a supplier's accounts."""
    if not supplier:
        return Accounts()
    confirmed = frozenset(map(str, records.get(conn, supplier)["body"].get("accounts") or []))
    seen = set(confirmed)
    for row in bills.invoices(conn, received=True, supplier=supplier):
        doubted = any(one["name"] == "account" for one in row["body"].get("checks") or [])
        if row["state"] != "cancelled" and not doubted and row["body"].get("printed_account"):
            seen.add(str(row["body"]["printed_account"]))
    return Accounts(confirmed, frozenset(seen))
