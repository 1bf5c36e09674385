"""The lines of an invoice on paper: taken only when they add up to a total of the paper; else none are."""

from __future__ import annotations

import re
from decimal import Decimal

from soloist.plugins.skills import _invoice_words as words
from soloist.plugins.skills import _papers
from soloist.plugins.skills._invoice import Amount, Line, Source, Text
from soloist.plugins.skills._invoice_cells import Cell, Paper

_FIGURE = re.compile(
    r"[€$£]?\s?(?P<n>\d{1,3}(?:[.,' \u00a0]\d{3})*(?:[.,]\d{1,4})?"
    r"|\d+(?:[.,]\d{1,4})?)(?P<u>\s?[^\W\d][\w.()]{0,9})?\s?[€$£]?\Z"
)
_DEEP = 120


def lines(paper: Paper, currency: str, totals: set[int]) -> list[Line]:
    """The lines whose totals add up to one of ``totals`` (minor units), in reading order; none when they do not."""
    by_line: dict[int, list[_papers.Read]] = {}
    number = 0
    for one in _papers.amounts(paper.text):
        while number + 1 < len(paper.begins) and paper.begins[number + 1] <= one.start:
            number += 1
        by_line.setdefault(number, []).append(one)
    for head, cells in enumerate(paper.lines):
        if (
            len({cell.start + match.start() for cell in cells for match in words.HEADER.finditer(cell.text)}) < 3
            or len(cells) < 3
        ):
            continue
        found = _below(paper, head, cells[-1], by_line, currency)
        if found and sum(line.total.minor for line in found if line.total) in totals:
            return found
    return []


def _below(paper: Paper, head: int, last: Cell, by_line: dict[int, list[_papers.Read]], currency: str) -> list[Line]:
    """The rows below a heading up to the first total: a description, and an amount in the last column."""
    found: list[Line] = []
    waiting: list[Cell] | None = None
    for number in range(head + 1, min(len(paper.lines), head + _DEEP)):
        cells = paper.lines[number]
        if not cells:
            continue
        amounts = [one for one in by_line.get(number, []) if one.start >= cells[-1].start]
        if _is_total(cells) and amounts:
            if found:
                break
            continue
        told = next((cell for cell in cells if _describes(cell)), None)
        right = cells[-1].column + len(cells[-1].text) >= last.column - 4
        if not (amounts and right):
            waiting = cells if told and len(cells) > 2 else waiting
            continue
        row = cells if told else waiting
        waiting = None
        if row is None or (told is None and len(cells) > 2):
            continue
        found.append(_line(paper, row, amounts[-1], currency))
    return found


def _is_total(cells: list[Cell]) -> bool:
    """Whether a line is one of the totals."""
    patterns = (words.NET[0], words.GROSS[0], words.PAYABLE[0], words.TAX[0], words.GROSS[1])
    return any(match.start() < 3 for cell in cells for pattern in patterns if (match := pattern.search(cell.text)))


def _describes(cell: Cell) -> bool:
    """Whether a cell has words, not only figures with a unit."""
    return re.search(r"[^\W\d_]{3}", cell.text) is not None and not _FIGURE.match(cell.text)


def _line(paper: Paper, row: list[Cell], total: _papers.Read, currency: str) -> Line:
    """One row: its longest words, its total, and quantity and price where they give the total."""
    name = max((cell for cell in row if _describes(cell)), key=lambda cell: len(cell.text))
    figures = [(cell, match) for cell in row if cell is not name and (match := _FIGURE.match(cell.text))]
    quantity = price = None
    unit = ""
    for index, (cell, match) in enumerate(figures if total.minor else []):
        for other, second in figures[index + 1 :]:
            if (
                abs(_value(match["n"]) * _value(second["n"]) * 100 - total.minor) <= Decimal("0.5")
                and other.end <= total.start + 2
            ):
                first_is_price = "€" in cell.text or "$" in cell.text or re.search(r"[.,]\d{2,4}\Z", match["n"])
                pair = (
                    ((other, second), (cell, match))
                    if first_is_price and not second["n"].count(",")
                    else ((cell, match), (other, second))
                )
                quantity, price = (_text(one, figure["n"], figure.start("n")) for one, figure in pair)
                unit = (pair[0][1]["u"] or "").strip()
    said = paper.text[total.start : total.end]
    amount = Amount(
        minor=total.minor,
        currency=total.currency or currency,
        source=Source(where="text", said=said, start=total.start, end=total.end),
    )
    return Line(name=_text(name, name.text, 0), quantity=quantity, unit=unit, price=price, total=amount)


def _text(cell: Cell, said: str, at: int) -> Text:
    """Words of a cell; figures with a point as decimal mark."""
    start = cell.start + at
    value = str(_value(said)) if re.fullmatch(r"[\d., '\u00a0]+", said) else said
    return Text(value=value, source=Source(where="text", said=said, start=start, end=start + len(said)))


def _value(written: str) -> Decimal:
    """A figure: the last mark is the decimal one, unless exactly three figures follow a single kind of mark."""
    compact = re.sub(r"[ '\u00a0]", "", written)
    mark = max(compact.rfind("."), compact.rfind(","))
    if mark < 0 or (
        len(compact) - mark == 4 and len(set(re.findall(r"[.,]", compact))) == 1 and not compact.startswith("0")
    ):
        return Decimal(re.sub(r"[.,]", "", compact))
    return Decimal(re.sub(r"[.,]", "", compact[:mark]) + "." + compact[mark + 1 :])
