"""Formats, comparisons and warnings that the pages rest on."""

import pytest

from soloist.insight import diff, lookalike, words


def ops(before: str, after: str) -> list[tuple[str, str]]:
    return [(p.op, p.text) for p in diff.words(before, after)]


def test_a_comparison_gives_back_both_texts():
    before, after = "A shop starts at EUR 3,800.\nShall we talk?", "A shop costs EUR 4,200.\n\nShall we talk soon?"
    pieces = diff.words(before, after)
    assert "".join(p.text for p in pieces if p.op != "ins") == before
    assert "".join(p.text for p in pieces if p.op != "del") == after


def test_a_single_equal_word_between_two_changes_is_bridged():
    assert ops("one two three", "uno two tres") == [("del", "one two three"), ("ins", "uno two tres")]


def test_two_equal_words_stay():
    assert ("same", " b c ") in ops("a b c d", "x b c y")


def test_equal_texts_have_no_change():
    assert ops("same text", "same text") == [("same", "same text")]


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(450000, "EUR", "EUR 4,500"), (420, "EUR", "EUR 4.20"), (-5, "EUR", "EUR -0.05"), (1200, "JPY", "JPY 1,200")],
)
def test_money(minor: int, currency: str, shown: str):
    assert words.money(minor, currency) == shown


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-11-20T13:05:00Z", "14:05"),
        ("2026-11-19T23:30:00Z", "00:30"),
        ("2026-11-19T08:00:00Z", "yesterday 09:00"),
        ("2026-11-22T07:42:00Z", "Sun 08:42"),
        ("2026-05-03T10:00:00Z", "3 May 2026, 12:00"),
        ("", ""),
    ],
)
def test_instants_are_shown_in_the_operators_zone(at: str, shown: str):
    assert words.when(at, "Europe/Berlin", "2026-11-20T13:05:00Z") == shown


def test_a_deadline_that_has_passed_says_so():
    assert words.left("2026-11-20T10:00:00Z", "2026-11-20T13:05:00Z") == "overdue"


def test_hidden_characters_are_named():
    assert ("U+202E", "U+202E right-to-left override") in lookalike.parts("bank\u202edata")


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("a@xn--pple-43d.example", "displayed as"),
        ("a@\u0430pple.example", "mixes letters"),
        ("a@app\u200ble.example", "cannot be seen"),
        ("ada@okafor-ceramics.example", ""),
        ("", ""),
    ],
)
def test_addresses_that_imitate_others_are_named(address: str, part: str):
    warning = lookalike.address_warning(address)
    assert part in warning if part else warning == ""
