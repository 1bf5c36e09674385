"""Dates and amounts as papers write them, in German, English, French, Spanish; it knows no labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

_MONTHS = (
    "jan(?:uar|vier|uary)?|jän(?:ner)?|ene(?:ro)?|janv|styczeń|stycznia|januari|gennaio",
    "feb(?:ruar|ruary|rero)?|févr?(?:ier)?|fevr?(?:ier)?|februari",
    "mär(?:z)?|mrz|maerz|mar(?:ch|s|zo)?|maart",
    "apr(?:il)?|avr(?:il)?|abr(?:il)?",
    "mai|may(?:o)?|mei",
    "jun(?:i|e|io)?|juin",
    "jul(?:i|y|io)?|juil(?:let)?",
    "aug(?:ust|ustus)?|août|aout|ago(?:sto)?",
    "sept?(?:ember|embre|iembre)?",
    "o[kc]t(?:ober|obre|ubre)?",
    "nov(?:ember|embre|iembre)?",
    "de[zc](?:ember|iembre)?|déc(?:embre)?|dec(?:embre)?",
)
_NAME = "(?P<m>" + "|".join(f"(?:{month})" for month in _MONTHS) + r")\.?"
_GAP = r"[ \u00a0.,/-]{1,3}(?:de[l]? )?"
_DATES = (
    re.compile(r"(?<![\w.,/-])(?P<y>(?:19|20)\d\d)[-./](?P<a>\d{1,2})[-./](?P<b>\d{1,2})(?![\w/-]|[.,]\d)"),
    re.compile(
        r"(?<![\w.,/-])(?P<a>\d{1,2})(?P<s>[./-])\s?(?P<b>\d{1,2})(?P=s)\s?(?P<y>(?:19|20)\d\d|\d\d)(?![\w/-]|[.,]\d)"
    ),
    re.compile(
        rf"(?<![\w.,/-])(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|\.|º)?{_GAP}{_NAME}{_GAP}(?P<y>(?:19|20)\d\d|\d\d)(?!\w)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<!\w){_NAME}\s?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s?,?\s+(?P<y>(?:19|20)\d\d)(?!\w)", re.IGNORECASE),
)
_SYMBOLS = {
    "€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "zł": "PLN", "fr.": "CHF", "rs": "INR", "rs.": "INR", "₹": "INR",
    "us$": "USD", "kč": "CZK", "euro": "EUR", "euros": "EUR",
}  # fmt: skip
CODES = "EUR|USD|GBP|CHF|PLN|SEK|NOK|DKK|CZK|HUF|RON|CAD|AUD|INR|JPY|MXN|DEM"
_MONEY = rf"(?:{CODES}|US\$|€|\$|£|₹|zł|Kč|Fr\.|Rs\.?)"
_NUMBER = r"(?:\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3})+(?:[.,]\d{2})?|\d+[.,]\d{2}|\d+)"
_AMOUNT = re.compile(
    rf"(?<![\w.,/#:'])(?P<sign>[-−–]\s?)?(?P<c>{_MONEY})?\s{{0,2}}(?P<sign2>[-−])?(?P<n>{_NUMBER})(?P<minus>-(?![\d\w]))?"
    rf"(?:\s{{0,2}}(?P<d>{_MONEY}|euros?(?!\w)))?(?![\w%/:]|[.,]\d|\s?%)",
    re.IGNORECASE,
)
_MONTH_PATTERNS = tuple(re.compile(month, re.IGNORECASE) for month in _MONTHS)


@dataclass(frozen=True)
class Read:
    """A day or an amount and where it stands; ``swapped`` is the other day that a date could mean."""

    start: int
    end: int
    day: date | None = None
    swapped: date | None = None
    minor: int = 0
    currency: str = ""


def days(text: str, *, month_first: bool = False) -> list[Read]:
    """All dates with a year, in reading order; ``month_first`` decides where both orders are possible."""
    found: list[Read] = []
    for pattern in _DATES:
        for match in islice(pattern.finditer(text), 500):
            read = _day(match, month_first=month_first)
            if read and all(read.end <= one.start or read.start >= one.end for one in found):
                found.append(read)
    return sorted(found, key=lambda one: one.start)


def _day(match: re.Match[str], *, month_first: bool) -> Read | None:
    groups = match.groupdict()
    year = int(groups["y"])
    year += 0 if year > 99 else 2000 if year < 70 else 1900
    if groups.get("m"):
        month = next(index for index, one in enumerate(_MONTH_PATTERNS, 1) if one.fullmatch(groups["m"]))
        value, other = _date(year, month, int(groups["d"])), None
    elif match.re is _DATES[0]:
        value, other = _date(year, int(groups["a"]), int(groups["b"])), None
    else:
        a, b = int(groups["a"]), int(groups["b"])
        plain, turned = _date(year, b, a), _date(year, a, b) if groups["s"] != "." else None
        value, other = (turned or plain, plain) if month_first else (plain or turned, turned)
    return Read(*match.span(), day=value, swapped=other if other != value else None) if value else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def month_first(text: str) -> bool | None:
    """Whether this paper writes the month first; None when no date in it tells."""
    pairs = [(int(match["a"]), int(match["b"])) for match in islice(_DATES[1].finditer(text), 200) if match["s"] != "."]
    if any(a > 12 >= b for a, b in pairs):
        return False
    return True if any(b > 12 >= a for a, b in pairs) else None


def amounts(text: str) -> Iterator[Read]:
    """All amounts with two decimals or a currency, in reading order."""
    for match in islice(_AMOUNT.finditer(text), 3000):
        said = match["c"] or match["d"]
        cents = re.search(r"[.,](\d{2})\Z", match["n"])
        if not cents and not said:
            continue
        digits = re.sub(r"\D", "", match["n"])
        if len(digits) > 15:
            continue
        value = int(digits) * (1 if cents else 100)
        negative = match["sign"] or match["sign2"] or match["minus"]
        start = match.start("sign") if match["sign"] else match.start("c") if match["c"] else match.start("n")
        yield Read(start, match.end(), minor=-value if negative else value, currency=currency(said or ""))


def currency(said: str) -> str:
    """ISO 4217 of a sign or a code, "" for neither."""
    said = said.strip().casefold()
    return _SYMBOLS.get(said) or (said.upper() if re.fullmatch(CODES, said.upper()) else "")
