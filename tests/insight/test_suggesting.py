"""One line a month about what repeats, measured in the month before; nothing when nothing did."""

from datetime import UTC, datetime
from typing import Any

from soloist.insight import roles, suggesting
from soloist.kernel.agent import AgentSpec, Limits

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def spec(**more: Any) -> AgentSpec:
    given = {"name": "scheduler", "version": "1", "kind": "task", "summary": "Finds days for meetings.", **more}
    return AgentSpec.model_validate(given)


def test_the_month_before_is_a_whole_one() -> None:
    assert suggesting.month_before(NOW) == ("2026-10-01T00:00:00.000000Z", "2026-11-01T00:00:00.000000Z")
    begin, _ = suggesting.month_before(datetime(2026, 1, 3, tzinfo=UTC))
    assert begin.startswith("2025-12-01")


def test_a_paused_role_is_named_with_the_count() -> None:
    found = suggesting._asleep({"scheduling": 9}, {"scheduler": spec()}, {"scheduler": ("paused", "")})
    assert found == [
        (9, "Switch on scheduler: 9 messages about dates last month, and it is paused.", "/agents/scheduler")
    ]
    assert suggesting._asleep({"scheduling": 9}, {"scheduler": spec()}, {}) == []
    assert suggesting._asleep({"scheduling": 4}, {"scheduler": spec()}, {"scheduler": ("paused", "")}) == []


def test_what_fails_again_and_again_is_named() -> None:
    assert suggesting._failing({"effect": 6, "intake": 1})[0][1].startswith("Look at what stops effect: 6 runs")


def test_an_agent_declares_what_it_may_cause() -> None:
    limits = Limits(proposals_per_run=1)
    told = roles.declared(spec(operations=("mail.send",), writes=("person.phones", "card"), limits=limits))
    assert told == (
        "May propose sending mail, at most 1 proposal a run. Writes person.phones. Shows you cards. Costs nothing. "
        "Everything else is refused in code."
    )
