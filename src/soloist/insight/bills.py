"""Bills on one page: what is to be paid, what is owed to you, payments without an invoice; nothing is paid here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import bills
from soloist.engine.store import records as rows
from soloist.engine.store.reading import Connection
from soloist.insight import words
from soloist.kernel import bills as rules

WEEK = 7
MOST = 100


@dataclass(frozen=True)
class BillLine:
    """An invoice that is open: whose, how much is left, when due; ``doubts`` are checks that failed, in words."""

    id: str
    number: str
    whose: str
    left: str
    due: str
    tone: str
    account: str = ""
    sure: bool = False
    supplier: str = ""
    doubts: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class LooseLine:
    """A payment that names no invoice, with those it could be: (id, words)."""

    id: str
    text: str
    amount: str
    day: str
    could_be: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class BillsPage:
    """What is to be paid, what is owed to you, what came without an invoice, and the line of the week."""

    to_pay: tuple[BillLine, ...]
    owed: tuple[BillLine, ...]
    loose: tuple[LooseLine, ...]
    line: str


def page(conn: Connection, today: str) -> BillsPage:
    """The page on a day (ISO)."""
    paid = bills.payments(conn, states=("received",), loose=False)
    received = bills.invoices(conn, received=True, states=bills.OPEN_RECEIVED)
    own = bills.invoices(conn, received=False, states=bills.OPEN_OWN)
    left = {row["id"]: rules.left(row, paid) for row in (*received, *own)}
    reminded = _reminded(conn)
    return BillsPage(
        to_pay=tuple(_line(conn, row, left[row["id"]], today) for row in _sorted(received))[:MOST],
        owed=tuple(
            _line(conn, row, left[row["id"]], today, reminded.get(row["id"], ""))
            for row in _sorted(own)
            if left[row["id"]] > 0
        )[:MOST],
        loose=tuple(_loose(conn, [*own, *received], left))[:MOST],
        line=_told(received, left, today),
    )


def line(conn: Connection, today: str) -> str:
    """What is due within a week, in one line of the morning brief: "" when there is nothing."""
    paid = bills.payments(conn, states=("received",), loose=False)
    received = bills.invoices(conn, received=True, states=bills.OPEN_RECEIVED)
    return _told(received, {row["id"]: rules.left(row, paid) for row in received}, today)


def _told(received: Sequence[Mapping[str, Any]], left: Mapping[str, int], today: str) -> str:
    due = [
        row for row in received if rules.within(str(row["body"].get("due", "")), today, WEEK) and left[row["id"]] > 0
    ]
    if not due:
        return ""
    sums: Counter[str] = Counter()
    for row in due:
        sums[rules.money_of(row)[1]] += left[row["id"]]
    said = ", ".join(words.money(minor, currency) for currency, minor in sorted(sums.items()))
    named = ", ".join(str(row["body"]["number"]) for row in _sorted(due)[:5])
    return f"{len(due)}: {said} ({named}{', ...' if len(due) > 5 else ''})"


def _sorted(found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(found, key=lambda row: (str(row["body"].get("due") or "9"), str(row["id"])))


def _line(conn: Connection, row: Mapping[str, Any], left: int, today: str, note: str = "") -> BillLine:
    """One open invoice; ``left`` in minor units."""
    role = "supplier" if row["body"].get("direction") == "received" else "client"
    body, due = row["body"], str(row["body"].get("due") or "")
    whose = str(body.get(role) or "")
    known = rows.standing(conn, whose) if whose else None
    account = str(body.get("pay_to") or body.get("printed_account") or "")
    doubts = tuple(str(one["words"]) for one in body.get("checks") or [] if not one["passed"])
    tone = "bad" if due and due < today else "warn" if rules.within(due, today, WEEK) else ""
    return BillLine(
        id=str(row["id"]),
        number=str(body.get("number") or row["title"]),
        whose=known["title"] if known else "",
        left=words.money(left, rules.money_of(row)[1]),
        due=due,
        tone=tone,
        account=account if role == "supplier" else "",
        sure=bool(body.get("pay_to")),
        supplier=whose,
        doubts=doubts,
        note=note,
    )


def _reminded(conn: Connection) -> dict[str, str]:
    """By invoice: how often it was reminded of, and whether a reminder waits."""
    told: dict[str, str] = {}
    for state, said in (("approved", "reminded"), ("waiting", "a reminder waits in your inbox")):
        for row in bills.proposed(conn, "agent:billing", (state,)):
            about = (row["evidence"] or {}).get("reminder") or {}
            if about:
                told[str(about["invoice"])] = f"{said} (stage {about['stage']})" if state == "approved" else said
    return told


def _loose(conn: Connection, invoices: Sequence[Mapping[str, Any]], left: Mapping[str, int]) -> Iterable[LooseLine]:
    names = {row["id"]: f"{row['body'].get('number', '')} {words.money(*rules.money_of(row))}" for row in invoices}
    for row in reversed(bills.payments(conn, states=("received",), loose=True)):
        found = rules.match(row, invoices, left)
        could = found.could_be or tuple(ident for ident in names if left[ident] > 0)[:20]
        day, amount = str(row["body"].get("on", "")), words.money(*rules.money_of(row))
        yield LooseLine(row["id"], row["title"], amount, day, tuple((ident, names[ident]) for ident in could))
