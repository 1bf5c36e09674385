"""One piece of work of an agent, under its contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from soloist.engine import registry
from soloist.kernel.agent import Handoff
from soloist.kernel.errors import NotAllowed
from soloist.kernel.work import WorkItem
from soloist.sdk import Skill
from soloist.stages.runtime.models.looking import Seen, Tool
from soloist.stages.runtime.roster import Roster
from soloist.stages.runtime.working import Working


class Here:
    """Skills run in this process."""

    def __init__(self, skills: dict[str, Skill]) -> None:
        self.skills = skills

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        return self.skills[skill].call(value, blob)


@pytest.fixture
def working(tmp_path: Path) -> Working:
    found = registry.load()
    return Working(Roster(found.agents, found.skills, tmp_path), Here(found.skills))


async def test_an_agent_works_with_a_skill_of_its_own(working: Working) -> None:
    given = {"templates": {}, "language": "en", "subject": "Website", "first_sent": "2026-03-02T09:00:00Z"}
    worked = await working.work(WorkItem("r1", "remind", "intake", "draft_follow_up", given))
    assert (worked.came, worked.author, worked.value["language"]) == ("done", "rules", "en")
    assert worked.cost["micro"] == 0


async def test_a_skill_that_its_contract_does_not_list_is_not_called(working: Working) -> None:
    with pytest.raises(NotAllowed, match="may not use the skill translate"):
        await working.work(WorkItem("r1", "x", "intake", "translate", {"text": "Hello", "to": "de"}))


CLAIMS = {"text": "Hello", "language": "en"}


async def test_handed_work_is_done_under_both_contracts(working: Working) -> None:
    item = WorkItem("r1", "x", "editor", "check_claims", CLAIMS, given_by=("intake", "writer"), work="edit a draft")
    spec = working.contract(item)
    writer, editor = working._roster.get("writer"), working._roster.get("editor")
    assert spec.limits.model_calls == 2
    assert (spec.operations, spec.writes) == ((), ())
    assert set(spec.skills) <= set(writer.skills) & set(editor.skills)
    assert (await working.work(item)).value["ok"]


@pytest.mark.parametrize(
    ("agent", "skill", "given_by", "work", "why"),
    [
        ("editor", "check_claims", ("intake",), "edit a draft", "may not hand edit a draft to editor"),
        ("writer", "draft_reply", ("intake",), "send it", "may not hand send it to writer"),
        ("writer", "draft_reply", ("supervisor",), "write a reply", "may not hand write a reply to writer"),
    ],
)
async def test_what_no_contract_hands_on_is_not_handed(
    working: Working, agent: str, skill: str, given_by: tuple[str, ...], work: str, why: str
) -> None:
    with pytest.raises(NotAllowed, match=why):
        await working.work(WorkItem("r1", "x", agent, skill, {}, given_by=given_by, work=work))


async def test_a_value_the_handover_does_not_name_stays_behind(working: Working) -> None:
    given = {"house_book": "", "bank_account": "DE00"}
    item = WorkItem("r1", "x", "writer", "draft_reply", given, given_by=("intake",), work="write a reply")
    with pytest.raises(NotAllowed, match="may not hand bank_account to writer"):
        await working.work(item)


async def test_a_giver_without_a_skill_cannot_give_it(working: Working) -> None:
    roster = working._roster
    roster.specs["intake"] = roster.get("intake").model_copy(update={"skills": ("understand",)})
    item = WorkItem("r1", "x", "writer", "draft_follow_up", {}, given_by=("intake",), work="write a reminder")
    with pytest.raises(NotAllowed, match="may not use the skill draft_follow_up"):
        await working.work(item)


def deputy(working: Working) -> WorkItem:
    """Work that a confined agent hands to one who may send mail and read bills."""
    roster = working._roster
    hands = Handoff(to="intake", work="answer it", values=(), when="a letter came")
    confined = {"operations": (), "reads": ("memory",), "handoffs": (hands,), "skills": ("draft_follow_up",)}
    roster.specs["editor"] = roster.get("editor").model_copy(update=confined)
    able = {"operations": ("mail.send",), "reads": ("memory", "invoice")}
    roster.specs["intake"] = roster.get("intake").model_copy(update=able)
    return WorkItem("r1", "x", "intake", "draft_follow_up", {}, given_by=("editor",), work="answer it")


async def test_a_confined_agent_gains_nothing_by_handing_work_to_an_able_one(working: Working) -> None:
    item = deputy(working)
    roster, spec = working._roster, working.contract(item)
    roster.get("intake").may_propose("mail.send")
    with pytest.raises(NotAllowed, match=r"may not propose mail\.send"):
        spec.may_propose("mail.send")
    with pytest.raises(NotAllowed, match="may not read invoice"):
        spec.may_read("invoice")


async def test_work_handed_on_cannot_look_up_what_its_giver_may_not_read(working: Working) -> None:
    async def look(_question: str) -> Seen:
        raise AssertionError("it was asked")

    item = deputy(working)
    with pytest.raises(NotAllowed, match="may not read invoice"):
        await working.work(item, tools=[Tool("bills", "Look up bills.", "invoice", look)])
