"""The operator's time without a store: what the pages about it are developed and tested with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.config import Attention
from soloist.flows import together as deciding
from soloist.insight import attention, together, views

FIGURES = attention.Measures(
    days=7, decisions=31, decisions_per_day=4.43, median_seconds=42.0, p90_seconds=180.5, share_edited=0.12,
    share_unedited=0.88, cards=36, messages=120, cards_per_100_messages=30.0, minutes=41.5, minutes_per_day=5.93,
    outcomes={"approve": 20, "approve edited": 4, "reject": 2, "expired": 1}, done_outside=24,
    decisions_per_outcome=1.29, interruptions=2,
)  # fmt: skip
NONE = attention.Measures(30, 0, 0.0, None, None, None, None, 0, 0, None, 0.0, 0.0, {}, 0, None, 0)


class FakeTime:
    """A plan of two cards and invented figures."""

    def __init__(self, sheets: Mapping[str, views.Sheet] | None = None) -> None:
        self.sheets = sheets or {}
        self.decided: list[tuple[dict[str, str], str, bool]] = []
        self.set: list[Mapping[str, Any]] = []
        self.opens: list[tuple[str, str]] = []
        self.news: views.Changed | None = None

    async def page(self) -> attention.AttentionPage:
        now = (attention.Line("c3", "It is not known whether the charge went through", "It has money at risk."),)
        later = (attention.Line("c1", "Reply to Ada Okafor", "about 2 min", "2026-11-20T15:30:00.000000Z"),)
        rules = Attention()
        next_ = "2026-11-20T15:30:00.000000Z"
        return attention.AttentionPage(rules, True, now, later, 1, 3.0, 21.0, "", next_, 2, FIGURES, NONE)

    async def adjust(self, values: Mapping[str, Any], who: str) -> None:
        attention.merged(Attention(), values)
        self.set.append(values)

    async def opened(self, card: str, who: str) -> together.Look:
        self.opens.append((card, who))
        return together.Look(self.news, 2 if card == "c1" else 0)

    async def group(self, card: str, who: str) -> together.Group:
        if card == "none":
            return together.Group("c1", "Reply to Ada Okafor", False, ())
        shown = tuple(self.sheets[ident] for ident in ("c1", "c2"))
        return together.Group(card, "Reply", card == "c2", shown, 3)

    async def decide(
        self, shown: Mapping[str, str], option: str, *, whole: bool, who: str, reason: str = ""
    ) -> list[deciding.Said]:
        self.decided.append((dict(shown), option, whole))
        last = len(shown) - 1
        why = "It changed after you opened it."
        return [deciding.Said(i, f"Reply {i}", option, why if n == last else "") for n, i in enumerate(shown)]

    async def exposition(self) -> str:
        return "soloist_cards_waiting 5\n"
