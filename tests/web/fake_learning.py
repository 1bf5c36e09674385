"""Corrections and trials for the pages, without a store."""

from __future__ import annotations

from soloist.insight import corrections as views
from soloist.insight import diff
from soloist.web import learning_door

AT = "2026-11-20T09:00:00.000000Z"
FIELD = diff.field("body", "Kind regards\nMara Linde", "Warm regards\nMara Linde")
LINE = views.Line(
    id="k1",
    kind="edit",
    said=views.KINDS["edit"],
    led_to=views.LED_TO["edit"],
    at=AT,
    object="c1",
    agent="intake@2",
    skill="draft_reply",
    sort="enquiry",
    language="en",
    reason="",
    far=3.4,
    fields=(FIELD,),
    run="r2",
)
PERIODS = (views.Period("2026, week 46", 5, 1, 4.2), views.Period("2026, week 47", 6, 4, 1.1))
WORDING = {"id": "w1", "old": "Best wishes", "new": "", "at": AT, "cases": 3, "language": "en"}
TRIAL = views.trial_line(
    {
        "id": "t1",
        "kind": "agent",
        "name": "intake",
        "candidate": "intake@3",
        "state": "done",
        "started": AT,
        "ended": AT,
        "who": "operator",
        "totals": {"worse": 1, "better": 0, "same": 2, "distance_before": 34, "distance_after": 60},
    }
)
ROW = views.trial_row(
    {
        "n": 0,
        "object": "correction:k1",
        "outcome": "worse",
        "before": {"text": "Hi Emily"},
        "after": {"text": "Yo Emily"},
        "detail": {
            "before": 34,
            "after": 60,
            "why": ["templates of intake@3"],
            "wanted": "Hello Emily",
            "steps": [{"skill": "draft_reply", "then": "1", "now": "1", "same": False, "why": "templates of intake@3"}],
        },
    }
)


class FakeLearning(learning_door.Learning):
    """Answers what the pages ask; keeps what they did."""

    def __init__(self) -> None:
        self.did: list[tuple[str, ...]] = []

    async def page(self, before: str = "") -> views.Page:
        offers = (views.Offered("draft_reply", "en", "", "Kind regards", "Warm regards", 4),)
        figures = (views.Figure("enquiry", "en", PERIODS, "4 of 6 drafts went as they were."),)
        return views.Page((LINE,), offers, (WORDING,), figures, {"edit": 1}, "")

    async def trials(self, before: str = "", limit: int = 30) -> list[views.TrialLine]:
        return [TRIAL]

    async def trial(self, ident: str, outcome: str = "", after: int = -1) -> views.TrialPage:
        return views.TrialPage(TRIAL, (ROW,), (("same", 2), ("worse", 1)), outcome, "")

    def choices(self) -> dict[str, list[str]]:
        return {"agent": ["intake"], "skill": ["draft_reply"], "model": []}

    async def begin(self, asked: object, who: str) -> str:
        self.did.append(("begin", asked.kind, asked.name))  # type: ignore[attr-defined]  # an Asked
        return "t1"

    async def cancel(self, ident: str, who: str) -> None:
        self.did.append(("cancel", ident))

    async def drop(self, ident: str, who: str) -> None:
        self.did.append(("drop", ident))

    async def end_wording(self, ident: str, who: str) -> None:
        self.did.append(("end", ident))

    async def say(self, given: object, yes: bool, who: str) -> str:
        self.did.append(("say", given["new"], str(yes)))  # type: ignore[index]  # the fields of the form
        return "w2"
