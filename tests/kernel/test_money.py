"""Money: minor units by the digits of their currency, in text and back; never a fraction of one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from soloist.kernel import kind, money
from soloist.stages.memory import facts

AMOUNTS = [(450050, "EUR", "4500.50"), (1000, "JPY", "1000"), (1500, "KWD", "1.500"), (-5, "USD", "-0.05")]


@pytest.mark.parametrize(("minor", "currency", "text"), AMOUNTS)
def test_an_amount_goes_into_text_and_back(minor, currency, text):
    assert money.plain(minor, currency) == text
    assert money.minor(Decimal(text), currency) == minor
    assert kind.converted(f"{text} {currency}", "money") == {"minor": minor, "currency": currency}
    assert kind.converted({"minor": minor, "currency": currency}, "text") == f"{text} {currency}"


def test_what_is_finer_than_the_currency_is_refused():
    with pytest.raises(ValueError, match=r"0\.5"):
        money.minor(Decimal("0.5"), "JPY")
    assert kind.converted("0.001 EUR", "money") == "0.001 EUR"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"minor": 450000, "currency": "EUR"}, "4,500 EUR"),
        ({"minor": 450050, "currency": "EUR"}, "4,500.50 EUR"),
        ({"minor": 1000, "currency": "JPY"}, "1,000 JPY"),
        ({"low": {"minor": 100, "currency": "EUR"}, "high": {"minor": 200, "currency": "EUR"}}, "1 EUR to 2 EUR"),
    ],
)
def test_a_fact_says_its_amount_as_the_currency_counts(value, said):
    assert facts.told(value) == said
