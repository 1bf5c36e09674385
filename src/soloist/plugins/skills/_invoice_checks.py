"""What can be checked on an invoice: sums, check digits, days, and the XML against the paper; it reads nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from soloist.plugins.skills import _ids
from soloist.plugins.skills._invoice import Amount, Check, Conflict, Invoice, Source, Text, written


def checks(invoice: Invoice) -> list[Check]:
    """Every check whose fields were found; nothing is checked that is absent."""
    return [*_sums(invoice), *_numbers(invoice), *_days(invoice)]


def _sums(one: Invoice) -> Iterator[Check]:
    counted = [line for line in one.lines if line.counts]
    if counted and one.lines_total and all(line.total for line in counted):
        total = sum(line.total.minor for line in counted if line.total)
        yield _equal("lines", "The lines add up to their total", total, one.lines_total)
    if one.lines_total and one.net and one.format != "text":
        less = one.allowances.minor if one.allowances else 0
        more = one.charges.minor if one.charges else 0
        yield _equal("net", "Lines, allowances and charges give the net", one.lines_total.minor - less + more, one.net)
    taxes = [tax.tax.minor for tax in one.taxes if tax.tax]
    if one.tax and taxes and len(taxes) == len(one.taxes) and one.format != "text":
        yield _equal("tax", "The taxes of the rates add up", sum(taxes), one.tax)
    for tax in one.taxes:
        due = _tax(tax.basis, tax.rate)
        if due is not None and tax.tax:
            passed = abs(due - tax.tax.minor) <= max(1, len(one.lines))
            said = f"{tax.rate} % of the base is the tax of that rate"
            yield Check(name="rate", passed=passed, words=f"{said}." if passed else f"{said}: no, {written(tax.tax)}.")
    if one.net and one.gross and one.tax:
        yield _equal("gross", "Net and tax give the gross", one.net.minor + one.tax.minor, one.gross)
    if one.gross and one.payable and one.format != "text":
        paid = one.paid.minor if one.paid else 0
        rounding = one.rounding.minor if one.rounding else 0
        yield _equal(
            "payable", "The gross less what was paid is payable", one.gross.minor - paid + rounding, one.payable
        )


def _equal(name: str, said: str, found: int, wanted: Amount) -> Check:
    passed = found == wanted.minor
    shown = written(wanted.model_copy(update={"minor": found}))
    return Check(
        name=name, passed=passed, words=f"{said}." if passed else f"{said}: no, {shown} against {written(wanted)}."
    )


def _tax(basis: Amount | None, rate: str) -> int | None:
    """The tax of a base in minor units."""
    try:
        share = Decimal(rate) / 100
    except InvalidOperation:
        return None
    return int((basis.minor * share).quantize(Decimal(1), ROUND_HALF_UP)) if basis and share.is_finite() else None


def _numbers(one: Invoice) -> Iterator[Check]:
    for account in one.accounts:
        yield _digits("iban", "account number", account.iban, _ids.iban_holds(account.iban.value))
    for whose, party in (("seller", one.seller), ("buyer", one.buyer)):
        if party.vat and (held := _ids.vat_holds(party.vat.value)) is not None:
            yield _digits(f"{whose} vat", f"VAT id of the {whose}", party.vat, held)


def _digits(name: str, said: str, value: Text, held: bool) -> Check:
    words = f"The check digits of the {said} are {'right' if held else 'wrong'}: {value.value[:40]}."
    return Check(name=name, passed=held, words=words)


def _days(one: Invoice) -> Iterator[Check]:
    if one.issued and one.due:
        passed = one.issued.value <= one.due.value
        order = "not before" if passed else "before"
        yield Check(
            name="days", passed=passed, words=f"Due ({one.due.value}) is {order} the issue ({one.issued.value})."
        )


def conflicts(invoice: Invoice, seen: Invoice, text: str) -> list[Conflict]:
    """Where the XML of a paper and its visible text differ; ``seen`` is what rules read in ``text``."""
    found = [*_accounts(invoice, text), *_amount(invoice, seen, text), *_number(invoice, seen, text)]
    kinds = {invoice.kind, seen.kind}
    if kinds == {"invoice", "credit_note"} and invoice.number:
        names = {"invoice": "an invoice", "credit_note": "a credit note"}
        words = f"The data says {names[invoice.kind]}, the paper {names[seen.kind]}."
        found.append(Conflict(field="kind", words=words, xml=invoice.number.source))
    return found


def _accounts(one: Invoice, text: str) -> Iterator[Conflict]:
    """A visible account that the XML does not know, or one of the XML that is not to be seen."""
    hidden = {_ids.bare(account.iban.value) for account in one.accounts}
    shown = [number for number in _ids.find(text) if number.kind == "iban"]
    other = [number for number in shown if number.value not in hidden]
    if not one.accounts or not other or hidden & {number.value for number in shown}:
        return
    span = other[0].span
    source = Source(where="text", said=span.text, start=span.start, end=span.end)
    words = (
        f"The paper names the account {other[0].value}, the data in it {one.accounts[0].iban.value}. "
        "Ask the sender on a way you know before you pay."
    )
    yield Conflict(field="iban", words=words, xml=one.accounts[0].iban.source, text=source)


def _amount(one: Invoice, seen: Invoice, text: str) -> Iterator[Conflict]:
    """A total in the XML that stands nowhere on the paper."""
    for field in ("gross", "payable"):
        value: Amount | None = getattr(one, field)
        other: Amount | None = getattr(seen, field)
        if value is None or (field == "payable" and other is None) or _shown(value, text):
            continue
        told = f"The paper says {written(other)}" if other else "It is not on the paper"
        words = f"The data says {field} {written(value)}. {told}."
        yield Conflict(field=field, words=words, xml=value.source, text=other.source if other else None)
    if one.currency and seen.currency and one.currency.value != seen.currency.value:
        words = f"The data says {one.currency.value}, the paper {seen.currency.value}."
        yield Conflict(field="currency", words=words, xml=one.currency.source, text=seen.currency.source)


def _shown(value: Amount, text: str) -> bool:
    """Whether an amount stands in a text, however it is written."""
    figure = str(abs(value.minor)).rjust(3, "0")
    whole, cents = figure[:-2], figure[-2:]
    groups = r"[.,'’ \u00a0\u202f]?".join(whole)
    exact = rf"(?<!\d){groups}(?:[.,]{cents}{'' if cents != '00' else '|(?![.,]?[0-9])'})(?!\d)"
    return re.search(exact, text) is not None


def _number(one: Invoice, seen: Invoice, text: str) -> Iterator[Conflict]:
    """Another invoice number, or another day of issue."""
    if one.number and re.sub(r"\s", "", one.number.value) not in re.sub(r"\s", "", text):
        source = seen.number.source if seen.number else None
        told = f"the paper says {seen.number.value}" if seen.number else "it is not on the paper"
        words = f"The data says invoice number {one.number.value}; {told}."
        yield Conflict(field="number", words=words, xml=one.number.source, text=source)
    if one.issued and seen.issued and one.issued.value != seen.issued.value:
        words = f"The data says issued {one.issued.value}, the paper {seen.issued.value}."
        yield Conflict(field="issued", words=words, xml=one.issued.source, text=seen.issued.source)
