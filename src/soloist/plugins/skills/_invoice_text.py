"""An invoice from the words on the paper, by rules: what has a label or adds up is taken, the rest is left alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from soloist.plugins.skills import _ids, _papers, _terms
from soloist.plugins.skills import _invoice_words as words
from soloist.plugins.skills._invoice import Account, Amount, Day, Invoice, InvoiceKind, Source, Text
from soloist.plugins.skills._invoice_cells import Paper
from soloist.plugins.skills._invoice_lines import lines
from soloist.plugins.skills._invoice_parties import parties
from soloist.plugins.skills._invoice_sums import sums

LIMIT = 60_000
_CODE = re.compile(r"(?:N[°ºo]\.?\s?|#\s?)?(?P<v>[A-Za-z0-9][A-Za-z0-9_./-]*(?: [A-Z0-9-]*\d[A-Za-z0-9_./-]*){0,2})")


def read(text: str) -> Invoice:
    """The invoice in a text that stands as on the paper (columns three blanks apart); format "none" for other texts."""
    text = text[:LIMIT]
    paper = Paper(text)
    kind = _kind(paper)
    numbers = _ids.find(text)
    order = _papers.month_first(text)
    currency = _currency(text)
    first = order if order is not None else bool(currency and currency.value == "USD")
    issued = _labelled(paper, words.ISSUED, lambda value, at: _day(text, value, at, first))
    issued = issued or _letter(paper, first)
    found = sums(paper, currency.value if currency else "")
    number = _labelled(paper, words.NUMBER, lambda value, at: _number(text, value, at))
    signs = sum((kind != "unknown", number is not None, issued is not None, found.get("gross") is not None))
    if signs < 3 and not (kind != "unknown" and signs >= 2):
        return Invoice(format="none", faults=["These words do not read like an invoice."])
    totals = {found[name].minor for name in ("net", "gross") if name in found}
    seller, buyer = parties(paper, numbers)
    values: dict[str, Any] = {
        "format": "text",
        "kind": kind,
        "number": number,
        "issued": issued,
        "currency": currency,
        "seller": seller,
        "buyer": buyer,
        "accounts": _accounts(numbers),
        "order_reference": _labelled(paper, words.ORDER, lambda value, at: _number(text, value, at)),
        "payment_reference": _labelled(paper, words.REFERENCE, lambda value, at: _number(text, value, at)),
        **_due(paper, issued, first),
        "lines": lines(paper, currency.value if currency else "", totals),
        **found,
    }
    if issued and order is None and _either_way(text, issued, first):
        values["faults"] = [f"The date {issued.source.said} can be read in two ways; taken as {issued.value}."]
    return Invoice.model_validate(values)


def _labelled(paper: Paper, ranks: Sequence[re.Pattern[str]], read: Callable[[str, int], Any]) -> Any:
    """The first value behind a label, the strongest labels first, and labels that begin a cell before others."""
    for rank in ranks:
        for whole in (True, False):
            for cell, match in paper.labelled(rank, whole=whole):
                if (found := paper.beside(cell, match, read)) is not None:
                    return found
    return None


def _kind(paper: Paper) -> InvoiceKind:
    """What the paper calls itself: the word that stands first, alone or at the head of a line."""
    heads = [cell for cell in paper.cells() if len(cell.text) < 70][:60]
    for kind, pattern in words.KINDS:
        for cell in heads:
            match = pattern.search(cell.text)
            if match and (match.start() < 12 or kind == "invoice"):
                return kind  # type: ignore[return-value]  # the table holds only these kinds
    return "invoice" if words.KINDS[-1][1].search(paper.text) else "unknown"


def _number(text: str, value: str, at: int) -> Text | None:
    match = _CODE.match(value)
    if match is None:
        return None
    code = match["v"].rstrip("./-_")
    first = code.split(" ")[0].rstrip("./-_")
    grouped = re.fullmatch(r"\d{3,}(?: \d{3,})+", value.strip())  # one number in groups, alone in its cell
    if grouped is None and any(char.isdigit() for char in first) and not (len(first) <= 2 and " " in code):
        code = first
    code = grouped[0] if grouped else code
    if not any(char.isdigit() for char in code) or len(code) < 2:
        return None
    if _papers.days(code) or (re.fullmatch(r"(?:19|20)\d\d", code) and value[match.end("v") :].strip()[:1].isdigit()):
        return None
    start = at + match.start("v")
    return Text(value=code, source=place(text, start, start + len(code)))


def _day(text: str, value: str, at: int, month_first: bool) -> Day | None:
    found = _papers.days(value[:60], month_first=month_first)
    if not found or found[0].start > 12 or re.search(r"\d", value[: found[0].start]):
        return None
    one = found[0]
    assert one.day is not None
    return Day(value=one.day.isoformat(), source=place(text, at + one.start, at + one.end))


def _letter(paper: Paper, month_first: bool) -> Day | None:
    """The day at the head of a letter, behind its town."""
    for line in paper.lines[:25]:
        for cell in line:
            match = words.TOWN_AND_DAY.match(cell.text)
            rest = cell.text[match.end() :] if match else ""
            found = _day(paper.text, rest, cell.end - len(rest), month_first) if rest else None
            if found and found.source.end >= cell.end - 1:
                return found
    return None


def _either_way(text: str, issued: Day, month_first: bool) -> bool:
    """Whether a date could also have day and month the other way round."""
    return any(one.swapped for one in _papers.days(issued.source.said, month_first=month_first))


def _due(paper: Paper, issued: Day | None, month_first: bool) -> dict[str, Any]:
    """The due day: behind its label, else from the terms of payment."""
    text = paper.text
    labelled = _labelled(paper, words.DUE, lambda value, at: _day(text, value, at, month_first))
    terms = _terms.find(text, date.fromisoformat(issued.value) if issued else None, month_first=month_first)
    last = _terms.due(terms)
    said = Text(value=last.span.text, source=place(text, last.span.start, last.span.end)) if last else None
    if labelled is None and last:
        source = place(text, last.span.start, last.span.end)
        labelled = Day(value=last.day, source=source, computed=last.days is not None)
    return {"due": labelled, "terms": said}


def _currency(text: str) -> Text | None:
    """The currency that most amounts are written in."""
    counts: dict[str, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for match in re.finditer(rf"(?<![\w])(?:{_papers.CODES}|US\$|Rs\.?|Kč|zł)(?![\w])|[€$£₹]", text):
        code = _papers.currency(match[0])
        counts[code] = counts.get(code, 0) + 1
        places.setdefault(code, match.span())
    if not counts:
        return None
    code = max(counts, key=lambda one: counts[one])
    return Text(value=code, source=place(text, *places[code]))


def _accounts(numbers: list[_ids.Identifier]) -> list[Account]:
    """Accounts with right check digits, each with the bank's code that stands next."""
    codes = [one for one in numbers if one.kind == "bic"]
    found: list[Account] = []
    for one in numbers:
        if one.kind != "iban" or any(one.value == other.iban.value for other in found):
            continue
        near = min(codes, key=lambda code: abs(code.span.start - one.span.end), default=None)
        bic = near if near and abs(near.span.start - one.span.end) < 300 else None
        found.append(Account(iban=_text(one), bic=_text(bic) if bic else None))
    return found


def _text(one: _ids.Identifier) -> Text:
    span = one.span
    return Text(value=one.value, source=Source(where="text", said=span.text, start=span.start, end=span.end))


def place(text: str, start: int, end: int) -> Source:
    """A source in a text."""
    return Source(where="text", said=text[start:end], start=start, end=end)


def amount(text: str, one: _papers.Read, currency: str) -> Amount:
    """An amount that was read in a text."""
    return Amount(minor=one.minor, currency=one.currency or currency, source=place(text, one.start, one.end))
