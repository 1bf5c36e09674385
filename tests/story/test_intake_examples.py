"""The intake agent's examples are run: each message gives the draft it promises, from the sample house book."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import soloist.plugins
from soloist import config
from soloist.cli import sample
from soloist.kernel.message import Qualified, Span, Understanding
from soloist.plugins.skills.check_draft import In as CheckIn
from soloist.plugins.skills.check_draft import check_draft
from soloist.plugins.skills.draft_reply import Business, In, draft_reply

FOLDER = Path(soloist.plugins.__file__).parent / "agents/intake/examples"
EXAMPLES = [path for path in sorted(FOLDER.glob("*.toml")) if "skill" not in tomllib.loads(path.read_text("utf-8"))]
"""Those that are messages; what names a skill is run by the test of the other agents' examples."""
HOUSE_BOOK = (sample.HERE / "house-book.md").read_text(encoding="utf-8")
STUDIO = config.read(sample.HERE / "soloist.toml")


def span(text: str, words: str) -> Span:
    start = text.index(words)
    return Span(text=words, start=start, end=start + len(words))


def answers(example: dict[str, Any]) -> list[Qualified]:
    wanted, text = ", ".join(STUDIO.qualification.services), example["text"]
    given = [("services", "met", example.get("service")), ("minimum_budget", "not_met", example.get("below_minimum"))]
    return [
        Qualified(criterion=criterion, wanted=wanted, answer=answer, reason="As told.", words=[span(text, words)])
        for criterion, answer, words in given
        if words
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_holds(path: Path):
    example = tomllib.loads(path.read_text(encoding="utf-8"))
    text, expect = example["text"], example["expect"]
    read = Understanding(
        own_text=text,
        language=example["language"],
        language_sure=True,
        kind=example["kind"],
        kind_rule="example",
        questions=[span(text, words) for words in example["questions"]],
    )
    business = Business.model_validate(STUDIO.business.model_dump())
    draft = draft_reply.run(
        In(
            house_book=HOUSE_BOOK,
            understanding=read,
            qualification=answers(example),
            subject=example["subject"],
            sender_name=example["sender_name"],
            business=business,
        )
    )
    assert draft.template == expect["template"]
    assert [c.text[: len(want)] for c, want in zip(draft.citations, expect["cites"], strict=True)] == expect["cites"]
    assert [q.words.text for q in draft.questions if q.words] == expect["asks_operator"]
    found = check_draft.run(
        CheckIn(draft=draft, house_book=HOUSE_BOOK, message_text=text, recipient="a", allowed_recipients=["a"])
    )
    assert found.faults == []


def test_there_are_examples():
    assert len(EXAMPLES) >= 4
