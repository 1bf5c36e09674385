"""The supervisor's checks: a sound draft passes, and each planted fault is found and named."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.kernel.message import Citation, Draft, Question, Span
from soloist.plugins.skills.check_draft import In, check_draft

BOOK = "## Prices\n- Website: from 2,800 EUR\n- Care: 90 EUR per month\n\n## Private\n- Rock bottom: 1 EUR\n"
MESSAGE = "We can spend 3-4k. Do you speak Portuguese?"
BODY = "Hello Emily,\n\n- Website: from 2,800 EUR\n\nMara"
WEBSITE = Citation(line=2, text="Website: from 2,800 EUR")


def faults(draft: dict[str, Any] | None = None, **given: Any) -> list[str]:
    parts = {"subject": "Re: x", "body": BODY, "language": "en", "template": "enquiry.en", "citations": [WEBSITE]}
    value = In(
        draft=Draft.model_validate(parts | (draft or {})),
        **{
            "house_book": BOOK,
            "message_text": MESSAGE,
            "recipient": "emily@carter-bakery.example",
            "allowed_recipients": ["Emily@Carter-Bakery.example"],
        }
        | given,
    )
    out = check_draft.run(value)
    assert out.ok == (not out.faults)
    return out.faults


def test_a_sound_draft_passes():
    assert faults() == []


def test_an_invented_citation_is_found():
    assert faults({"citations": [Citation(line=2, text="Website: from 2,000 EUR")]}) == [
        "Line 2 of the house book does not read 'Website: from 2,000 EUR'."
    ]


def test_a_citation_from_a_part_that_is_never_quoted_is_found():
    private = Citation(line=6, text="Rock bottom: 1 EUR")
    assert faults({"citations": [private], "body": "Rock bottom: 1 EUR"})[0].startswith("Line 6 of the house book")


def test_a_citation_at_the_wrong_line_is_found():
    assert faults({"citations": [Citation(line=3, text="Website: from 2,800 EUR")]})


def test_a_citation_the_body_does_not_hold_is_found():
    assert faults({"citations": [WEBSITE, Citation(line=3, text="Care: 90 EUR per month")]}) == [
        "The draft cites line 3 of the house book but does not hold its words."
    ]


def test_words_the_message_does_not_hold_are_found():
    asked = Question(text="They ask", words=Span(text="Do you speak Dutch?", start=0, end=19))
    assert faults({"questions": [asked]}) == ["The message does not hold the words 'Do you speak Dutch?'."]


def test_a_stranger_as_recipient_is_found():
    assert faults(recipient="victor@quick-offers.example") == [
        "The recipient 'victor@quick-offers.example' does not take part in this conversation."
    ]


@pytest.mark.parametrize("recipient", ["", "emily@carter-bakery.example, victor@quick-offers.example"])
def test_no_recipient_or_two_are_found(recipient: str):
    assert len(faults(recipient=recipient)) == 1


def test_an_empty_body_is_found():
    assert faults({"body": " \n", "citations": []}) == ["The draft has no text."]


def test_a_long_body_is_found():
    assert "at most 250 words" in faults({"body": BODY + " word" * 260})[0]


@pytest.mark.parametrize("subject", ["", "Re: x\nBcc: victor@quick-offers.example"])
def test_an_empty_or_broken_subject_is_found(subject: str):
    assert "subject" in faults({"subject": subject})[0]


@pytest.mark.parametrize("placeholder", ["[your answer here]", "{{ name }}", "TODO", "Dear None"])
def test_a_placeholder_is_found(placeholder: str):
    assert any("placeholder" in f for f in faults({"body": f"{BODY}\n{placeholder}"}))


@pytest.mark.parametrize(
    "amount",
    ["500 EUR", "€ 2,801", "$299", "1.999,00 €", "2800.50 EUR", "10 %", "5k EUR", "EUR 28", "20 percent", "1 EUR"],
)
def test_an_amount_from_nowhere_is_found(amount: str):
    assert len(faults({"body": f"{BODY}\nThat would be {amount}."})) == 1


@pytest.mark.parametrize("amount", ["2.800 €", "EUR 2800", "2 800,00 EUR", "90 euros", "4k EUR", "4,000 EUR"])
def test_a_known_amount_in_another_spelling_passes(amount: str):
    assert faults({"body": f"{BODY}\nYou name {amount}."}) == []
