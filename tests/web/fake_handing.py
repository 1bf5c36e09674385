"""Work of agents as the pages see it: a role's form, and two pieces of work that came to their ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from soloist.flows.giving import Asked
from soloist.insight.given import Ask, GivenLine, GivenPage, GivePage
from soloist.kernel.errors import BadInput

AT = "2026-11-20T09:30:00.000000Z"
FIELDS = (
    Ask("text", "Minutes, notes or a transcript", box="text"),
    Ask("subject", "What the meeting was about"),
    Ask("goal", "Id of a goal", box="choice", choices=("g1", "g2")),
)
DONE = GivenLine("w1", "planner@1", "", AT, "done", "go")
HELD = GivenLine("w2", "publisher@1", "translate", AT, "waits for you", "warn")


class FakeHanding:
    """Remembers what was given; an empty text does not fit."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def page(self, name: str) -> GivePage:
        return GivePage(name, "Plans.", FIELDS, ("meeting_notes",), ("meeting_notes",), "a day", (DONE, HELD))

    async def one(self, _name: str, run: str) -> GivenPage:
        rows = (("Decisions", ("the blue logo. (line 1)",)), ("Tasks", ("Mara sends the offer (line 2)",)))
        text = {"said": "1 decision, 1 task.", "estimate": "No model is asked.", "cost": "nothing", "author": "rules"}
        whole = {**text, "in_time": "within a day", "lane": "at once", "origin": "You wrote it.", "card": "c1"}
        given = (("Text", "Decision: the blue logo."),)
        kept = {"came": "done", "records": ["m1"]}
        return GivenPage(
            line=replace(DONE, id=run), rows=rows, given=given, tries=("small: it did not answer",), json=kept,
            records=(("/records/meeting/m1", "Logo"),), **whole,
        )  # fmt: skip

    def typed(self, _name: str, _skill: str, form: Mapping[str, str]) -> dict[str, Any]:
        return {"text": form.get("in.text", "")}

    async def meant(self, _name: str, given: Any, _picked: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return dict(given), {}

    async def look(self, asked: Asked) -> dict[str, Any]:
        if not asked.input["text"]:
            raise BadInput("input.text: it is needed. Nothing was begun.", field="input")
        return {"said": "No model is asked, so it costs nothing."}

    async def give(self, asked: Asked, *, who: str) -> dict[str, Any]:
        await self.look(asked)
        self.asked.append(asked)
        return {"id": "w1", "agent": f"{asked.agent}@1", "by": who}
