"""Gates: no set of rules lets a gated proposal go without a grant, whatever the rules say and in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soloist.config import Rule
from soloist.kernel.errors import BadConfig, BadInput
from soloist.stages.policy import GATES, Facts, compile_rules, grants, judge
from soloist.stages.policy.gates import NEVER_EARNED, because, guarded, tripped

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ADA, JONAS = "ada@okafor-ceramics.example", "jonas@brandt-physio.example"
EVENT = Facts("shop", "put_event", "B", "reversible", {"day": "2027-01-15"}, NOW, undo="exact")
MAIL = Facts("mail", "mail.send", "B", "irreversible", {"to": [ADA]}, NOW, (ADA,), primitive="send", undo="apology")
CHANGE = Facts("records", "record.change", "A", "reversible", {}, NOW, kind="change", fields=("note",), undo="exact")
MANY = tuple(f"{n}@x.example" for n in range(6))


@pytest.mark.parametrize(
    ("facts", "gates"),
    [
        (EVENT, ()),
        (replace(EVENT, recipients=MANY, new_recipient=True, bundle_size=50), ()),
        (replace(EVENT, risk="financial"), ("money",)),
        (replace(EVENT, amount_minor=-5), ("money",)),
        (replace(EVENT, odd_amount=True), ("money",)),
        (replace(EVENT, audience="public"), ("newsletter",)),
        (replace(EVENT, unsure=True), ("unsure",)),
        (replace(EVENT, undo="none"), ("irreversible",)),
        (replace(EVENT, undo="apology"), ("irreversible",)),
        (replace(EVENT, undo="offset"), ()),
        (replace(EVENT, undo="none", recipients=(ADA,)), ("irreversible", "client contact")),
        (replace(EVENT, undo="offset", bundle_size=6), ("bulk",)),
        (MAIL, ("client contact",)),
        (replace(MAIL, new_recipient=True), ("new recipient", "client contact")),
        (replace(MAIL, to_operator=True, new_recipient=True), ()),
        (replace(MAIL, audience="operator"), ("client contact",)),
        (replace(MAIL, recipients=MANY[:5]), ("client contact",)),
        (replace(MAIL, recipients=MANY), ("bulk", "client contact")),
        (replace(MAIL, payload={"headers": {"List-Unsubscribe": "<x>"}}), ("newsletter", "client contact")),
        (replace(MAIL, audience="list"), ("newsletter", "client contact")),
        (replace(MAIL, recipients=()), ("client contact",)),
        (CHANGE, ()),
        (replace(CHANGE, fields=("note", "bank.iban")), ("identity",)),
        (replace(CHANGE, own_fields=("note",)), ("own words",)),
    ],
)
def test_what_trips_which_gate(facts, gates):
    assert tripped(facts) == gates


@pytest.mark.parametrize("name", ["iban", "IBAN", "tax-id", "billing_address", "bank.account", "phones", "e.email"])
def test_fields_of_identity_and_payment_are_guarded(name):
    assert guarded(name)
    assert not guarded("company_name")


def test_every_gate_has_words():
    assert because(["money"]) == "money moves"
    assert because(["money", "bulk", "newsletter"]).count(" and ") == 1
    assert set(GATES) >= NEVER_EARNED


RULES = st.lists(
    st.builds(
        Rule,
        name=st.uuids().map(str),
        when=st.sampled_from(["true", "false", "proposal.payload.missing == 1", "proposal.amount_minor >= 0"]),
        then=st.sampled_from(["deny", "ask", "allow"]),
        mode=st.sampled_from(["audit", "revert"]),
    ),
    max_size=6,
)
FACTS = st.builds(
    Facts,
    connector=st.sampled_from(["mail", "shop", "records"]),
    operation=st.sampled_from(["mail.send", "put_event"]),
    effect_class=st.sampled_from(["A", "B", "B'", "C"]),
    risk=st.sampled_from(["reversible", "irreversible", "financial"]),
    payload=st.just({}),
    now=st.just(NOW),
    recipients=st.lists(st.sampled_from([ADA, JONAS]), max_size=7),
    new_recipient=st.booleans(),
    amount_minor=st.sampled_from([0, 0, 1, -1, 10**12]),
    odd_amount=st.booleans(),
    kind=st.sampled_from(["effect", "effect", "change"]),
    fields=st.lists(st.sampled_from(["note", "iban", "phones"]), max_size=2),
    own_fields=st.lists(st.just("note"), max_size=1),
    audience=st.sampled_from(["", "nobody", "operator", "client", "list", "public"]),
    undo=st.sampled_from(["exact", "offset", "apology", "none"]),
    held=st.booleans(),
    unsure=st.booleans(),
    to_operator=st.booleans(),
    bundle_size=st.integers(1, 9),
)
ALLOW = Rule(name="all", when="true", then="allow")


def grant(*gates, **more):
    row = {"id": "g", "title": "g", "connector": "", "operation": "", "agent": "", "when": "", "mode": "audit"}
    row |= {"window": "", "limit_minor": 0, "currency": "", "per_day": 0, "gates": gates, **more}
    return grants.ready(row, row.pop("used", 0))


@given(rules=RULES, facts=FACTS)
@example(rules=[ALLOW], facts=MAIL)
def test_without_a_grant_no_rules_let_a_gated_proposal_go(rules, facts):
    verdict = judge(compile_rules(rules), facts)
    assert not (verdict.answer == "allow" and verdict.gates)
    assert verdict.gates == tripped(facts)


@given(rules=RULES, facts=FACTS, seed=st.randoms(use_true_random=False))
def test_neither_rules_nor_grants_have_an_order(rules, facts, seed):
    given_ = [grant("client contact", id="a"), grant(*GATES, id="b", limit_minor=10**9), grant(id="c", mode="revert")]
    first = judge(compile_rules(rules), facts, given_)
    seed.shuffle(rules)
    seed.shuffle(given_)
    second = judge(compile_rules(rules), facts, given_)
    assert replace(first, trace=()) == replace(second, trace=())


@given(rules=RULES, facts=FACTS)
def test_a_grant_never_outweighs_a_rule_that_denies_asks_or_fails(rules, facts):
    alone = judge(compile_rules([*rules, Rule(name="z", when="proposal.payload.missing == 1", then="allow")]), facts)
    helped = judge(compile_rules([*rules, Rule(name="z", when="proposal.payload.missing == 1", then="allow")]), facts,
                   [grant(*GATES, limit_minor=10**15)])  # fmt: skip
    assert (alone.answer, helped.answer) in {("ask", "ask"), ("deny", "deny")}


@given(facts=FACTS, gates=st.sets(st.sampled_from(sorted(GATES))))
def test_one_grant_must_open_every_gate(facts, gates):
    verdict = judge(compile_rules([ALLOW]), facts, [grant(*gates, limit_minor=10**15), grant(id="other")])
    if verdict.answer == "allow" and verdict.gates:
        assert set(verdict.gates) <= gates
        assert verdict.grant == "g"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, ""),
        ({"gates": ("bulk",)}, "says nothing about client contact"),
        ({"per_day": 3, "used": 3}, "used 3 times in 24 hours"),
        ({"mode": "revert"}, "only if it can be taken back"),
        ({"when": "proposal.payload.missing"}, "no"),
        ({"when": "proposal.recipients.size() == 2"}, "no"),
        ({"agent": "intake"}, "no"),
        ({"connector": "shop"}, "no"),
        ({"operation": "mail.send", "when": "proposal.held == false"}, ""),
    ],
)
def test_when_a_grant_covers_a_mail(more, words):
    assert words in grant(**{"gates": ("client contact",), **more}).why_not(MAIL, tripped(MAIL))
    assert bool(words) == bool(grant(**{"gates": ("client contact",), **more}).why_not(MAIL, tripped(MAIL)))


@pytest.mark.parametrize(
    ("amount", "currency", "goes"),
    [(500, "EUR", True), (501, "EUR", False), (500, "USD", False), (-501, "EUR", False), (0, "", False)],
)
def test_a_grant_for_money_has_a_limit_in_a_currency(amount, currency, goes):
    facts = replace(EVENT, risk="financial", amount_minor=amount, currency=currency)
    found = grant("money", limit_minor=500, currency="EUR").why_not(facts, tripped(facts))
    assert (found == "") == goes


@pytest.mark.parametrize(
    ("given_", "field"),
    [
        ({"gates": ["monney"]}, "gates"),
        ({"gates": ["money"], "connector": "x"}, "limit_minor"),
        ({"gates": ["money"], "limit_minor": 5, "connector": "x"}, "currency"),
        ({"gates": ["bulk"]}, "connector"),
        ({"mode": "later"}, "mode"),
        ({"window": "soon"}, "window"),
    ],
)
def test_a_grant_nobody_can_mean_is_refused(given_, field):
    with pytest.raises(BadInput) as caught:
        grants.checked(given_)
    assert caught.value.field == field


def test_the_condition_of_a_grant_is_checked_when_it_is_made():
    with pytest.raises(BadConfig, match="undeclared reference to 'proposal.foo'"):
        grants.checked({"when": "proposal.foo"})
    grants.checked({"gates": ["money"], "limit_minor": 5, "currency": "EUR", "operation": "x", "when": "now.hour > 8"})


def test_internal_writes_are_the_built_in_rule_and_a_rule_still_decides():
    assert judge(compile_rules([]), CHANGE).rule == "internal writes"
    assert judge(compile_rules([Rule(name="no", when='proposal.kind == "change"', then="ask")]), CHANGE).answer == "ask"
    assert judge(compile_rules([]), replace(CHANGE, undo="none")).answer == "ask"
