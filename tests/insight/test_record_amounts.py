"""Amounts and instants of a form: read by the digits of their currency, and shown as they were typed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from soloist.insight import record_form
from soloist.kernel.errors import BadInput
from soloist.kernel.kind import Field

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "minor", "currency", "shown"),
    [
        ("1.200,50", 120050, "EUR", "1200.50 EUR"),
        ("-3", -300, "EUR", "-3.00 EUR"),
        ("1,200 JPY", 1200, "JPY", "1200 JPY"),
        ("1.500 KWD", 1500, "KWD", "1.500 KWD"),
    ],
)
def test_an_amount_is_read_as_its_currency_counts(text, minor, currency, shown):
    found = record_form.amount(text, "EUR", "amount")
    assert found == {"minor": minor, "currency": currency}
    assert record_form.shown(Field("amount", "money"), found, BERLIN) == shown


def test_an_amount_finer_than_its_currency_is_refused():
    with pytest.raises(BadInput, match="amount: 0.5 is finer than JPY counts"):
        record_form.amount("0.5 JPY", "EUR", "amount")


def test_an_instant_before_the_calendar_is_refused():
    with pytest.raises(BadInput, match="needs an instant"):
        record_form.read(Field("begins", "instant"), ["0001-01-01T00:00"], zone=BERLIN, currency="EUR")
