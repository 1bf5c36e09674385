"""Bills: pure rules of invoices and payments: whose an invoice is, which one a text names, what a payment pays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

Row = Mapping[str, Any]
SHORTEST = 3
"""Characters of a number by which an invoice can be named in a text."""


def bare(number: str) -> str:
    """A number without what people write differently: case, blanks and marks between its parts."""
    return re.sub(r"[\W_]", "", number).casefold()


def ours(party: Row, *, names: Sequence[str], vat_ids: Sequence[str], domain: str) -> bool:
    """Whether a seller is the operator: by VAT id, by the domain of its address, or by the name, exactly."""
    vat = bare(_value(party, "vat"))
    if vat and any(bare(one) == vat for one in vat_ids):
        return True
    mail = _value(party, "email").rpartition("@")[2].casefold()
    if domain and mail == domain.casefold():
        return True
    said = " ".join(_value(party, "name").casefold().split())
    return bool(said) and any(said == " ".join(name.casefold().split()) for name in names if name)


def _value(party: Row, name: str) -> str:
    return str((party.get(name) or {}).get("value", "") or "")


def named(text: str, invoices: Sequence[Row]) -> list[Row]:
    """The invoices whose number stands in a text as a word of its own, the longest numbers first."""
    found: list[Row] = []
    for row in sorted(invoices, key=lambda row: -len(str(row["body"].get("number", "")))):
        number = str(row["body"].get("number", ""))
        parts = re.findall(r"[^\W_]+", number)
        if len(bare(number)) < SHORTEST or not any(char.isdigit() for char in number):
            continue
        form = r"(?<![^\W_])" + r"[\W_]{0,3}".join(map(re.escape, parts)) + r"(?![^\W_])(?!-\d)"
        if re.search(form, text, re.IGNORECASE):
            found.append(row)
    return found


def money_of(row: Row) -> tuple[int, str]:
    """Minor units and currency of a record's amount, (0, "") when it has none."""
    sum_ = row["body"].get("amount") or {}
    return int(sum_.get("minor", 0)), str(sum_.get("currency", ""))


def left(invoice: Row, payments: Sequence[Row]) -> int:
    """Minor units of an invoice that are not paid; money in another currency pays nothing off."""
    minor, currency = money_of(invoice)
    wanted = "out" if invoice["body"].get("direction") == "received" else "in"
    paid = 0
    for row in payments:
        amount, unit = money_of(row)
        way = row["body"].get("direction") or "in"
        if row["body"].get("invoice") == invoice["id"] and row["state"] == "received" and unit == currency:
            paid += amount if way == wanted else -amount
    return minor - paid


@dataclass(frozen=True)
class Match:
    """What a payment pays: the one invoice, or those it could be; ``why`` in words."""

    invoice: str = ""
    could_be: tuple[str, ...] = ()
    why: str = ""


def match(payment: Row, invoices: Sequence[Row], owed: Mapping[str, int]) -> Match:
    """The open invoice a payment names and fits; without its number nothing is taken for granted.

    ``owed`` is what is left of each invoice. The number and the exact sum decide; a part payment needs the number of
    one single invoice; a sum that fits one invoice of the client who paid is offered, never taken.
    """
    minor, currency = money_of(payment)
    outward = payment["body"].get("direction") == "out"
    fits = [
        row
        for row in invoices
        if money_of(row)[1] == currency
        and (row["body"].get("direction") == "received") == outward
        and owed.get(row["id"], 0) > 0
    ]
    text = f"{payment['body'].get('reference', '')}\n{payment['body'].get('note', '')}"
    called = named(text, fits)
    exact = [row for row in called if owed[row["id"]] == minor]
    if len(exact) == 1:
        return Match(exact[0]["id"], why="its reference names the number, and the sum is what is open")
    if len(called) == 1 and 0 < minor < owed[called[0]["id"]]:
        return Match(called[0]["id"], why="its reference names the number; the sum is a part of what is open")
    if called:
        return Match(could_be=tuple(row["id"] for row in called), why="its reference names the number, the sum differs")
    whose = payment["body"].get("client")
    same = [row for row in fits if owed[row["id"]] == minor and (not whose or whose in _parties(row))]
    return Match(could_be=tuple(row["id"] for row in same), why="the sum is the same" if same else "")


def _parties(row: Row) -> tuple[Any, Any]:
    return row["body"].get("client"), row["body"].get("supplier")


def stage(due: str, today: str, after: Sequence[int]) -> int:
    """How many reminders are due on a day: 0 before the first, 1 from then on, and so on; 0 without a due day."""
    try:
        late = (date.fromisoformat(today) - date.fromisoformat(due)).days
    except ValueError:
        return 0
    return sum(late >= days for days in after)


def within(day: str, today: str, days: int) -> bool:
    """Whether a day (ISO) is over or lies at most so many days ahead."""
    try:
        return date.fromisoformat(day) <= date.fromisoformat(today) + timedelta(days=days)
    except ValueError:
        return False
