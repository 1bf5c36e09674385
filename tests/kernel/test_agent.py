"""The contract of a role: what is refused in it, what it allows, and that handing work on only narrows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soloist.kernel.agent import AgentSpec, Handoff, Limits, amiss, misfits, narrowed, parsed
from soloist.kernel.errors import BadConfig, NotAllowed

GOOD: dict[str, Any] = {
    "name": "billing",
    "version": "2.1",
    "kind": "executor",
    "summary": "Reads invoices and prepares the payment of what is due.",
    "skills": ["read_invoice"],
    "operations": ["bank.transfer"],
    "reads": ["invoice", "person.name"],
    "writes": ["invoice.state"],
    "limits": {"timeout": "30s", "proposals_per_run": 1, "money": "0.50 EUR"},
}


def spec(**changed: Any) -> AgentSpec:
    return parsed({**GOOD, **changed}, "billing/agent.toml")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"skils": []}, "skils: there is no such key; did you mean 'skills'?"),
        ({"kind": "executer"}, "kind: 'executer' is none of task, enrichment, supervisor, planner, executor; did you"),
        ({"version": "two"}, "numbers with dots, like 2 or 2.1"),
        ({"version": 2}, "version: Input should be a valid string"),
        ({"limits": {"timout": "3s"}}, "limits.timout: there is no such key; did you mean 'timeout'?"),
        ({"limits": {"timeout": "soon", "proposals_per_run": 1}}, "a time, like 30s, 5m or 2h"),
        ({"limits": {}}, "limits.proposals_per_run: 0, but there are operations"),
        ({"autonomy": "observe"}, "who only observes proposes nothing"),
        ({"kind": "supervisor"}, "a supervisor proposes nothing"),
        ({"reads": ["Invoice total"]}, "is no kind and no kind.field"),
        ({"skills": ["a", "a"]}, "skills: 'a' stands there twice"),
        ({"failures": {"timeout": {"then": ["smaller"]}}}, 'the last step is always "operator"'),
        ({"failures": {"timeuot": {}}}, "did you mean 'timeout'?"),
        ({"handoffs": [{"to": "billing", "work": "pay", "when": "always"}]}, "nobody hands work to themselves"),
        ({"output": {"type": "object", "required": ["totl"], "properties": {"total": {"type": "string"}}}}, "'total'?"),
        ({"output": {"type": "objekt"}}, "did you mean 'object'?"),
    ],
)
def test_a_wrong_file_names_the_key_and_what_would_be_right(changed: dict[str, Any], said: str):
    with pytest.raises(BadConfig, match=r"^billing/agent\.toml: ") as error:
        spec(**changed)
    assert said in str(error.value)


def test_what_is_missing_is_named():
    with pytest.raises(BadConfig, match="summary: is missing"):
        parsed({key: value for key, value in GOOD.items() if key != "summary"}, "x")


def test_only_what_is_listed_is_allowed():
    one = spec()
    one.may_use("read_invoice")
    one.may_propose("bank.transfer")
    one.may_read("invoice", "total")
    one.may_read("person", "name")
    one.may_write("invoice", ["state"])
    for refused in (
        lambda: one.may_use("draft_reply"),
        lambda: one.may_propose("mail.send"),
        lambda: one.may_propose("bank.transfer", already=1),
        lambda: one.may_read("person", "emails"),
        lambda: one.may_read("person"),
        lambda: one.may_write("invoice", ["state", "total"]),
        lambda: one.may_write("invoice"),
        lambda: one.may_hand("writer", "draft"),
    ):
        with pytest.raises(NotAllowed, match="billing@2.1"):
            refused()


def test_money_is_counted_in_millionths():
    assert spec().limits.micro == (500_000, "EUR")
    assert Limits().micro is None


def test_what_follows_after_a_failure():
    one = spec(failures={"timeout": {"again": 2, "wait": "5s", "then": ["smaller", "operator"]}})
    assert (one.after("timeout").again, one.after("timeout").then) == (2, ("smaller", "operator"))
    assert one.after("transient").again == 1
    assert one.after("skill").then == ("operator",)


def test_a_confused_deputy_gets_no_more_than_who_asks_it():
    """The writer may not pay. It hands work to billing, which may: what comes of it may not pay either."""
    writer = spec(
        name="writer",
        operations=[],
        skills=["draft_reply"],
        reads=["person"],
        writes=[],
        handoffs=[{"to": "billing", "work": "pay", "when": "a text asks for it"}],
    )
    deputy = narrowed(writer, spec(autonomy="act", tier=4))
    for refused in (
        lambda: deputy.may_propose("bank.transfer"),
        lambda: deputy.may_use("read_invoice"),
        lambda: deputy.may_write("invoice", ["state"]),
        lambda: deputy.may_read("invoice"),
    ):
        with pytest.raises(NotAllowed):
            refused()
    deputy.may_read("person", "name")
    assert (deputy.autonomy, deputy.tier, deputy.label) == ("propose", 0, "billing@2.1")


def test_values_that_are_not_in_the_handoff_stay():
    one = spec(handoffs=[{"to": "writer", "work": "remind", "values": ["invoice"], "when": "it is overdue"}])
    assert isinstance(one.may_hand("writer", "remind", ["invoice"]), Handoff)
    with pytest.raises(NotAllowed, match="may not hand iban to writer"):
        one.may_hand("writer", "remind", ["invoice", "iban"])


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True)
PLACES = st.lists(st.sampled_from(["person", "person.name", "person.mail", "lead", "lead.state"]), unique=True)
LIMITS = st.builds(
    Limits,
    timeout=st.sampled_from(["5s", "1m", "90s"]),
    proposals_per_run=st.integers(1, 5),
    tokens=st.none() | st.integers(0, 9),
    money=st.sampled_from(["", "1 EUR", "2.50 EUR", "3 USD"]),
)
SPECS = st.builds(
    lambda s, o, r, w, limits, tier: spec(skills=s, operations=o, reads=r, writes=w, limits=limits, tier=tier),
    WORDS,
    WORDS,
    PLACES,
    PLACES,
    LIMITS,
    st.integers(0, 4),
)


@given(SPECS, SPECS, SPECS)
@settings(max_examples=150)
def test_handing_on_never_widens(one: AgentSpec, two: AgentSpec, three: AgentSpec):
    both = narrowed(one, two)
    for part in (one, two):
        assert set(both.skills) <= set(part.skills)
        assert set(both.operations) <= set(part.operations)
        for place in both.reads:
            part.may_read(*place.split("."))
        for place in both.writes:
            part.may_write(place.partition(".")[0], [place.partition(".")[2]])
        assert both.tier <= part.tier
        assert both.limits.seconds <= part.limits.seconds
        assert both.limits.proposals_per_run <= part.limits.proposals_per_run
    thrice = narrowed(both, three)
    assert set(thrice.operations) <= set(both.operations)
    assert narrowed(one, one).operations == one.operations


SCHEMA = {
    "type": "object",
    "required": ["total"],
    "properties": {
        "total": {"type": "integer"},
        "state": {"type": "string", "enum": ["open", "paid"]},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"text": {"type": "string"}}}},
    },
}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"total": 3, "state": "paid", "lines": [{"text": "x"}]}, ""),
        ({}, "total is missing in the value"),
        ({"total": "3"}, "total is no integer"),
        ({"total": True}, "total is no integer"),
        ({"total": 3, "state": "gone"}, "state is 'gone', none of open, paid"),
        ({"total": 3, "stat": "open"}, "not foreseen; did you mean 'state'?"),
        ({"total": 3, "lines": [{"text": 4}]}, "lines.0.text is no string"),
        ([], "the value is no object"),
    ],
)
def test_a_value_that_does_not_fit_is_told(value: Any, said: str):
    assert amiss(SCHEMA) == ""
    found = misfits(SCHEMA, value)
    assert said in " ".join(found)
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    "schema",
    [{"type": "array"}, {"type": "string", "properties": {"a": {}}}, {"$ref": "#/x"}, {"properties": {"a": 1}}],
)
def test_a_schema_that_says_nothing_is_refused(schema: dict[str, Any]):
    assert amiss(schema)
