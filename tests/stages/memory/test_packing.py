"""What goes into a context: a budget, what says most first, slices that name their place, the same each time."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from soloist.stages.memory import packing

LONG = "We talked about many things. " * 20 + "The budget for the website is 4,000 EUR. " + "And the weather. " * 20


def fact(value: Any = "4,000 EUR", **more: Any) -> dict[str, Any]:
    row = {"id": "f1", "attribute": "budget", "value": value, "state": "held", "trust": "unverified", "event": "e"}
    return {**row, "ref": "", "valid_from": "2026-03-01", **more}


def hit(n: int = 1, text: str = "The logo is blue.", **more: Any) -> dict[str, Any]:
    row = {
        "id": f"m{n}",
        "ref": f"message:{n}",
        "kind": "message",
        "text": text,
        "trust": "unverified",
        "at": "",
        "n": n,
    }
    return {**row, "version": f"v{n}", "held": ["budget", "website"], **more}


def parts(packed: packing.Packed) -> list[str]:
    return [piece.part for piece in packed.slices]


def test_summary_first_then_spans_then_documents():
    hits = [hit(1), hit(2, "Chunk of a contract.", kind="chunk"), hit(3, "All in all: a shop.", kind="summary")]
    assert parts(packing.pack([fact()], hits)) == ["fact", "summary", "span", "document"]


def test_of_a_long_text_the_sentence_that_answers_is_taken_with_its_place():
    (piece,) = [p for p in packing.pack([], [hit(1, LONG)]).slices if "4,000" in p.text]
    assert LONG[piece.span[0] : piece.span[1]] == piece.text
    assert len(piece.text) < 100


def test_what_does_not_fit_is_counted_and_the_budget_holds():
    hits = [hit(n, f"Sentence number {n} says something of its own about the shop.") for n in range(200)]
    packed = packing.pack([], hits, tokens=100)
    assert packed.tokens <= 100
    assert packed.left["span"] > 100


def test_what_the_run_has_anyway_and_what_is_said_twice_is_left_out():
    hits = [hit(1), hit(2), hit(3, "Another thing.")]
    packed = packing.pack([], hits, leave=["message:1"])
    assert [piece.memory for piece in packed.slices] == ["m2", "m3"]


def test_a_statement_comes_from_the_facts_and_not_from_its_item():
    packed = packing.pack([fact()], [hit(1, "Ada: budget 3,000 EUR", kind="fact", ref="fact:old")])
    assert [piece.text for piece in packed.slices] == ["budget: 4,000 EUR (since 2026-03-01)"]


def test_what_the_message_says_itself_is_no_memory():
    row = fact(ref="message:9")
    assert packing.pack([row], [], message="message:9").slices == ()
    assert len(packing.pack([row], [], message="message:8").slices) == 1


def test_the_operators_word_stands_first_and_doubt_is_said():
    rows = [fact("a", id="1"), fact("b", id="2", state="disputed"), fact("c", id="3", trust="confirmed")]
    texts = [piece.text for piece in packing.pack(rows, []).slices]
    assert texts[0].startswith("budget: c")
    assert texts[2].endswith("disputed")


def test_the_row_of_a_slice_holds_no_words():
    packed = packing.pack([fact()], [hit()])
    assert "logo" not in str([piece.row("r") for piece in packed.slices])
    assert [piece.row("r")["retrieval"] for piece in packed.slices] == ["", "r"]
    assert packed.row()["facts"] == ["f1"]


@given(st.lists(st.text(min_size=1, max_size=900), max_size=20), st.integers(1, 400))
def test_packing_never_exceeds_its_budget_and_quotes_exactly(texts: list[str], tokens: int):
    hits = [hit(n, text) for n, text in enumerate(texts)]
    packed = packing.pack([fact()], hits, tokens=tokens)
    assert packed.characters <= tokens * packing.PER_TOKEN
    for piece in packed.slices:
        if piece.memory:
            assert texts[piece.n][piece.span[0] : piece.span[1]] == piece.text
    assert packed == packing.pack([fact()], hits, tokens=tokens)


def test_the_question_is_made_of_subject_questions_and_telling_sentences():
    read = {"own_text": "Hello Mara,\n\nhow long does a website take? Our budget is 3,000 EUR.", "questions": []}
    asked = packing.question({"understanding": read, "subject": "New website", "text": ""})
    assert asked.startswith("New website")
    assert "3,000 EUR" in asked


def test_a_file_that_came_with_the_message_itself_is_no_memory():
    hits = [hit(4, "plan.pdf", kind="document", ref="document:9#2")]
    assert packing.pack([], hits, message="message:9").slices == ()
    assert len(packing.pack([], hits, message="message:8").slices) == 1
