"""A message's run names the versions it was made with; what the contract of its agent does not list is not done."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.flows.answering import Answering
from soloist.kernel.errors import NotAllowed
from tests.flows.conftest import House, Open, mail

NOBODY = {"person": "", "company": "", "change": {}}


async def test_a_run_names_its_versions_and_keeps_to_its_contract(house: Open):
    opened = await house()
    run = await opened.take_in(mail())
    (run,) = opened.rows("runs", id=run["id"])
    made = run["made_with"]
    assert (run["agent"], made["agent"], made["checked_by"]) == ("intake@2", "intake@2", "supervisor@2")
    assert {"understand", "draft_reply", "check_draft"} <= made["skills"].keys()
    assert (made["policy"], bool(made["context"])) == (opened.app.judging.rules.version, True)
    (message,) = opened.rows("messages", direction="in")
    await keeps_to_it(opened, message["id"])


async def keeps_to_it(house: House, message: str) -> None:
    """With each part of its contract taken away the same message is not worked on."""
    specs = house.desk.runtime.roster.specs
    whole = specs["intake"]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"reads": ("event",)}, "may not read conversation"),
        ({"writes": ("proposal",)}, "may not write lead"),
        ({"skills": ("read_mail",)}, "may not use the skill qualify"),
        ({"operations": ()}, "may not propose mail.send"),
    ]
    for number, (changed, said) in enumerate(cases):
        specs["intake"] = whole.model_copy(update=changed)
        if "skills" in changed:
            said = "may not use the skill"
        with pytest.raises(NotAllowed, match=said):
            await Answering(house.desk).answer(f"test:{number}", message, NOBODY)
    specs["intake"] = whole
