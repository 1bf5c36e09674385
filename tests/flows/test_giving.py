"""Work that is handed to an agent: a durable run with what was given, what it was estimated at, and what came of it."""

from typing import Any

import pytest

from soloist.engine.store import runs
from soloist.flows import roles
from soloist.flows.giving import Asked
from soloist.kernel.errors import BadInput, NotAllowed, NotFound
from tests.flows.conftest import House, Open

MINUTES = (
    "Decision: we go with the blue logo.\nTODO: Mara sends the offer until 4 December 2026.\nWho pays the printer?\n"
)


async def given(home: House, **asked: Any) -> dict[str, Any]:
    """Hand work over and wait for what came of it."""
    made = await roles.giving(home.desk).give(Asked(**asked), who="operator")
    ended = lambda: [r for r in home.rows("runs", id=made["id"]) if r["state"] in ("done", "failed")]  # noqa: E731
    (run,) = await home.until(ended)
    assert run["state"] == "done", run["error"]
    (step,) = home.rows("run_steps", run=made["id"], step="work")
    return {**step["output"], "run": run, "made": made}


async def test_work_is_done_once_by_a_skill_by_the_role_or_by_the_operator(house: Open) -> None:
    home = await house()
    asked = {"agent": "researcher", "skill": "summary", "input": {"text": "One thing. Another thing."}, "ref": "same"}
    found = await given(home, **asked)
    assert found["came"] == "done" and found["author"] == "rules"
    assert [one["text"] for one in found["value"]["sentences"]] == ["One thing.", "Another thing."]
    assert found["run"]["agent"] == "researcher@1"
    assert found["made"]["estimate"]["said"] == "No model is asked, so it costs nothing."
    assert (found["made"]["new"], (await given(home, **asked))["made"]["new"]) == (True, False)

    held = await given(home, agent="publisher", skill="translate", input={"text": "Good morning, Ada.", "to": "de"})
    assert held["came"] == "operator"
    assert held["said"].startswith("Only a language model writes this")

    found = await given(home, agent="planner", input={"text": MINUTES, "subject": "Logo"})
    (meeting,) = home.rows("records", kind="meeting")
    assert meeting["body"]["open_questions"] == ["Who pays the printer? (line 3)"]
    assert meeting["state"] == "held" and found["records"] == [meeting["id"]]
    card = home.card(type="list")
    assert card is not None and card["detail"]["lines"][0]["until"] == "2026-12-04"
    done = await home.choose(card, "take")
    (task,) = home.rows("tasks", type="manual")
    assert done["tasks"] == [task["id"]] and "offer" in task["title"]


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"agent": "reseacher", "input": {}}, NotFound, "did you mean 'researcher'"),
    ({"agent": "researcher", "skill": "translate", "input": {}}, NotAllowed, "may not use the skill translate"),
    ({"agent": "researcher", "skill": "summary", "input": {}}, BadInput, "input.text"),
    ({"agent": "researcher", "input": {"questoin": "x"}}, BadInput, "did you mean 'question'"),
    ({"agent": "intake", "input": {}}, BadInput, "say which skill of intake"),
    ({"agent": "researcher", "input": {}, "lane": "later"}, BadInput, "lane: one of now, morning"),
]


async def test_what_does_not_fit_is_said_and_nothing_begins(rig: Any) -> None:
    desk = rig().app.desk
    for asked, error, said in WRONG:
        with pytest.raises(error, match=said):
            await roles.giving(desk).give(Asked(**asked), who="operator")
    assert desk.store.read_now(runs.pending_runs) == []
