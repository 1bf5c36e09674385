"""The supervisor's checks of a draft another agent wrote; it corrects nothing and sends nothing."""

from __future__ import annotations

import re

from pydantic import Field

from soloist.kernel.message import Draft, Frozen
from soloist.plugins.skills._figures import amounts, numbers
from soloist.plugins.skills._housebook import parse
from soloist.sdk import skill

MAX_CHARS, MAX_WORDS = 4000, 250
"""Longest body of a draft."""

_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,80}\]|\{\{|\}\}|\{%|\bTODO\b|\bXXX+\b|(?i:\bdear none\b|\bhello none\b)")


class In(Frozen):
    """A draft, what it may rest on, and who may get it (addresses that already take part in the conversation)."""

    draft: Draft
    house_book: str
    message_text: str
    recipient: str
    allowed_recipients: list[str] = Field(default=[])


class Out(Frozen):
    """Whether the draft may be shown as it is, and every fault as a sentence."""

    ok: bool
    faults: list[str] = Field(default=[])


@skill("check_draft", version="1")
def check_draft(value: In) -> Out:
    """Check citations, quoted words, recipient, length and amounts of a draft."""
    faults = [*_body(value), *_citations(value), *_words(value), *_recipient(value), *_amounts(value)]
    return Out(ok=not faults, faults=faults)


def _body(value: In) -> list[str]:
    body = value.draft.body
    if not body.strip():
        return ["The draft has no text."]
    faults = []
    if len(body) > MAX_CHARS or len(body.split()) > MAX_WORDS:
        faults.append(
            f"The draft has {len(body.split())} words and {len(body)} characters; "
            f"at most {MAX_WORDS} words and {MAX_CHARS} characters are allowed."
        )
    if not value.draft.subject.strip() or not value.draft.subject.isprintable():
        faults.append("The subject is empty or holds a line break or another control character.")
    faults += [
        f"The draft still holds a placeholder: {hit[0]!r}."
        for hit in _PLACEHOLDER.finditer(body)
        if hit[0] not in value.message_text and hit[0] not in value.house_book
    ]
    return faults


def _citations(value: In) -> list[str]:
    facts = {(fact.line, fact.text) for fact in parse(value.house_book).quotable}
    faults = []
    for cited in value.draft.citations:
        if (cited.line, cited.text) not in facts:
            faults.append(f"Line {cited.line} of the house book does not read {cited.text[:120]!r}.")
        elif cited.text not in value.draft.body:
            faults.append(f"The draft cites line {cited.line} of the house book but does not hold its words.")
    return faults


def _words(value: In) -> list[str]:
    return [
        f"The message does not hold the words {question.words.text[:120]!r}."
        for question in value.draft.questions
        if question.words is not None and question.words.text not in value.message_text
    ]


def _recipient(value: In) -> list[str]:
    allowed = {address.strip().casefold() for address in value.allowed_recipients}
    if value.recipient.strip().casefold() in allowed:
        return []
    return [f"The recipient {value.recipient[:120]!r} does not take part in this conversation."]


def _amounts(value: In) -> list[str]:
    """Sums of money and percentages whose figure is neither in the house book nor in the message."""
    lines = ["\n".join((*fact.keys, fact.text)) for fact in parse(value.house_book).quotable]
    sources = "\n".join((*lines, value.message_text))
    text = f"{value.draft.subject}\n{value.draft.body}"[: 4 * MAX_CHARS]
    known = numbers(sources)
    return [
        f"The amount {text[one.start : one.end]!r} is neither in the house book nor in the message."
        for one in amounts(text)
        if one.value not in known
    ]
