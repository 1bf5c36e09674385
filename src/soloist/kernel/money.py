"""Money: whole minor units by the digits their currency has, as plain text and back; it rounds and converts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_DIGITS = dict.fromkeys(("JPY", "KRW", "VND", "CLP", "ISK"), 0) | dict.fromkeys(("BHD", "KWD", "OMR", "TND", "JOD"), 3)


def digits(currency: str) -> int:
    """How many digits of an amount are minor units: 2 for most currencies."""
    return _DIGITS.get(currency.upper(), 2)


def plain(minor: int, currency: str, *, grouped: bool = False) -> str:
    """``450050, "EUR"`` -> "4500.50", or "4,500.50" when ``grouped``; all the digits of the currency are there."""
    many = digits(currency)
    whole, rest = divmod(abs(minor), 10**many)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:{',' if grouped else ''}}" + (f".{rest:0{many}d}" if many else "")


def minor(amount: Decimal, currency: str) -> int:
    """Minor units of an amount (ValueError when it is finer than the currency counts)."""
    exact = amount.scaleb(digits(currency))
    if exact != exact.to_integral_value():
        raise ValueError(f"{amount} is finer than {currency} counts")
    return int(exact)


def is_amount(value: Any) -> bool:
    """Whether a value is {minor, currency} with whole minor units and a currency's three letters."""
    if not isinstance(value, Mapping) or set(value) != {"minor", "currency"}:
        return False
    units, currency = value["minor"], value["currency"]
    whole = isinstance(units, int) and not isinstance(units, bool)
    known = isinstance(currency, str) and len(currency) == 3
    return whole and known and currency.isascii() and currency.isalpha() and currency.isupper()
