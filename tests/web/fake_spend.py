"""Models and money of Studio Linde for the pages: made-up figures, nothing is asked."""

from __future__ import annotations

from collections.abc import Mapping

from soloist.insight.spend import CapLine, ModelLine, SpendPage
from soloist.insight.trying import SkillTried, TrialOfModel
from soloist.insight.worth import Outcome, TierWorth, Waste

_MONTH = CapLine(
    "house.month.money", "house", "", "month", "money", 20_000_000, 1_310_000, "EUR", "soloist.toml",
    "20.00 EUR for a month for the whole house", "1.31 EUR of 20.00 EUR", 6,
)  # fmt: skip
_WRITER = CapLine(
    "agent.day.money.writer", "agent", "writer", "day", "money", 500_000, 498_000, "EUR", "set here",
    "0.50 EUR for a day for the agent writer", "0.49 EUR of 0.50 EUR", 99, stopped=True,
)  # fmt: skip
_EACH = CapLine("flow.day.money", "flow", "", "day", "money", 1_000_000, 0, "EUR", "soloist.toml",
                "1.00 EUR a day for each flow", "", 0, each=True)  # fmt: skip


class FakeSpending:
    """The doors' way to models and money."""

    async def page(self) -> SpendPage:
        """A month with everything a page can show."""
        by = {"calls": 41, "cost_micro": 610_000, "runs": 30}
        return SpendPage(
            "EUR", (_MONTH, _WRITER, _EACH), 42_000, 1_310_000, 3_000, 1_900_000, 210_000, {"2026-11-20": 42_000},
            ({"subject": "writer@1.2", **by},), ({"subject": "reply", **by},), ({"subject": "Okafor Ceramics", **by},),
            ({"agent": "writer", "skill": "", "paid": 2, "recorded": 3},), {"recordings": 40, "uses": 3},
            (1_600_000, 2_300_000), "about 1.90 EUR, between 1.60 EUR and 2.30 EUR",
            ({"subject": "draft_reply", **by},), ({"subject": "a-small-one", **by},),
            (Outcome("accepted reply", 24, 610_000),),
            (Waste("writer asked the same 2 times and paid each time", 900, "The recording answers for nothing."),),
            {"waiting": 1, "sent": 2, "done": 9, "late": 1},
            (TierWorth(0, "rules", 30, 12, 21.5, 0),
             TierWorth(3, "hosted small model", 24, 15, 9.0, 300, "Less to change.")),
        )  # fmt: skip

    async def models(self) -> list[ModelLine]:
        """One that works and one whose key is missing."""
        return [
            ModelLine("home", "ollama", "a-local-one", "localhost:11434", 2, "2: local model", "nothing by the token",
                      True, 8192, "", "", 12, 1, 0, 900, {"timeout": 1}),
            ModelLine("hosted", "openai", "a-small-one", "api.example.com", 3, "3: hosted small model", "unknown",
                      False, 8192, "hosted", "The secret hosted is missing."),
        ]  # fmt: skip

    async def check(self, name: str) -> str:
        """One word."""
        return f"openai/{name} answered (9 tokens in, 1 out, 0.0001 EUR)."

    async def trials(self) -> list[TrialOfModel]:
        """One trial that has ended."""
        said = ("12 of 20 as wanted", "Tier 2 is enough for it.")
        tried = SkillTried("draft_reply", 20, 19, "edit distance", 910, 880, 900, 640, 2100, 2, (), *said)
        cost = (900, 1_100, 9_000, "EUR", "20 cases, 0.0009 EUR", (tried,))
        at = "2026-11-20T09:00:00.000000Z"
        return [TrialOfModel("t1", "home", "ollama/a-local-one", "done", at, at, 20, *cost)]

    async def set_cap(self, given: Mapping[str, str], who: str, why: str) -> str:
        """Nothing is kept."""
        return "house.month.money"

    async def extend(self, key: str, who: str, percent: int = 0) -> None:
        """Nothing is kept."""

    async def remove(self, key: str, who: str) -> None:
        """Nothing is kept."""
