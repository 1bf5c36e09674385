"""Summary, key points, segments, topics and subject lines: verbatim with and without local models, in bounded time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from soloist.plugins.skills import key_points, segment, subject_lines, summary, topics
from soloist.sdk import local

SKILLS = [summary.summary, key_points.key_points, segment.segment, topics.topics, subject_lines.subject_lines]
CUPS = "The potter glazes cups and bowls in the kiln. Every cup is fired twice, and the glaze of a bowl is blue. "
TAXES = "The tax office wants the declaration in May. The accountant checks each receipt before the tax is paid. "
DOGS = "The dog barks at the gate of the garden. A second dog sleeps in the garden, and the gate stays shut. "


class Counted:
    """A reader that tells three subjects apart by one word each."""

    def vectors(self, texts: list[str], language: str) -> list[list[float]]:
        rows = [[float(text.count(word)) + 0.01 for word in ("cup", "tax", "dog")] for text in texts]
        return [[part / sum(p * p for p in row) ** 0.5 for part in row] for row in rows]

    def telling(self, text: str, language: str, most: int) -> tuple[list[tuple[int, int]], bool]:
        return [(text.rfind("\n") + 1, len(text))], True

    def kinds(self, subject: str, text: str, language: str) -> tuple[dict[str, float], bool, str]:
        return {"client": 0.9, "spam": 0.1}, True, ""


def spans(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and set(value) == {"text", "start", "end"}:
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for part in parts for found in spans(part)]


@pytest.mark.parametrize("given_", [None, Counted()])
def test_a_text_is_split_where_its_subject_changes(given_: Counted | None):
    text = CUPS * 4 + TAXES * 4 + DOGS * 4
    with local.given(given_):
        read = segment.segment.call({"text": text, "language": "en"})
    starts = [one["start"] for one in read["segments"]]
    wanted = [0, len(CUPS * 4), len(CUPS * 4 + TAXES * 4)]
    assert len(starts) == 3
    assert all(abs(start - right) <= len(TAXES) for start, right in zip(starts, wanted, strict=True))
    assert read["how"] == ("meaning" if given_ else "words")


def test_topics_are_named_by_their_own_words():
    read = topics.topics.call({"text": CUPS * 4 + TAXES * 4, "language": "en", "words": 3})
    assert "tax" in {word["text"].casefold() for word in read["topics"][-1]["words"]}
    assert "tax" not in {word["text"].casefold() for word in read["topics"][0]["words"]}


def test_key_points_come_from_every_part():
    read = key_points.key_points.call({"text": CUPS * 4 + TAXES * 4 + DOGS * 4, "language": "en", "most": 3})
    assert [one["part"] for one in read["points"]] == [1, 2, 3]


def test_the_reader_chooses_the_sentences():
    with local.given(Counted()):
        read = summary.summary.call({"text": CUPS + TAXES + DOGS, "language": "en", "most": 1})
    assert (read["how"], read["sentences"][0]["text"]) == (
        "meaning",
        "A second dog sleeps in the garden, and the gate stays shut.",
    )


def test_names_of_speakers_are_no_words_of_the_text():
    text = "\n".join(f"Dog Walker: {part}" for part in (CUPS, TAXES))
    read = summary.summary.call({"text": text, "most": 4, "language": "en"})
    assert not [one for one in read["sentences"] if "Walker" in one["text"]]


def test_a_subject_line_keeps_to_its_length():
    read = subject_lines.subject_lines.call({"text": CUPS + TAXES, "longest": 30, "most": 6, "language": "en"})
    assert read["lines"]
    assert all(len(one["text"]) <= 30 for one in read["lines"])
    assert read["ask"]["least"] == 2


@pytest.mark.parametrize("answer", [{}, {"lines": 5}, {"lines": ["x" * 99, "Buy from Victor now", "Only 9 EUR"]}])
def test_a_wrong_answer_of_a_model_is_dropped(answer: dict[str, Any]):
    read = subject_lines.subject_lines.call({"text": CUPS, "answer": answer, "language": "en"})
    assert {one["how"] for one in read["lines"]} <= {"sentence", "cut"}


PIECES = some.sampled_from([*(CUPS + TAXES).split(), "\n", "A: ", "WEBVTT\n", "?", "\n\n", "- ", "№", "{x}"])


@settings(max_examples=60)
@given(some.one_of(some.text(max_size=300), some.lists(PIECES, max_size=120).map(" ".join)), some.booleans())
def test_spans_are_verbatim_and_nothing_raises(text: str, model: bool):
    with local.given(Counted() if model else None):
        for skill in SKILLS:
            for one in spans(skill.call({"text": text, "language": "en"})):
                assert text[one["start"] : one["end"]] == one["text"]
