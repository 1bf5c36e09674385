"""Policy rules: precedence, the place of a fault, and that nothing that goes wrong ever becomes an allow."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soloist.config import Rule
from soloist.kernel.errors import BadConfig
from soloist.stages.policy import Facts, compile_rules, judge
from soloist.stages.policy.decide import NO_RULE

BOOKING = Facts(
    connector="shop",
    operation="put_event",
    effect_class="B",
    risk="reversible",
    payload={"day": "2027-01-15", "guests": 2},
    now=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    recipients=("ada@okafor-ceramics.example",),
    undo="exact",
)
ERRORS = "proposal.payload.missing == 1"


def rule(then, when="true", name="", **more):
    return Rule(name=name or f"{then} if {when}", when=when, then=then, **more)


def ask(*rules, facts=BOOKING):
    return judge(compile_rules(rules), facts)


def test_without_a_rule_the_operator_is_asked():
    verdict = ask()
    assert (verdict.answer, verdict.rule, verdict.reason) == ("ask", "", NO_RULE)


def test_the_example_of_the_reference_allows_with_a_window():
    when = 'proposal.connector == "shop" && proposal.operation == "put_event"'
    verdict = ask(rule("allow", when, "reminders may go out alone", mode="revert", window="10m"))
    assert (verdict.answer, verdict.mode, verdict.window) == ("allow", "revert", 600.0)
    assert verdict.reason == 'Rule "reminders may go out alone" allows this.'


@pytest.mark.parametrize(
    "when",
    [
        'proposal.class == "B" && proposal.risk == "reversible" && proposal.kind == "effect"',
        'proposal.recipients.all(r, r.endsWith("@okafor-ceramics.example")) && !proposal.new_recipient',
        'has(proposal.payload.guests) && proposal.payload.guests < 3 && proposal.currency == ""',
        "now.hour >= 9 && now.hour < 17 && now.weekday == 5 && proposal.amount_minor == 0",
        'proposal.source == "agent" && proposal.agent == "" && !proposal.thread_known',
    ],
)
def test_every_declared_name_can_be_used(when):
    assert ask(rule("allow", when)).answer == "allow"


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ('proposal.conector == "shop"', "line 1, column 9: undeclared reference to 'proposal.conector'"),
        ('true &&\n proposal.amount == "x"', "line 2, column 10"),
        ('proposal.amount_minor == "5"', "no matching overload"),
        ('proposal.risk == "financial" &&', "Syntax error"),
        ("proposal.amount_minor", "when must be true or false, not int"),
        ("", "Syntax error"),
        ('"\ud800" == "a"', "cannot be read"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_its_name_and_place(when, words):
    with pytest.raises(BadConfig) as caught:
        compile_rules([rule("allow", name="fine"), rule("allow", when, name="late bookings")])
    assert 'policy rule "late bookings"' in caught.value.detail
    assert words in caught.value.detail
    assert caught.value.field == "policy.rules.1.when"


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(BadConfig, match="two rules are named 'a'"):
        compile_rules([rule("allow", name="a"), rule("deny", name="a")])


def test_the_version_follows_the_words_and_not_the_order():
    one, two = rule("allow", name="a"), rule("deny", "false", name="b")
    assert compile_rules([one, two]).version == compile_rules([two, one]).version
    assert compile_rules([one, two]).version != compile_rules([one, rule("deny", name="b")]).version
    assert len(compile_rules([]).version) == 12


def test_deny_wins_over_ask_and_ask_over_allow_in_any_order():
    rules = [rule("allow"), rule("ask"), rule("deny")]
    assert {ask(*order).answer for order in permutations(rules)} == {"deny"}
    assert {ask(*order).answer for order in permutations(rules[:2])} == {"ask"}


def test_revert_needs_a_way_back():
    back = rule("allow", name="take back", mode="revert")
    gone = replace(BOOKING, undo="offset", recipients=())
    assert ask(back, facts=gone).answer == "ask"
    assert "only if it can be taken back" in ask(back, facts=gone).reason
    assert ask(back, rule("allow"), facts=gone).answer == "ask"
    assert ask(back, facts=replace(gone, held=True)).answer == "allow"


def test_of_two_rules_that_allow_the_more_careful_one_counts():
    rules = [rule("allow", name="audit"), rule("allow", name="revert", mode="revert", window="1h")]
    assert {(ask(*order).mode, ask(*order).window) for order in permutations(rules)} == {("revert", 3600.0)}


def test_a_rule_that_fails_means_ask_and_is_named_yet_never_hides_a_deny():
    broken = rule("allow", ERRORS, name="broken")
    verdict = ask(rule("allow"), broken)
    assert (verdict.answer, verdict.rule) == ("ask", "broken")
    assert 'Key not found in map : "missing"' in verdict.reason
    assert ask(broken, rule("deny", name="no")).rule == "no"


@pytest.mark.parametrize("value", ["\ud800", 10**30, [[[]]], float("inf"), "yes", None])
def test_odd_payload_values_never_allow_by_accident(value):
    assert ask(rule("allow", "proposal.payload.x"), facts=replace(BOOKING, payload={"x": value})).answer == "ask"


def test_the_trace_tells_what_every_rule_said():
    trace = ask(rule("allow"), rule("deny", "false"), rule("ask", ERRORS)).trace
    assert [(weighed.then, weighed.result) for weighed in trace] == [
        ("allow", "holds"),
        ("deny", "does not hold"),
        ("ask", "error"),
    ]


CONDITIONS = st.sampled_from(["true", "false", ERRORS, "proposal.payload.guests > 1", "proposal.payload.day"])
RULES = st.lists(
    st.builds(
        Rule,
        name=st.uuids().map(str),
        when=CONDITIONS,
        then=st.sampled_from(["deny", "ask", "allow"]),
        mode=st.sampled_from(["audit", "revert"]),
    ),
    max_size=6,
)
UNDO = st.sampled_from(["exact", "none"])


@given(rules=RULES, seed=st.randoms(use_true_random=False), undo=UNDO)
def test_the_order_of_rules_never_changes_the_answer(rules, seed, undo):
    facts = replace(BOOKING, undo=undo)
    shuffled = list(rules)
    seed.shuffle(shuffled)
    first, second = ask(*rules, facts=facts), ask(*shuffled, facts=facts)
    assert (first.answer, first.mode, first.window) == (second.answer, second.mode, second.window)


@given(rules=RULES, then=st.sampled_from(["deny", "ask", "allow"]))
def test_with_a_rule_that_fails_nothing_is_ever_allowed(rules, then):
    verdict = ask(*rules, rule(then, ERRORS, name="broken"))
    assert verdict.answer != "allow"
