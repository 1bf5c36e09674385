"""The operator's time without a store: what the pages about it are developed and tested with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.config import Attention
from soloist.flows import together as deciding
from soloist.insight import alone, attention, holding, sitting, together, views
from soloist.kernel.errors import NotFound

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
        self.holds: list[tuple[str, bool]] = []
        self.set: list[Mapping[str, Any]] = []
        self.opens: list[tuple[str, str]] = []
        self.news: views.Changed | None = None

    async def page(self) -> attention.AttentionPage:
        now = (attention.Line("c3", "It is not known whether the charge went through", "It has money at risk."),)
        later = (attention.Line("c1", "Reply to Ada Okafor", "About 2 min.", "2026-11-20T15:30:00.000000Z"),)
        rules = Attention()
        next_ = "2026-11-20T15:30:00.000000Z"
        return attention.AttentionPage(rules, True, now, later, 1, 3.0, 21.0, "", next_, 2, FIGURES, NONE)

    async def adjust(self, values: Mapping[str, Any], who: str) -> None:
        attention.merged(Attention(), values)
        self.set.append(values)

    async def opened(self, card: str, who: str) -> together.Look:
        self.opens.append((card, who))
        return together.Look(self.news, 2 if card == "c1" else 0)

    async def alone(self) -> alone.AlonePage:
        flagged = alone.Ran(
            "p1", "mail.send: Reminder", "2026-11-20T08:00:00Z", "intake@3", ("ada@okafor-ceramics.example",),
            "EUR 50.00 (fifty euros)", "A grant lets reminders go.", "grant", ("Sent at 03:10; so far always by day.",),
            "succeeded", True, "It can be called back.",
        )  # fmt: skip
        return alone.AlonePage((flagged,), (alone.Ran("p2", "calendar.put", "2026-11-20T08:00:00Z", "intake@3"),), 9)

    async def looked_at(self, proposals: Sequence[str], who: str) -> None:
        self.reviewed = list(proposals)

    async def held(self, run: str) -> holding.HoldPage:
        since = "2026-11-20T08:00:00Z" if run == "r2" else ""
        waits = (holding.Waits("c1", "mail.send", "intended"),)
        return holding.HoldPage(run, "Intake: Mail from Ada Okafor", since, "operator" if since else "", "", waits)

    async def hold(self, run: str, on: bool, who: str, why: str = "") -> None:
        self.holds.append((run, on))

    async def before(self) -> sitting.Sitting:
        late = attention.Line("c3", "It is not known whether the charge went through", "It has money at risk.")
        return sitting.Sitting(waiting=5, offered=((5, 2), (15, 5), (30, 5)), urgent=(late,))

    async def sit_down(self, minutes: int, who: str) -> int:
        return 100 + minutes

    async def sitting(self, seq: int, card: str = "") -> sitting.Sitting:
        if seq == 99:
            raise NotFound("There is no such sitting. Begin a new one.")
        later = attention.Line("c2", "Reply to Jonas Brandt", "", "2026-11-23T08:00:00.000000Z")
        if seq == 105:
            return sitting.Sitting(seq, 5, 312.0, 4, 0, None, (), (later,), 1, ((5, 0), (15, 0), (30, 0)))
        return sitting.Sitting(seq, 15, 200.0, 2, 3, self.sheets[card or "c1"], (), (later,), 5)

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
