"""Conversations as the pages see them: one that is clear, one that asks back, one that was given."""

from __future__ import annotations

from typing import Any

from soloist.flows.talking import Turn
from soloist.insight.picking import Choice
from soloist.insight.talking import TalkLine, Understood
from soloist.kernel.errors import BadInput
from soloist.web.talking_door import TalkPage, TurnView
from tests.web.fake_handing import AT, FakeHanding

WAYS = (("billing.owed", "billing: say what is still owed to you"), ("planner.plan", "planner: take it apart"))
OWED = Understood("billing.owed", "billing", "say what is still owed to you", input={"client": "p1"})
ADA = {"client": (Choice("p1", "Ada Okafor (person)"), Choice("p2", "Ada Lind (person)"))}


class FakeTalks:
    """Says what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.given: list[tuple[str, Any]] = []

    async def page(self, conversation: str = "", way: str = "") -> TalkPage:
        came = await FakeHanding().one("billing", "w1")
        given = TurnView(Turn("m1", "What does Ada owe us?", 0, AT, "operator", meant=OWED, run="w1"), came=came)
        asks = Turn("m2", "And for the fair?", 40, AT, "operator", meant=Understood("", unclear=ADA), choices=WAYS)
        clear = Turn("m3", "Plan it", 0, AT, "operator", meant=OWED, choices=WAYS, estimate="It costs nothing.")
        last = {"t1": TurnView(asks, asks="It is not clear what is to be done."), "t2": TurnView(clear)}
        turns = (given, last[conversation]) if conversation in last else ()
        return TalkPage(conversation, turns, (TalkLine("t1", "What does Ada owe us?", AT),), WAYS)

    async def say(self, text: str, who: str, conversation: str = "") -> tuple[str, str]:
        if len(text) < 2:
            raise BadInput("said: one sentence. Nothing was begun.", field="said")
        self.said.append(text)
        return conversation or "t1", "m2"

    async def give(self, message: str, who: str, **more: Any) -> dict[str, Any]:
        self.given.append((message, more))
        return {"id": "w1"}
