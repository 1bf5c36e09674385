"""The router by meaning: the name of an intent teaches too, and what varies within intents counts less."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from soloist.engine.local import router

WORDS = ["money", "back", "please", "refund", "order", "where", "parcel", "late", "tracking"]
TOLD = {
    "refund": ["money back please", "back money", "please money", "money"],
    "order_tracking": ["where parcel", "parcel late", "late parcel please", "where late"],
}


def says(texts: Sequence[str]) -> Any:
    """Two vectors a text, side by side: which of the words it has."""
    rows = np.array([[text.split().count(word) + 0.01 for word in WORDS] for text in texts])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.hstack([rows, rows])


def test_the_words_of_a_name_are_an_example_of_it() -> None:
    examples = [router.Example(name, text, "en") for name, texts in TOLD.items() for text in texts]
    made = router.Router(router.fit(examples, says, bar=0.0))
    assert made.how("en") == router.MEANING
    for text, name in (("refund", "refund"), ("tracking", "order_tracking")):  # no example has these words
        chances = made.tell(text, "en", says)["probabilities"]
        assert chances[name] > 0.8, chances


def test_the_same_examples_make_the_same_file() -> None:
    examples = [router.Example(name, text, "en") for name, texts in TOLD.items() for text in texts]
    assert router.fit(examples, says) == router.fit(examples, says)
    facts = router.Router(router.fit(examples, says)).meta["languages"]["en"]["ways"][router.MEANING]
    assert facts["measured"] == 8, json.dumps(facts)  # names teach and are not measured


def test_what_varies_within_intents_counts_less() -> None:
    chance = np.random.default_rng(7)
    labels = np.repeat(np.arange(20), 30)
    rows = chance.normal(size=(20, 4))[labels] + chance.normal(size=(600, 4)) * [3, 1, 1, 1]
    even = router.evened(rows, labels, 20)
    lengths = np.linalg.norm(even, axis=0)
    assert lengths[0] < 0.6 * lengths[1:].min()
    apart = rows @ even
    apart -= np.array([apart[labels == kind].mean(0) for kind in range(20)])[labels]
    spread = apart.std(0)
    assert spread.max() / spread.min() < 1.2


def test_one_example_of_each_intent_says_nothing_of_what_varies() -> None:
    assert (router.evened(np.eye(3), np.arange(3), 3) == np.eye(3)).all()
