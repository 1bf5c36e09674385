"""The skill ``money``; how it is done stands in ``_money``, which other skills share."""

from __future__ import annotations

from soloist.kernel.message import Span
from soloist.plugins.skills import _papers
from soloist.plugins.skills._money import In, Out, Sum, find_budgets
from soloist.plugins.skills._text import LIMIT
from soloist.sdk import skill

__all__ = ["money"]


@skill("money", version="1")
def money(value: In) -> Out:
    """Read what a sender says they can spend, and every sum that is named."""
    text = value.text[:LIMIT]
    sums = [
        Sum(
            minor=one.minor,
            currency=one.currency or value.currency,
            span=Span(text=text[one.start : one.end], start=one.start, end=one.end),
        )
        for one in _papers.amounts(text)
    ]
    return Out(budgets=find_budgets(value.text, value.currency), sums=sums[:200])
