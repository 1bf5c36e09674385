"""Written from: origins in plain words."""

import pytest

from soloist.insight import written
from soloist.kernel.origin import MODEL, OPERATOR, OUTSIDE, OWN


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (None, ""),
        (OUTSIDE.told(), "a letter of an unknown sender"),
        ((OPERATOR | OWN).told(), "your own words and what Soloist keeps itself"),
        (
            (OUTSIDE | OPERATOR | MODEL).told(),
            "a letter of an unknown sender, your own words and what a model made of them",
        ),
        ({"labels": []}, "a letter of an unknown sender"),
    ],
)
def test_an_origin_in_words(kept, said):
    assert written.told(None, kept) == said  # without sources nothing is looked up


def test_a_card_says_so_only_where_something_came_from_outside():
    assert written.notes(None, {"origin": OPERATOR.told(), "payload": {}}) == ()
    assert written.notes(None, {"origin": OUTSIDE.told(), "payload": {}}) == (
        "Written from: a letter of an unknown sender.",
    )
