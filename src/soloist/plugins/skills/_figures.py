"""Figures: sums of money and percentages as they are written in four languages; what they are for it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

_CURRENCY = r"(?:€|\$|£|¥|EUR|USD|GBP|CHF|euros?|dollars?|pounds?|francs?|Franken)"
_NUMBER = r"\d(?:[\d.,'’\u00a0\u202f]|[ ](?=\d{3}(?!\d)))*(?<=\d)"
AMOUNT = re.compile(
    rf"(?<![\w.,])(?:{_CURRENCY}\s?(?P<after>{_NUMBER})(?P<ka>\s?k\b)?"
    rf"|(?P<before>{_NUMBER})(?P<kb>\s?k\b)?\s?(?:{_CURRENCY}(?!\w)|(?P<percent>%|percent\b|Prozent\b)))",
    re.IGNORECASE,
)
"""A sum with its currency, or a percentage."""
ANY_NUMBER = re.compile(rf"(?<![\w]){_NUMBER}(?P<k>\s?k\b)?", re.IGNORECASE)


class Amount(NamedTuple):
    """A written sum: its words' place, its value, whether it is a percentage."""

    start: int
    end: int
    value: Decimal
    percent: bool


def amounts(text: str) -> Iterator[Amount]:
    """Every sum of money and every percentage."""
    for match in AMOUNT.finditer(text):
        value = figure(match["after"] or match["before"], bool(match["ka"] or match["kb"]))
        yield Amount(*match.span(), value, bool(match["percent"]))


def numbers(text: str) -> set[Decimal]:
    """The values of all numbers in a text, with or without a currency."""
    return {figure(match[0].removesuffix("k"), bool(match["k"])) for match in ANY_NUMBER.finditer(text)}


def figure(text: str, thousands: bool) -> Decimal:
    """The value of a figure, however its thousands and decimals are written."""
    digits = re.sub(r"[^\d.,]", "", text)
    tail = re.search(r"[.,](\d{1,2})\Z", digits)
    whole = re.sub(r"\D", "", digits[: tail.start()] if tail else digits) or "0"
    value = Decimal(f"{whole}.{tail[1]}" if tail else whole)
    return (value * 1000 if thousands else value).normalize()
