"""The skill ``due_dates``; how words about paying become days stands in ``_terms``, which reading invoices shares."""

from __future__ import annotations

from datetime import date

from pydantic import Field, field_validator

from soloist.kernel.message import Frozen
from soloist.plugins.skills._terms import Term, due, find
from soloist.sdk import skill


class In(Frozen):
    """A text with words about paying, and the day from which terms count (ISO, "" when it is not known)."""

    text: str
    issued: str = ""
    month_first: bool = Field(default=False, description="whether 03/04/2026 is the 4th of March")

    @field_validator("issued")
    @classmethod
    def _is_a_day(cls, value: str) -> str:
        if value:
            date.fromisoformat(value)
        return value


class Out(Frozen):
    """The terms, and the day by which the whole sum is due with the words it rests on."""

    terms: list[Term]
    due: str = ""
    rests_on: Term | None = None


@skill("due_dates", version="1")
def due_dates(value: In) -> Out:
    """Turn words about paying into days: net terms, cash discount, at once."""
    issued = date.fromisoformat(value.issued) if value.issued else None
    terms = find(value.text, issued, month_first=value.month_first)
    last = due(terms)
    return Out(terms=terms, due=last.day if last else "", rests_on=last)
