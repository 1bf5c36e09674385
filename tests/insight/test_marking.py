"""What is said beside odd text, and that plain text in any language stays plain."""

import time

import pytest

from soloist.insight import amounts, marking


@pytest.mark.parametrize(
    "text",
    [
        "Größe 10l, naïve, Øresund, 5 m², 1/2, am 3.5. um 14:30",
        "Москва и Россия",
        "東京で会いましょう PDF",
        "❤️ 👨‍👩‍👧",
        "https://okafor-ceramics.example/a?b=c",
        "re:foo a@b.example x_y",
    ],
)
def test_plain_text_has_no_mark(text: str) -> None:
    assert "".join(shown for shown, _ in marking.pieces(text)) == text
    assert [note for _, note in marking.pieces(text) if note] == []


def test_nothing_of_a_long_text_is_lost() -> None:
    text = "Dear Ada,\n\u200bone " + "word " * 5000 + "\nend"
    assert "".join(shown for shown, _ in marking.pieces(text)) == text.replace("\u200b", "")


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (450000, "EUR", "EUR 4,500.00 (four thousand five hundred euros)"),
        (101, "USD", "USD 1.01 (one US dollar and 1 cents)"),
        (1200, "JPY", "JPY 1,200 (one thousand two hundred yen)"),
        (-1999, "XXX", "XXX -19.99 (minus nineteen XXX and 99 cents)"),
        (10**17, "EUR", "EUR 1,000,000,000,000,000.00 (one thousand trillion euros)"),
    ],
)
def test_an_amount_is_said_in_digits_and_words(minor: int, currency: str, said: str) -> None:
    assert amounts.whole(minor, currency) == said


@pytest.mark.parametrize(
    ("title", "minor", "found"),
    [
        ("Refund EUR 10", 100000, "EUR 10"),
        ("Refund EUR 4,500", 450000, ""),
        ("4.500,00 EUR back", 450000, ""),
        ("Refund", 1, ""),
    ],
)
def test_a_title_that_names_another_sum_is_found(title: str, minor: int, found: str) -> None:
    assert amounts.contradicts(title, minor, "EUR") == found


@pytest.mark.parametrize(
    ("domain", "odd"),
    [
        ("okafor-ceramics.example", ""),
        ("brandt-physio.example", ""),
        ("0kafor-ceramics.example", "looks like"),
        ("okaforceramics.example", "looks like"),
    ],
)
def test_a_domain_that_imitates_a_known_one_is_named(domain: str, odd: str) -> None:
    assert odd in marking.imitates(domain, frozenset({"okafor-ceramics.example"}))
    assert bool(odd) == bool(marking.imitates(domain, frozenset({"okafor-ceramics.example"})))


@pytest.mark.parametrize(
    "part", ["a", "\u00e4", "a@", "a.", "://", "1O", "1", "](", "a:", "<", "\u0430", "http:", "a.b@", "\n ", "e\u0301"]
)
def test_no_text_takes_long_to_read(part: str) -> None:
    began = time.process_time()
    list(marking.pieces(part * (60_000 // len(part)) + " \u200b"))
    marking.recipients({"to": [part * 2000]}, [], ["ada@okafor-ceramics.example"])
    amounts.contradicts(part * 20_000, 100, "EUR")
    assert time.process_time() - began < 2.0
