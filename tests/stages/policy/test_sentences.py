"""Rules and grants in plain words: what each says is what its rule does, and blanks are checked."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from soloist.kernel.errors import BadInput
from soloist.kernel.verdict import Doubt
from soloist.stages.policy import Facts, compile_rules, judge, sentences
from soloist.stages.policy.grants import ready

TODAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MAIL = Facts(
    "mail",
    "mail.send",
    "B'",
    "irreversible",
    {},
    NOON,
    recipients=["ada@okafor-ceramics.example"],
    agent="intake@3",
    primitive="send",
)
REFUND = Facts("shop", "refund", "A", "financial", {}, NOON, amount_minor=12_000, currency="EUR", undo="offset")
EVENT = Facts("shop", "put_event", "B", "reversible", {}, NOON, undo="exact")
EMPTY = {
    "id": "g",
    "title": "",
    "mode": "audit",
    "window": "",
    "when": "",
    "limit_minor": 0,
    "currency": "",
    "per_day": 0,
}


def said(name: str, facts: Facts = MAIL, **blanks: str) -> sentences.Said:
    return sentences.say(name, blanks, facts, TODAY, 5)


def answer(made: sentences.Said, facts: Facts) -> str:
    if made.rule:
        return judge(compile_rules([made.rule]), facts).answer
    return judge(compile_rules([]), facts, [ready({**EMPTY, **dict(made.grant or {})})]).answer


@pytest.mark.parametrize(
    ("name", "facts", "blanks", "wanted"),
    [
        ("always", EVENT, {}, "ask"),
        ("above", REFUND, {"amount": "500 EUR"}, "ask"),
        ("never_to", MAIL, {}, "deny"),
        ("never_to", MAIL, {"to": "@okafor-ceramics.example"}, "deny"),
        ("always_to", MAIL, {}, "ask"),
        ("alone", EVENT, {}, "allow"),
        ("until", MAIL, {"until": "2027-05-01"}, "allow"),
        ("until_to", MAIL, {"to": "jonas@brandt-physio.example"}, "ask"),
        ("until_day", MAIL, {"per_day": "1"}, "allow"),
        ("until_money", REFUND, {"amount": "120"}, "allow"),
        ("until_money", REFUND, {"amount": "119.99 EUR"}, "ask"),
    ],
)
def test_a_sentence_does_what_it_says(name: str, facts: Facts, blanks: dict[str, str], wanted: str):
    assert answer(said(name, facts, **blanks), facts) == wanted


def test_never_to_one_of_several_in_any_spelling():
    both = Facts(
        "mail", "mail.send", "C", "irreversible", {}, NOON, recipients=["Ada@Okafor-Ceramics.example", "x@y.example"]
    )
    assert answer(said("never_to", to="ada@okafor-ceramics.example"), both) == "deny"
    assert answer(said("never_to", to="da@okafor-ceramics.example"), both) == "ask"
    assert answer(said("until_to", to="ada@okafor-ceramics.example"), both) == "ask"


def test_hours_that_run_over_midnight():
    rule = said("hours", begin="20", end="7").rule
    assert rule
    assert rule.when.endswith("(now.hour >= 20 || now.hour < 7)")


@pytest.mark.parametrize(
    ("name", "facts", "blanks", "field"),
    [
        ("above", REFUND, {"amount": "a lot"}, "amount"),
        ("until", MAIL, {"until": "2026-11-20"}, "until"),
        ("until", MAIL, {"until": "2028-01-01"}, "until"),
        ("never_to", MAIL, {"to": "nobody"}, "to"),
        ("hours", MAIL, {"begin": "24"}, "begin"),
        ("until_money", MAIL, {}, "sentence"),
    ],
)
def test_blanks_that_cannot_be_are_named(name: str, facts: Facts, blanks: dict[str, str], field: str):
    with pytest.raises(BadInput) as found:
        said(name, facts, **blanks)
    assert found.value.field == field


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("500 EUR", 50_000),
        ("1.250,50 EUR", 125_050),
        ("1,250.50", 125_050),
        ("1.250", 125_000),
        ("0,99", 99),
        ("12'000", 1_200_000),
    ],
)
def test_amounts_as_people_type_them(text: str, minor: int):
    assert sentences.amount_of("limit", text, "EUR") == (minor, "EUR")


@pytest.mark.parametrize(
    ("text", "minor"), [("500 EUR", 50_000), ("1.250,50 EUR", 125_050), ("5000 JPY", 5_000), ("2.5 KWD", 2_500)]
)
def test_an_amount_has_as_many_digits_as_its_currency(text: str, minor: int) -> None:
    assert sentences.amount_of("amount", text, "EUR") == (minor, text[-3:])
    assert sentences.amount_of("amount", sentences.money(minor, text[-3:]), "EUR")[0] == minor


def test_what_only_outside_words_name_is_never_offered_a_leave():
    doubtful = replace(MAIL, doubts=(Doubt("to", "recipient", "eve@quick-offers.example"),))
    offered = {one.does for one in sentences.fitting(doubtful, TODAY, 5)}
    assert offered == {"ask", "deny"}
    assert "grant" in {one.does for one in sentences.fitting(MAIL, TODAY, 5)}
    with pytest.raises(BadInput, match="sentence: one of always"):
        said("until", doubtful)
