"""The ladder's figures: what Wilson's bound says at each number, and which class an operation is in."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from soloist.kernel.confidence import wilson_lower
from soloist.stages.policy import Facts, grants
from soloist.stages.policy.ladder import CLASSES, class_of, needed, offer

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
EVENT = Facts("shop", "put_event", "B", "reversible", {}, NOW, undo="exact")
MAIL = Facts("mail", "mail.send", "B", "irreversible", {}, NOW, ("a@x.example",), primitive="send", undo="apology")
KNOWN = replace(MAIL, held=True, thread_known=True, template="enquiry.en")


@pytest.mark.parametrize(("n", "bound"), [(11, 0.80), (25, 0.90), (52, 0.95)])
def test_the_numbers_are_the_first_that_reach_their_bound(n, bound):
    assert wilson_lower(n, n) >= bound > wilson_lower(n - 1, n - 1)
    assert (bound, n) in {(reach, count) for _, reach, count in CLASSES.values()}


def test_a_single_miss_falls_below():
    assert wilson_lower(10, 11) < 0.8
    assert wilson_lower(0, 0) == 0.0


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (EVENT, "undoable"),
        (replace(EVENT, amount_minor=1), "other"),
        (replace(EVENT, undo="none"), "other"),
        (replace(EVENT, undo="offset"), "other"),
        (KNOWN, "template mail"),
        (replace(KNOWN, held=False), "client mail"),
        (replace(KNOWN, template=""), "client mail"),
        (replace(KNOWN, thread_known=False), "client mail"),
        (replace(MAIL, recipients=("a@x.example", "b@x.example")), "other"),
        (replace(MAIL, audience="list"), "other"),
        (replace(MAIL, risk="financial"), "other"),
        (replace(EVENT, kind="change"), "internal"),
    ],
)
def test_the_class_of_an_operation(facts, name):
    assert class_of(facts) == name


def test_only_three_classes_are_ever_offered():
    assert [needed(name, "") for name in ("internal", "undoable", "template mail", "client mail", "other")] == [
        0, 11, 25, 52, 0,
    ]  # fmt: skip
    assert needed("undoable", "22") == 22


@pytest.mark.parametrize("name", CLASSES)
def test_what_is_offered_can_be_a_grant_and_opens_no_more_than_client_contact(name):
    made = offer(name, "put_event")
    grants.checked({"when": made.when, "window": made.window, "gates": made.gates, "agent": "intake"})
    assert set(made.gates) <= {"client contact"}
