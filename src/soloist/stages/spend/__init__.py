"""Spend: what models may cost, held back before each call and settled after it; it calls no model."""

from soloist.stages.spend.decide import (
    Forecast,
    cap_of,
    configured,
    cost,
    effective,
    end_of,
    expected,
    forecast,
    moment,
    worst,
)
from soloist.stages.spend.large import Large
from soloist.stages.spend.steps import SUBJECT, Refused, Spend, sweep_in
from soloist.stages.spend.words import amount, title

__all__ = [
    "SUBJECT",
    "Forecast",
    "Large",
    "Refused",
    "Spend",
    "amount",
    "cap_of",
    "configured",
    "cost",
    "effective",
    "end_of",
    "expected",
    "forecast",
    "moment",
    "sweep_in",
    "title",
    "worst",
]
