"""Amounts in digits and in words, so that a misplaced separator is seen; it converts nothing."""

from __future__ import annotations

import re

from soloist.kernel import money

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
).split()
_TENS = ". . twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_NAMES = {"EUR": ("euro", "euros"), "USD": ("US dollar", "US dollars"), "GBP": ("pound", "pounds")}
_NAMES |= {"CHF": ("Swiss franc", "Swiss francs"), "JPY": ("yen", "yen"), "PLN": ("zloty", "zloty")}
_SAID = re.compile(
    r"(?:EUR|USD|GBP|CHF|[€$£])\s?(\d[\d.,]{0,30})|(?<![\d.,])(\d[\d.,]{0,30})\s?(?:EUR|USD|GBP|CHF|[€$£])"
)


def number(value: int) -> str:
    """A whole number from 0 in words: 4500 -> "four thousand five hundred"."""
    if value < 20:
        return _SMALL[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        return _TENS[tens] + (f"-{_SMALL[rest]}" if rest else "")
    for size, name in _SCALES:
        if value >= size:
            many, rest = divmod(value, size)
            return f"{number(many)} {name}" + (f" {number(rest)}" if rest else "")
    return str(value)


def whole(minor: int, currency: str) -> str:
    """An amount with all its digits and in words: "EUR 4,500.00 (four thousand five hundred euros)"."""
    digits = money.digits(currency)
    units, rest = divmod(abs(minor), 10**digits)
    written = f"{units:,}" + (f".{rest:0{digits}d}" if digits else "")
    one, many = _NAMES.get(currency, (currency, currency))
    said = f"{number(units)} {one if units == 1 else many}" + (
        f" and {rest} {'cents' if digits == 2 else 'parts'}" if rest else ""
    )
    sign = "-" if minor < 0 else ""
    return f"{currency} {sign}{written} ({'minus ' if sign else ''}{said})"


def contradicts(text: str, minor: int, currency: str) -> str:
    """A sum named in a title that is not the one in the content, as it stands there; "" when they agree."""
    digits = money.digits(currency)
    units, rest = divmod(abs(minor), 10**digits)
    same = {str(units), f"{units}{rest:0{digits}d}"} if digits else {str(units)}
    for match in _SAID.finditer(text):
        plain = re.sub(
            r"[.,]", "", re.sub(r"[.,]0{1,2}$" if rest == 0 and units < 1000 else r"$^", "", match[1] or match[2])
        )
        if plain.lstrip("0") not in {one.lstrip("0") for one in same}:
            return match[0].strip()
    return ""
