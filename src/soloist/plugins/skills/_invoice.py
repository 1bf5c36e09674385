"""What an invoice says, each value with the place it was read at; reads nothing itself."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen

InvoiceKind = Literal["invoice", "credit_note", "correction", "reminder", "order", "unknown"]
InvoiceFormat = Literal["factur-x", "zugferd-1", "cii", "ubl", "text", "none"]

KINDS: dict[str, InvoiceKind] = {
    **dict.fromkeys(
        "80 82 84 130 202 203 204 211 218 219 295 325 326 331 380 382 383 385 386 387 388 389 390 393 394"
        " 395 456 457 527"
        " 575 623 633 751 780 817 870 875 876 877 935".split(),
        "invoice",
    ),
    **dict.fromkeys("81 83 261 262 296 308 381 396 420 458 502 503 532".split(), "credit_note"),
    **dict.fromkeys("384 471 472 473 500 501".split(), "correction"),
    **dict.fromkeys("220 221 225 227 231".split(), "order"),
    "71": "reminder",
}
"""Codes of UNTDID 1001 as used by EN 16931 and its French and German extensions."""

_NONE = {"JPY", "KRW", "CLP", "ISK", "VND", "XAF", "XOF", "XPF", "PYG", "UGX", "RWF", "GNF", "KMF", "DJF", "BIF", "VUV"}
_THREE = {"KWD", "BHD", "OMR", "TND", "JOD", "IQD", "LYD"}


class Source(Frozen):
    """Where a value stands: ``path`` in the XML, or ``start`` and ``end`` in ``text``; ``said`` is verbatim."""

    where: Literal["xml", "text"]
    said: str
    path: str = ""
    start: int = -1
    end: int = -1


class Text(Frozen):
    """A value that is text."""

    value: str
    source: Source


class Day(Frozen):
    """A day, ISO 8601; ``computed`` when it follows from the issue date and the words of the source."""

    value: str
    source: Source
    computed: bool = False


class Amount(Frozen):
    """An amount in minor units; ``currency`` is ISO 4217, "" when the document names none."""

    minor: int
    currency: str
    source: Source


class Party(Frozen):
    """The seller or the buyer; what is absent was not found."""

    name: Text | None = None
    street: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    country: Text | None = None
    vat: Text | None = None
    tax_number: Text | None = None
    email: Text | None = None


class Account(Frozen):
    """An account to be paid to."""

    iban: Text
    bic: Text | None = None


class Line(Frozen):
    """One line; ``price`` and ``quantity`` are decimals as text, since prices may be finer than a cent."""

    name: Text | None = None
    quantity: Text | None = None
    unit: str = ""
    price: Text | None = None
    rate: Text | None = None
    total: Amount | None = None
    counts: bool = True


class Tax(Frozen):
    """The tax of one rate (percent, decimal as text)."""

    rate: str
    basis: Amount | None = None
    tax: Amount | None = None


class Check(Frozen):
    """Something that was looked at: passed or not, in plain words."""

    name: str
    passed: bool
    words: str


class Conflict(Frozen):
    """The XML says one thing and the visible text another: what a careful person asks about before paying."""

    field: str
    words: str
    xml: Source
    text: Source | None = None


class Invoice(Frozen):
    """Everything that was found; a field that was not found is None or empty, never guessed."""

    format: InvoiceFormat
    kind: InvoiceKind = "unknown"
    profile: str = ""
    number: Text | None = None
    issued: Day | None = None
    due: Day | None = None
    currency: Text | None = None
    seller: Party = Party()
    buyer: Party = Party()
    accounts: list[Account] = Field(default=[])
    lines: list[Line] = Field(default=[])
    lines_total: Amount | None = None
    allowances: Amount | None = None
    charges: Amount | None = None
    net: Amount | None = None
    taxes: list[Tax] = Field(default=[])
    tax: Amount | None = None
    gross: Amount | None = None
    paid: Amount | None = None
    rounding: Amount | None = None
    payable: Amount | None = None
    payment_reference: Text | None = None
    order_reference: Text | None = None
    buyer_reference: Text | None = None
    preceding: Text | None = None
    terms: Text | None = None
    faults: list[str] = Field(default=[])


def minor(written: str, currency: str) -> int | None:
    """A decimal in minor units of a currency; None when it is no finite number or finer than a minor unit."""
    places = 0 if currency in _NONE else 3 if currency in _THREE else 2
    try:
        value = Decimal(written.strip()).scaleb(places)
    except (InvalidOperation, ValueError):
        return None
    if not value.is_finite() or abs(value) > Decimal(10) ** 15 or value != value.to_integral_value():
        return None
    return int(value)


def written(amount: Amount) -> str:
    """An amount for people: "1234.50 EUR"."""
    places = 0 if amount.currency in _NONE else 3 if amount.currency in _THREE else 2
    return f"{Decimal(amount.minor).scaleb(-places):.{places}f} {amount.currency}".strip()
