"""Playbooks of Studio Linde as the pages show them; nothing begins here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from soloist.insight.diff import field
from soloist.insight.playbooks import (
    BookLine,
    BookPage,
    BooksPage,
    Figures,
    Likely,
    PlanLine,
    PlanPage,
    TaskLine,
    Version,
    changed,
)
from soloist.insight.roles import Comparison
from soloist.kernel.errors import BadInput, NotFound

AT = "2026-11-20T08:00:00.000000Z"
OLD = Figures("1", runs=4, well=1, helped=2, ended=1, micro=8_000, decided=4, edited=2)
NEW = Figures("2", runs=3, open=1, well=2, micro=3_000, decided=4, edited=0)
LINE = BookLine(
    "new-client",
    "2",
    "New client onboarding",
    "From the first yes to the first check.",
    "a message whose intent leads here",
    ("join",),
    replace(NEW, runs=7, well=3, helped=2, ended=1),
    True,
)
TASKS = (
    TaskLine("keep", "Read the signature", "crm_keeper", (), ("trigger.message",), "due 2d after the start"),
    TaskLine("agree", "Agree on scope", "you", ("keep",), ("tasks.keep.said",), "begins 4h after the start"),
)
PLAN = PlanLine("plan:new-client:p1", "new-client@2", AT, "under way", "", "m1")


class FakeFiles:
    """Changes in a list."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    async def take_files(self, who: str) -> list[str]:
        self.done.append(("files", who))
        return []

    async def save(self, card: str, name: str, *, who: str) -> dict[str, Any]:
        if card != "l1":
            raise NotFound("The card is no list of a plan.")
        self.done.append(("save", card, name))
        return {"name": name, "version": "1", "hash": "h"}

    async def use(self, name: str, version: str, *, who: str, pin: bool | None) -> None:
        self.done.append(("use", name, version, pin))

    async def back(self, name: str, *, who: str) -> None:
        self.done.append(("back", name))


class FakeBooks:
    """One playbook in two versions with one plan."""

    def __init__(self) -> None:
        self.flow = FakeFiles()
        self.begun: list[tuple[str, dict[str, Any]]] = []

    async def page(self) -> BooksPage:
        likely = Likely("l1", "Tasks for your goal: fair", ("Book the stand", "Print cards"), 3)
        return BooksPage((LINE,), ("wrong.toml: version: is missing.",), (likely,))

    async def one(self, name: str) -> BookPage:
        if name != LINE.name:
            raise NotFound("There is no such playbook.")
        facts = ("1" * 64, AT, "home", "operator", "from the fair")
        versions = (Version("2", *facts, True, NEW), Version("1", *facts, False, OLD))
        values = (("message", "Id of the message it is about"),)
        change = changed(OLD, NEW)
        return BookPage(LINE, TASKS, values, versions, change, (PLAN,), 'name = "new-client"', False, "1")

    async def compare(self, name: str, old: str, new: str) -> Comparison:
        return Comparison(name, old, new, (field("toml", 'version = "1"', 'version = "2"'),))

    async def plan(self, ident: str) -> PlanPage:
        done = replace(TASKS[0], said="done", tone="go", why="Found 2 numbers.", href="/agents/crm_keeper/work/w1")
        waits = replace(TASKS[1], said="waits for you", tone="warn", href="/?card=c1")
        return PlanPage(PLAN, (done, waits), (("message", "m1"),), "outside")

    async def run(self, name: str, values: Mapping[str, Any], *, who: str) -> dict[str, Any]:
        if "message" not in values:
            raise BadInput("values: message is missing. Nothing was begun.", field="values")
        self.begun.append((name, dict(values)))
        return {"id": PLAN.id, "playbook": "new-client@2", "new": True}
