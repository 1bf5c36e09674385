"""Net, tax, gross and what is payable from the words on an invoice, by labels and by what adds up; it guesses none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from soloist.plugins.skills import _invoice_words as words
from soloist.plugins.skills import _papers
from soloist.plugins.skills._invoice import Amount, Source, Tax
from soloist.plugins.skills._invoice_cells import Cell, Paper

_RATE = re.compile(r"(?<![\w.,])(\d{1,2}(?:[.,]\d{1,2})?)\s?%")
_BARE_RATE = re.compile(r"(?<![\w.,])(\d{1,2}(?:[.,]\d{1,2})?)(?![\w.,])")
_NO_TOTAL = re.compile(
    r"page|seite|pos\.|anzahl|items|st[üu]ck|\bqty\b|weight|gewicht|discount|rabatt|remise|versand|shipping",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Row:
    """A line with its amounts; ``rate`` is the percentage it names."""

    line: int
    text: str
    amounts: tuple[_papers.Read, ...]


def sums(paper: Paper, currency: str) -> dict[str, Any]:
    """The fields net, tax, gross, payable and taxes that were found."""
    rows = _rows(paper)
    net = _candidates(paper, rows, words.NET)
    tax = _candidates(paper, rows, words.TAX)
    gross = _candidates(paper, rows, words.GROSS)
    payable = _candidates(paper, rows, words.PAYABLE)
    chosen = _across(rows) or _agreeing(net, tax, gross + payable)
    found: dict[str, _papers.Read | None] = dict(zip(("net", "tax", "gross"), chosen or (None,) * 3, strict=True))
    if chosen is None:
        found = {"gross": _best(gross) or _best(payable), "net": _best(net), "tax": None}
        found["tax"] = _fitting(tax, found["net"], found["gross"])
        if not _fits(found):
            found["net"] = None
    found["payable"] = _best(payable)
    if chosen is None and (kept := _withheld(paper, net, tax, payable)):
        found |= {"net": kept[0], "tax": kept[1], "payable": kept[2], "gross": None}
    found = {key: value for key, value in found.items() if value is not None}
    values: dict[str, Any] = {key: _amount(paper, one, currency) for key, one in found.items() if one}
    values["taxes"] = _taxes(paper, rows, currency)
    return values


def _rows(paper: Paper) -> list[_Row]:
    """Lines that hold an amount."""
    found: list[_Row] = []
    by_line: dict[int, list[_papers.Read]] = {}
    line = 0
    for one in _papers.amounts(paper.text):
        while line + 1 < len(paper.begins) and paper.begins[line + 1] <= one.start:
            line += 1
        by_line.setdefault(line, []).append(one)
    for number, amounts in by_line.items():
        begin = paper.begins[number]
        end = paper.begins[number + 1] - 1 if number + 1 < len(paper.begins) else len(paper.text)
        found.append(_Row(number, paper.text[begin:end], tuple(amounts)))
    return found


def _candidates(paper: Paper, rows: list[_Row], ranks: tuple[re.Pattern[str], ...]) -> list[tuple[int, _papers.Read]]:
    """(rank, amount) of every amount behind a label; the later line of equal rank comes first."""
    by_line = {row.line: row for row in rows}
    found: list[tuple[int, _papers.Read]] = []
    for rank, pattern in enumerate(ranks):
        for cell in paper.cells():
            match = pattern.search(cell.text)
            if match is None:
                continue
            loose = rank and (match.start() > 3 or _NO_TOTAL.search(cell.text))
            one = _behind(paper, by_line, cell, cell.start + match.end())
            if one is not None and not (loose and paper.text[cell.start + match.end() : one.start].strip(" :")):
                found.append((rank + (1 if loose else 0), one))
    return sorted(found, key=lambda pair: (pair[0], -pair[1].start))


def _behind(paper: Paper, by_line: dict[int, _Row], cell: Cell, at: int) -> _papers.Read | None:
    """The amount behind a place: the last of its cell or of the next cells up to another label, else below."""
    row = by_line.get(cell.line)
    cells = paper.lines[cell.line]
    place = cells.index(cell)
    if row is not None:
        reach = cell.end
        for other in cells[place + 1 :]:
            if re.match(r"[^\W\d]{3,}", other.text) and not re.match(_papers.CODES, other.text):
                break
            reach = other.end
        here = [one for one in row.amounts if at <= one.start < reach]
        if here:
            return here[-1]
    for line in paper.lines[cell.line + 1 : cell.line + 3]:
        under = paper.under(cell, line) if line else None
        beneath = by_line.get(line[0].line) if line else None
        if under and beneath and place + 1 == len(cells):
            inside = [one for one in beneath.amounts if under.start <= one.start < under.end]
            if inside and len(under.text) < 24:
                return inside[-1]
    return None


def _across(rows: list[_Row]) -> tuple[_papers.Read, _papers.Read, _papers.Read] | None:
    """Net, tax and gross side by side in one line of totals; the largest such line, the last of equal ones."""
    best = None
    for row in rows:
        for a, b, c in zip(row.amounts, row.amounts[1:], row.amounts[2:], strict=False):
            right = a.minor > 0 and b.minor >= 0 and a.minor + b.minor == c.minor and b.minor * 3 < a.minor
            if right and (b.minor or words.GROSS[0].search(row.text)) and (best is None or c.minor >= best[2].minor):
                best = (a, b, c)
    return best


def _agreeing(
    net: list[tuple[int, _papers.Read]], tax: list[tuple[int, _papers.Read]], gross: list[tuple[int, _papers.Read]]
) -> tuple[_papers.Read, _papers.Read, _papers.Read] | None:
    """The strongest net, tax and gross that add up; several rates of tax may have to be added by the reader."""
    best: tuple[tuple[int, int], tuple[_papers.Read, _papers.Read, _papers.Read]] | None = None
    for rank_g, g in gross[:40]:
        for rank_n, n in net[:40]:
            for _, t in tax[:40]:
                if (
                    n.minor + t.minor == g.minor
                    and t is not g
                    and t is not n
                    and n is not g
                    and abs(t.minor) < abs(g.minor)
                ):
                    score = (-(rank_g + rank_n), g.minor)
                    if best is None or score > best[0]:
                        best = (score, (n, t, g))
    return best[1] if best else None


def _withheld(
    paper: Paper,
    net: list[tuple[int, _papers.Read]],
    tax: list[tuple[int, _papers.Read]],
    payable: list[tuple[int, _papers.Read]],
) -> tuple[_papers.Read, _papers.Read, _papers.Read] | None:
    """Net, tax and payable of a paper on which the buyer keeps a tax back."""
    kept = [one for _, one in _candidates(paper, _rows(paper), (words.WITHHELD,))]
    for _, p in payable[:20]:
        for _, n in net[:20]:
            for _, t in tax[:20]:
                if any(n.minor + t.minor - abs(one.minor) == p.minor for one in kept):
                    return n, t, p
    return None


def _fits(found: dict[str, _papers.Read | None]) -> bool:
    """Whether net is at most gross, when both are there."""
    net, gross = found.get("net"), found.get("gross")
    return not (net and gross) or abs(net.minor) <= abs(gross.minor)


def _fitting(
    tax: list[tuple[int, _papers.Read]], net: _papers.Read | None, gross: _papers.Read | None
) -> _papers.Read | None:
    """The tax that is what lies between net and gross; None when no amount is."""
    if net is None or gross is None:
        return None
    return next((one for _, one in tax if one.minor == gross.minor - net.minor), None)


def _best(found: list[tuple[int, _papers.Read]]) -> _papers.Read | None:
    """The strongest: of equal rank the largest amount, the last of equal ones."""
    if not found:
        return None
    rank = found[0][0]
    return max((one for other, one in found if other == rank), key=lambda one: (one.minor, one.start))


def _taxes(paper: Paper, rows: list[_Row], currency: str) -> list[Tax]:
    """Rates whose base and tax stand in one line and fit together."""
    found: list[Tax] = []
    for row in rows:
        if len(row.amounts) < 2:
            continue
        rates = [match[1] for match in _RATE.finditer(row.text)] or [
            match[1] for match in _BARE_RATE.finditer(row.text)
        ]
        for written in dict.fromkeys(rates):
            rate = Decimal(written.replace(",", "."))
            pair = _pair(row, rate)
            if pair and all(one.rate != str(rate) for one in found):
                basis, tax = (_amount(paper, one, currency) for one in pair)
                found.append(Tax(rate=str(rate), basis=basis, tax=tax))
    return found


def _pair(row: _Row, rate: Decimal) -> tuple[_papers.Read, _papers.Read] | None:
    """Two amounts of a line of which the second is the tax of the first."""
    if not rate:
        return None
    for index, a in enumerate(row.amounts):
        for b in row.amounts[index + 1 :]:
            if abs(Decimal(a.minor) * rate / 100 - b.minor) <= 1 and b.minor > 1:
                return a, b
    return None


def _amount(paper: Paper, one: _papers.Read, currency: str) -> Amount:
    source = Source(where="text", said=paper.text[one.start : one.end], start=one.start, end=one.end)
    return Amount(minor=one.minor, currency=one.currency or currency, source=source)
