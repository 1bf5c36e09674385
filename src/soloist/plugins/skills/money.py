"""The skill ``money``; how it is done stands in ``_money``, which other skills share."""

from __future__ import annotations

from soloist.plugins.skills._money import In, Out, find_budgets
from soloist.sdk import skill

__all__ = ["money"]


@skill("money", version="1")
def money(value: In) -> Out:
    """Read what a sender says they can spend."""
    return Out(budgets=find_budgets(value.text, value.currency))
