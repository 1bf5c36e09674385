"""What a message is: exact rules stand, the model decides the rest, and who is torn asks the operator."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.stages.runtime import kinds, learning
from soloist.stages.runtime.kinds import Choice, Facts

ALL = (*kinds.WANTED, *kinds.UNWANTED, "other")


def told(near: dict[str, Any] | None = None, in_scope: bool = True, **chances: float) -> dict[str, Any]:
    """An answer of the local model; kinds that are not named have no chance."""
    found = {"model": "kind@0123abcd", "nearest": near, "in_scope": in_scope}
    return {**found, "probabilities": {**dict.fromkeys(ALL, 0.0), **chances}}


def choose(rule_kind: str = "unsure", facts: Facts = Facts(), **chances: Any) -> Choice:
    return kinds.choose(rule_kind, "none: no rule matched", told(**chances), facts)


@pytest.mark.parametrize(
    ("kind", "rule", "facts", "exact"),
    [
        ("bulk", "headers: It came over a mailing list (list-id).", Facts(), True),
        ("unsure", "forward: nothing but a forwarded message is in it", Facts(), True),
        ("billing", "billing: invoice", Facts(known=True), True),
        ("client", "continues: the sender is a client", Facts(known=True), False),
        ("billing", "billing: invoice", Facts(), False),
        ("enquiry", "enquiry: asks for a price", Facts(), False),
    ],
)
def test_headers_and_acquaintance_are_exact(kind: str, rule: str, facts: Facts, exact: bool) -> None:
    assert kinds.exact(kind, rule, facts) is exact


def test_clear_cases_follow_the_model() -> None:
    assert choose(enquiry=0.9, spam=0.1).kind == "enquiry"
    assert choose(spam=0.6, bulk=0.39, enquiry=0.01).kind == "spam"
    assert choose(automatic=0.97, billing=0.03).kind == "automatic"


def test_what_is_torn_goes_to_the_operator_with_both_readings() -> None:
    asked = choose(support=0.5, spam=0.5)
    assert asked.kind == "unsure"
    assert (
        asked.rule == "classifier kind@0123abcd: reads like a request for help, but also like a sales pitch or a fraud"
    )


def test_a_lead_that_also_reads_like_a_pitch_stays_a_lead() -> None:
    found = choose(enquiry=0.45, spam=0.55)
    assert found.kind == "enquiry"
    assert "but also like a sales pitch" in found.rule


def test_a_possible_lead_is_never_set_aside() -> None:
    assert choose(enquiry=0.3, spam=0.7).kind == "enquiry"
    assert choose(enquiry=0.1, spam=0.9).kind == "spam"


def test_a_stranger_asks_rather_than_meets() -> None:
    assert choose(enquiry=0.35, scheduling=0.65).kind == "enquiry"
    assert choose(enquiry=0.3, scheduling=0.7).kind == "scheduling"


def test_a_personal_message_is_a_question_to_the_operator() -> None:
    found = choose(other=0.8, enquiry=0.2)
    assert (found.kind, found.rule) == ("unsure", "classifier kind@0123abcd: reads like a personal message")


def test_what_is_unlike_all_examples_is_not_guessed() -> None:
    assert choose("unsure", support=0.4, in_scope=False).kind == "unsure"
    assert "unlike all" in choose("unsure", support=0.4, in_scope=False).rule
    assert choose("support", support=0.4, in_scope=False).kind == "support"


@pytest.mark.parametrize("facts", [Facts(known=True), Facts(thread=True)])
def test_an_acquaintance_is_never_set_aside(facts: Facts) -> None:
    for rule_kind in ("client", "unsure", "spam", "bulk", "automatic"):
        assert choose(rule_kind, facts, spam=0.99, client=0.01).kind == "client"
    assert choose("client", facts, scheduling=0.9, spam=0.1).kind == "scheduling"


def test_a_newsletters_address_tips_the_scale_and_decides_nothing() -> None:
    assert choose(facts=Facts(newsletter=True), bulk=0.6, enquiry=0.4).kind == "bulk"
    assert choose(facts=Facts(newsletter=True), bulk=0.2, enquiry=0.8).kind == "enquiry"
    assert kinds.soft({"kind": "bulk", "why": "The address newsletter@x.example is that of a newsletter."})
    assert not kinds.soft({"kind": "bulk", "why": "It can be unsubscribed (List-Unsubscribe)."})
    assert not kinds.soft(None)


def test_without_a_model_the_word_rules_stand() -> None:
    assert kinds.choose("enquiry", "enquiry: x", {"trouble": "no model"}, Facts()) == Choice("enquiry", "enquiry: x")


def test_the_nearest_example_is_shown_when_it_speaks_for_the_kind() -> None:
    near = {"text": "Logo: do you do logos?", "label": "enquiry", "own": False, "likeness": 0.7}
    assert choose(near=near, enquiry=0.9).rule.endswith("reads like an enquiry, like “Logo: do you do logos?”")
    assert "Logo" not in choose(near={**near, "likeness": 0.3}, enquiry=0.9).rule


def test_no_percentage_is_ever_shown() -> None:
    for chances in ({"enquiry": 0.9}, {"spam": 0.95}, {"spam": 0.5, "enquiry": 0.2}, {"other": 0.9}):
        assert not any(sign in choose(**chances).rule for sign in ("%", "0.", "0,"))


def test_labels_become_examples_by_their_own_words() -> None:
    rows = [
        {"label": "spam", "subject": "A", "text": "x\n> y", "language": "de", "understanding": {"own_text": "x"}},
        {"label": "enquiry", "subject": "B", "text": "z", "language": "", "understanding": None},
        {"label": "unheard of", "subject": "C", "text": "z", "language": "en", "understanding": None},
    ]
    assert learning.examples(rows) == [
        {"label": "spam", "subject": "A", "text": "x", "lang": "de"},
        {"label": "enquiry", "subject": "B", "text": "z", "lang": "en"},
    ]


def test_a_model_that_forgets_the_operators_words_is_not_taken() -> None:
    assert learning.verdict({"own": 10, "own_right": 9, "own_before": 7}) == ""
    assert "9 of 10" not in learning.verdict({"own": 10, "own_right": 9, "own_before": 9})
    assert "in use 8" in learning.verdict({"own": 10, "own_right": 7, "own_before": 8})
    assert "only 4 of 10" in learning.verdict({"own": 10, "own_right": 4, "own_before": 2})
