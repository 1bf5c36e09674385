"""Pure decisions of approvals: how long something is held, and who a repeated mail is for."""

import pytest

from soloist.stages.approvals.decide import for_one, held_for

ALLOW = {"answer": "allow", "mode": "revert", "window": 600.0}


@pytest.mark.parametrize(
    ("undo", "verdict", "held"),
    [
        ("none", ALLOW, 600_000),
        ("exact", ALLOW, 30_000),
        ("none", {**ALLOW, "mode": "audit"}, 30_000),
        ("none", {**ALLOW, "answer": "ask"}, 30_000),
        ("none", {**ALLOW, "window": 1.0}, 30_000),
    ],
)
def test_a_rule_that_promises_a_way_back_holds_what_cannot_be_undone(undo, verdict, held):
    assert held_for({"undo": undo, "hold_ms": 30_000}, verdict) == held


def test_a_repeated_mail_is_for_the_one_who_did_not_get_it():
    mail = {"to": ["a@x.example", "b@x.example"], "cc": ["c@x.example"], "body": "Hello"}
    assert for_one(mail, "c@x.example") == {"to": ["c@x.example"], "cc": [], "body": "Hello"}
