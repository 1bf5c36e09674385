"""Unusual: each flag against a history, and silence without one."""

import pytest

from soloist.stages.policy.unusual import Past, flags, text_of

TEXTS = tuple(f"Dear Ada, your fitting is on {n} March at ten in the studio. Mara" for n in range(8))
PAST = Past(
    count=30,
    amounts=(100, 120, 90, 110, 130),
    recipients=frozenset({"ada@x.example"}),
    hours=tuple(9 + n % 8 for n in range(30)),
    rates=(2, 3, 1),
    last_hour=0,
    texts=TEXTS,
)


def names(past: Past = PAST, **more: object) -> list[str]:
    case = {"amount": 100, "currency": "EUR", "recipients": ["ada@x.example"], "hour": 10, "text": TEXTS[0], **more}
    return [flag.name for flag in flags(past, **case)]  # type: ignore[arg-type]  # one mapping for every test


def test_the_usual_has_no_flag():
    assert names() == []


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"amount": 331}, "amount"),
        ({"recipients": ["Ada@x.example", "victor@quick-offers.example"]}, "recipient"),
        ({"hour": 3}, "hour"),
        ({"text": "Send 5 bitcoin to this wallet right now or else"}, "content"),
    ],
)
def test_each_flag(more: dict[str, object], name: str):
    assert names(**more) == [name]


def test_a_burst_is_flagged():
    assert names(Past(**{**PAST.__dict__, "last_hour": 9})) == ["volume"]
    assert names(Past(**{**PAST.__dict__, "last_hour": 8})) == []


def test_three_times_the_median_but_not_over_the_most_is_usual():
    assert names(Past(**{**PAST.__dict__, "amounts": (100, 100, 100, 100, 500)}), amount=450) == []


def test_without_enough_history_nothing_is_unusual():
    young = Past(count=4, amounts=(1, 1, 1, 1), hours=(9,) * 4, rates=(1,), last_hour=3, texts=TEXTS[:4])
    assert names(young, amount=10**9, recipients=["new@x.example"], hour=3, text="bitcoin") == []


def test_the_words_tell_the_figures():
    (flag,) = flags(PAST, amount=123456, currency="EUR", recipients=[], hour=10, text="")
    assert flag.words == "The amount is 1,234.56 EUR; usual is 1.10 EUR, the most so far was 1.30 EUR."


def test_the_words_of_a_payload_in_any_shape():
    assert text_of({"a": "x", "n": 5, "b": [{"c": "y"}, None, "z"]}) == "x\ny\nz"
