"""Urgency and priority are the sum of their reasons; an intent is told only when it is sure."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from soloist.kernel.message import Money
from soloist.plugins.skills._priority import In, Out, judge
from soloist.plugins.skills.intent import intent
from soloist.sdk import local

NOW = "2026-11-20T09:30:00+01:00"
LABELS = [
    {"name": "move", "examples": ["Can we move the appointment?"]},
    {"name": "pay", "examples": ["I paid the invoice."]},
]


def of(text: str, **more: object) -> Out:
    return judge(In(text=text, now=NOW, timezone="Europe/Berlin", **more))


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("Please answer by Monday.", "2026-11-23"),
        ("Wir brauchen das bis zum 24.11.", "2026-11-24"),
        ("Il nous le faut avant le 24 novembre.", "2026-11-24"),
        ("Lo necesitamos antes del 24 de noviembre.", "2026-11-24"),
        ("We met on 24 November.", ""),
    ],
)
def test_a_deadline_is_read(text: str, due: str):
    assert of(text).due == due


@pytest.mark.parametrize("text", ["It is urgent.", "Es ist dringend.", "C'est urgent.", "Es urgente, por favor."])
def test_urgent_of_a_client_counts_more_than_of_a_stranger(text: str):
    assert (of(text, known_client=True).urgency_points, of(text).urgency_points) == (2, 1)


@pytest.mark.parametrize(
    "text", ["This is not urgent.", "Das ist nicht dringend.", "Ce n'est pas urgent.", "No es urgente."]
)
def test_not_urgent_is_not_urgent(text: str):
    assert of(text, known_client=True).urgency_points < 0


def test_a_client_that_brings_much_counts_more():
    one, usual = Money(minor=900_000, currency="EUR"), Money(minor=200_000, currency="EUR")
    read = of("Hello.", known_client=True, value=one, typical=usual)
    assert (read.priority, read.reasons[-1].text) == (
        "high",
        "This client brought in 9,000 EUR, a usual one 2,000 EUR.",
    )
    other = Money(minor=900_000, currency="USD")
    assert of("Hello.", value=other, typical=usual).priority_points == 0


@pytest.mark.parametrize("kind", ["bulk", "automatic", "spam"])
def test_words_of_a_mailing_count_nothing(kind: str):
    assert of("URGENT, the site is down, answer by today", kind=kind).urgency == "later"


@settings(max_examples=80)
@given(some.text(max_size=200), some.booleans(), some.integers(0, 9))
def test_the_points_are_the_sum_of_the_reasons(text: str, client: bool, unanswered: int):
    read = of(text + " asap by tomorrow", known_client=client, unanswered=unanswered)
    assert read.urgency_points == sum(one.urgency for one in read.reasons)
    assert read.priority_points == sum(one.priority for one in read.reasons)


class Sure:
    """A reader that knows one kind, by meaning too."""

    def __init__(self, share: float, in_scope: bool) -> None:
        self.answer = {"client": share, "spam": 1 - share}, in_scope, ""

    def vectors(self, texts: list[str], language: str) -> None:
        return None

    def telling(self, text: str, language: str, most: int) -> tuple[list[tuple[int, int]], bool]:
        return [], False

    def kinds(self, subject: str, text: str, language: str) -> tuple[dict[str, float], bool, str]:
        return self.answer


@pytest.mark.parametrize(("share", "in_scope", "told"), [(0.9, True, "client"), (0.6, True, ""), (0.99, False, "")])
def test_both_gates_must_be_passed(share: float, in_scope: bool, told: str):
    with local.given(Sure(share, in_scope)):
        read = intent.call({"text": "Hello again"})
    assert (read["intent"], read["how"], read["in_scope"]) == (told, "local model", in_scope)


@pytest.mark.parametrize(
    ("text", "told"),
    [("Can we move our appointment?", "move"), ("The invoice is paid, I paid it.", "pay"), ("Nice weather today.", "")],
)
def test_own_examples_are_followed_without_a_model(text: str, told: str):
    with local.given(None):
        assert intent.call({"text": text, "labels": LABELS, "language": "en"})["intent"] == told


def test_without_a_model_the_rules_tell():
    with local.given(None):
        read = intent.call({"text": "Unsubscribe here: view this mail in your browser", "language": "en"})
    assert read["how"] == "rules"
