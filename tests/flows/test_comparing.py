"""What a list from outside says about what was done: every kind of difference, and what is none."""

from datetime import UTC, datetime, timedelta

import pytest

from soloist.flows.comparing import Rules, compare, same
from soloist.sdk import Thing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RULES = Rules(NOW, NOW - timedelta(days=30), 5.0)
KEY = "a2" * 13
LONG_AGO = (NOW - timedelta(hours=1)).isoformat()


def effect(state="succeeded", *, age=3600, **more):
    """An effect with the payload of an invoice of 250 euros."""
    moment = (NOW - timedelta(seconds=age)).isoformat()
    row = {"id": "e1", "key": KEY, "provider_ref": "p1", "state": state, "updated": moment, "first_attempt": moment}
    row |= {
        "created": moment,
        "class": "B",
        "group": "all",
        "attempts": 1,
        "undo": "exact",
        "record": "",
        "reason": "the invoice",
    }
    return {**row, "payload": {"amount": 250, "to": ["Ada <ada@okafor-ceramics.example>"]}, **more}


def thing(ref="p1", key=KEY, *, at=LONG_AGO, **fields):
    return Thing(ref, key, "", {"amount": 250, "to": "ada@okafor-ceramics.example", **fields}, at)


def drifts(ours, things, rules=RULES):
    return [(found.kind, found.effect, found.ref) for found in compare(ours, things, "book", rules).drifts]


def test_what_is_there_as_it_was_sent_is_no_difference():
    found = compare([effect()], [thing()], "book", RULES)
    assert (found.drifts, found.matched) == ([], 1)


def test_what_was_done_and_is_not_there_is_missing_outside():
    assert drifts([effect()], []) == [("missing_outside", "e1", "")]


def test_a_list_that_was_cut_proves_no_absence():
    assert drifts([effect()], [], Rules(NOW, RULES.since, 5.0, whole=False)) == []


def test_what_was_done_a_moment_ago_is_settling():
    found = compare([effect(age=2)], [], "book", RULES)
    assert (found.drifts, found.settling) == ([], 1)


def test_what_a_program_takes_away_is_counted_and_not_missed():
    found = compare([effect()], [], "book", Rules(NOW, RULES.since, 5.0, taken_away=True))
    assert (found.drifts, found.taken_away) == ([], 1)


def test_a_changed_field_is_named_with_both_sides():
    (found,) = compare([effect()], [thing(amount="300.00")], "book", RULES).drifts
    assert found.kind == "differs"
    assert found.fields == ({"field": "amount", "inside": 250, "outside": "300.00"},)


def test_two_with_our_key_are_there_twice():
    assert drifts([effect()], [thing(), thing("p2")]) == [("duplicate", "e1", "p2")]


def test_the_same_content_without_a_key_is_a_second_one():
    assert drifts([effect()], [thing(), thing("p2", key="")]) == [("duplicate", "e1", "p2")]


def test_other_content_without_a_key_is_not_from_here():
    assert drifts([effect()], [thing(), thing("p2", key="", amount=9)]) == [("unattributed", "", "p2")]


def test_in_a_mailbox_what_has_no_key_was_done_by_the_operator():
    found = compare([], [thing("p2", key="")], "mail.send", Rules(NOW, RULES.since, 5.0, own_hand=True))
    assert (found.drifts, found.own_hand) == ([], 1)


@pytest.mark.parametrize("state", ["unknown", "needs_human", "intended"])
def test_a_key_of_ours_proves_an_effect_that_was_tried(state):
    found = compare([effect(state)], [thing()], "book", RULES)
    assert [row["id"] for row, _ in found.proven] == ["e1"]
    assert found.drifts == []


def test_an_uncertain_effect_without_a_key_is_asked_about():
    ours = effect("needs_human", provider_ref="", **{"class": "C"})
    assert drifts([ours], [thing("p9", key="")]) == [("missing_inside", "e1", "")]


def test_what_we_hold_as_not_done_and_is_there_is_missing_here():
    assert drifts([effect("resolved_not_done")], [thing()]) == [("missing_inside", "e1", "")]


def test_a_key_of_this_home_that_nothing_here_knows_is_missing_here():
    assert drifts([], [thing("p7", key="b3" * 13)]) == [("missing_inside", "", "p7")]


def test_an_older_effect_of_ours_is_not_strange():
    assert drifts([], [thing("p7")], Rules(NOW, RULES.since, 5.0, known_keys=frozenset([KEY]))) == []


def test_a_refund_leaves_the_charge_where_it_was():
    assert drifts([effect("compensated", undo="offset")], [thing()]) == []
    assert drifts([effect("compensated", undo="exact")], [thing()]) == [("missing_inside", "e1", "")]


def test_what_has_no_time_settles_while_something_is_under_way():
    assert drifts([effect("attempting")], [thing("p2", key="", at="")]) == []


def test_the_same_value_in_other_spellings_is_the_same():
    assert same(250, "250.00")
    assert same(["Ada <ADA@x.example>", "b@x.example"], ["b@x.example", "ada@x.example"])
    assert same("New  website", "New website")
    assert not same("0042", "42")
    assert not same("ada@x.example", "bob@x.example")


def test_what_was_there_before_this_home_did_such_things_is_no_surprise():
    rules = Rules(NOW, RULES.since, 5.0, born=NOW - timedelta(minutes=30))
    found = compare([], [thing("p2", key="")], "book", rules)
    assert (found.drifts, found.before) == ([], 1)
