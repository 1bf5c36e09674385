"""The operator's time without a store: what the pages about it are developed and tested with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.config import Attention
from soloist.insight import attention

FIGURES = attention.Measures(
    days=7, decisions=31, decisions_per_day=4.43, median_seconds=42.0, p90_seconds=180.5, share_edited=0.12,
    share_unedited=0.88, cards=36, messages=120, cards_per_100_messages=30.0, minutes=41.5, minutes_per_day=5.93,
    outcomes={"approve": 20, "approve edited": 4, "reject": 2, "expired": 1}, done_outside=24,
    decisions_per_outcome=1.29, interruptions=2,
)  # fmt: skip
NONE = attention.Measures(30, 0, 0.0, None, None, None, None, 0, 0, None, 0.0, 0.0, {}, 0, None, 0)


class FakeTime:
    """A plan of two cards and invented figures."""

    def __init__(self) -> None:
        self.set: list[Mapping[str, Any]] = []

    async def page(self) -> attention.AttentionPage:
        now = (attention.Line("c3", "It is not known whether the charge went through", "It has money at risk."),)
        later = (attention.Line("c1", "Reply to Ada Okafor", "about 2 min", "2026-11-20T15:30:00.000000Z"),)
        rules = Attention()
        next_ = "2026-11-20T15:30:00.000000Z"
        return attention.AttentionPage(rules, True, now, later, 1, 3.0, 21.0, "", next_, 2, FIGURES, NONE)

    async def adjust(self, values: Mapping[str, Any], who: str) -> None:
        attention.merged(Attention(), values)
        self.set.append(values)

    async def exposition(self) -> str:
        return "soloist_cards_waiting 5\n"
