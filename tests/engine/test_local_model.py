"""The local model's parts: pieces, vectors, n-grams, regression, file and summary; what is damaged is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from soloist.engine.local import model, ngrams, regress, serve, summary
from soloist.engine.local.embedder import DATA, Embedder
from soloist.engine.local.signs import NAMES, signs
from soloist.engine.local.wordpiece import WordPieces
from soloist.kernel.errors import BadConfig

WORDS = {
    "enquiry": "we need a new website what would it cost could you make an offer",
    "spam": "buy our backlinks and rank first on google guaranteed click now",
    "billing": "please find the invoice attached payable within fourteen days",
}


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def examples(count: int = 8, lang: str = "en") -> list[model.Example]:
    """A few sentences of each kind, cut differently."""
    return [
        model.Example(label, f"No {number}", " ".join(text.split()[number % 4 :]), lang, {})
        for label, text in WORDS.items()
        for number in range(count)
    ]


def test_pieces_are_those_of_the_uncased_scheme() -> None:
    pieces = WordPieces(DATA / "vocab.txt.gz")
    assert pieces("Hello, Straße! L'été", 32) == [101, 7592, 1010, 2358, 27807, 999, 1048, 1005, 3802, 2063, 102]
    assert pieces("[SEP] x", 32).count(102) == 1, "marks in a text are words, not marks"
    assert len(pieces("word " * 500, 96)) == 96


def test_vectors_tell_alike_from_unlike_and_repeat_exactly(embedder: Embedder) -> None:
    texts = ["How much for a logo?", "What is your price for logo design?", "The cat slept on the roof."]
    rows = embedder(texts)
    assert rows[0] @ rows[1] > 0.6 > 0.3 > rows[0] @ rows[2]
    assert np.array_equal(rows[:1], embedder(texts[:1])), "alone or among others, the same numbers"


def test_a_wrong_model_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"something else")
    with pytest.raises(BadConfig, match="not the file that belongs here"):
        Embedder(tmp_path / "model.onnx")
    with pytest.raises(BadConfig, match="cannot be read"):
        Embedder(tmp_path / "none.onnx")


def test_ngrams_do_not_see_case_accents_numbers_or_addresses() -> None:
    first = ngrams.columns("", "Größe 42, ada@okafor.example")
    assert first == ngrams.columns("", "GROSSE 7.000, victor@kane.example")
    assert first != ngrams.columns("", "Kleine 42, ada@okafor.example")


def test_regression_finds_the_same_weights_again() -> None:
    rows = np.random.default_rng(1).normal(size=(60, 5))
    labels = (rows @ np.random.default_rng(4).normal(size=(5, 3))).argmax(1)
    first, again = (regress.fit(rows, labels, 3, penalty=1e-3) for _ in range(2))
    assert np.array_equal(first[0], again[0])
    assert ((rows @ first[0] + first[1]).argmax(1) == labels).mean() > 0.95


def test_the_temperature_makes_chances_come_true() -> None:
    random = np.random.default_rng(2)
    chances = random.dirichlet([1, 1, 1], 4000)
    labels = np.array([random.choice(3, p=row) for row in chances])
    assert regress.temperature(3 * np.log(chances), labels) == pytest.approx(3, rel=0.1)


def test_coordinates_keep_the_products() -> None:
    rows = np.random.default_rng(3).normal(size=(20, 50))
    likeness = rows @ rows.T
    places = regress.coordinates(likeness)
    assert np.allclose(places @ places.T, likeness)


def test_a_model_learns_its_examples_and_the_file_repeats(embedder: Embedder) -> None:
    data = model.fit(examples(), embedder, "abc")
    assert data == model.fit(examples(), embedder, "abc")
    found = model.Model(data)
    (meaning,) = embedder([model.as_read("", WORDS["spam"])])
    for given in (meaning, None):
        said = found.predict("", WORDS["spam"], scores={}, meaning=given)
        assert max(said["probabilities"], key=said["probabilities"].get) == "spam"
        assert sum(said["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert found.predict("", WORDS["spam"], scores={}, meaning=meaning)["nearest"]["label"] == "spam"


def test_what_is_unlike_the_examples_is_out_of_scope() -> None:
    shipped = model.Model(serve.SHIPPED.read_bytes())
    asks = "Wir brauchen eine neue Website. Was würde das kosten? Könnten Sie uns ein Angebot machen?"
    assert shipped.predict("Anfrage", asks, scores={"enquiry": 6})["in_scope"]
    assert not shipped.predict("", "Qwx ztr plm.", scores={})["in_scope"]


def test_other_weights_make_another_model() -> None:
    light, heavy = (model.fit([*examples(lang="fr"), own(weight)], None) for weight in (1.0, 8.0))
    text = own(1.0).text
    chances = [model.Model(data).predict("", text, scores={})["probabilities"]["enquiry"] for data in (light, heavy)]
    assert chances[0] < chances[1]


def own(weight: float) -> model.Example:
    """An operator's word on a text that reads like spam."""
    return model.Example("enquiry", "", "click now to rank first on google", "fr", {}, weight, own=True)


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04 damaged"])
def test_a_damaged_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadConfig, match="no model"):
        model.Model(data)


def test_a_file_with_objects_is_refused() -> None:
    stream = io.BytesIO()
    np.savez(stream, meta=np.array([{"format": 1}], dtype=object))
    with pytest.raises(BadConfig, match="allow_pickle"):
        model.Model(stream.getvalue())


def test_the_shipped_model_belongs_to_the_shipped_examples() -> None:
    lines = [json.loads(line) for path in sorted(DATA.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    shipped = model.Model(serve.SHIPPED.read_bytes())
    assert shipped.meta["lines"] == model.key_of_lines(lines), "run: python -m soloist.engine.local"
    assert shipped.meta["examples"] == len(lines) >= 1000
    assert serve.SHIPPED.stat().st_size < 3_000_000


LONG = (
    "Hello Mara,\n\nI hope you are well. We run a pottery school in Altona. Our website is from 2012 and nobody can "
    "change it. We would like a new one with a calendar of courses. The weather was nice yesterday. Our budget is "
    "4,000 euros. It should be online before the season starts on 1 March. Could you send us an offer by Friday?"
    "\n\nKind regards\nAda"
)


@pytest.mark.parametrize("with_meaning", [True, False])
def test_a_summary_is_verbatim_in_order_and_says_what_matters(embedder: Embedder, with_meaning: bool) -> None:
    def short(texts: Sequence[str]) -> np.ndarray:
        return embedder(texts, 40)

    found = summary.summarise(LONG, 3, short if with_meaning else None)
    assert [LONG[part["start"] : part["end"]] for part in found] == [part["text"] for part in found]
    assert [part["start"] for part in found] == sorted(part["start"] for part in found)
    assert len(found) == 3
    assert not any("hope you" in part["text"] or "weather" in part["text"] for part in found)


def test_a_short_text_is_its_own_summary() -> None:
    assert [part["text"] for part in summary.summarise("We need a website by the first of March.", 3, None)] == [
        "We need a website by the first of March."
    ]
    assert summary.summarise("", 3, None) == []


@pytest.mark.parametrize(
    ("text", "seen", "unseen"),
    [
        ("We need a new website, our shop is old.", {"need", "our_own"}, {"we_offer", "you_need"}),
        ("Are you looking for a website? Our team offers it from 199.", {"you_need", "we_offer"}, {"need"}),
        ("Benötigen Sie eine App? Wir bieten Ihnen das.", {"you_need", "we_offer"}, {"need"}),
        ("Nous cherchons une graphiste pour notre site.", {"need", "our_own"}, {"you_need"}),
        ("¿Necesita una web? Somos una empresa con experiencia.", {"you_need", "we_offer"}, {"need"}),
    ],
)
def test_signs_tell_who_needs_from_who_offers(text: str, seen: set[str], unseen: set[str]) -> None:
    found = {name for name, value in zip(NAMES, signs("", text), strict=True) if value}
    assert seen <= found
    assert not unseen & found
