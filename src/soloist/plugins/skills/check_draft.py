"""The supervisor's checks of a draft another agent wrote; it corrects nothing and sends nothing."""

from __future__ import annotations

import re
from decimal import Decimal

from pydantic import Field

from soloist.kernel.message import Draft, Frozen
from soloist.plugins.skills._housebook import parse
from soloist.sdk import skill

MAX_CHARS, MAX_WORDS = 4000, 250
"""Longest body of a draft."""

_CURRENCY = r"(?:€|\$|£|¥|EUR|USD|GBP|CHF|euros?|dollars?|pounds?|francs?|Franken)"
_NUMBER = r"\d(?:[\d.,'’\u00a0\u202f]|[ ](?=\d{3}(?!\d)))*(?<=\d)"
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?:{_CURRENCY}\s?(?P<after>{_NUMBER})(?P<ka>\s?k\b)?"
    rf"|(?P<before>{_NUMBER})(?P<kb>\s?k\b)?\s?(?:{_CURRENCY}(?!\w)|(?P<percent>%|percent\b|Prozent\b)))",
    re.IGNORECASE,
)
_ANY_NUMBER = re.compile(rf"(?<![\w]){_NUMBER}(?P<k>\s?k\b)?", re.IGNORECASE)
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
    known = {_figure(match[0].removesuffix("k"), bool(match["k"])) for match in _ANY_NUMBER.finditer(sources)}
    faults = []
    for match in _AMOUNT.finditer(f"{value.draft.subject}\n{value.draft.body}"[: 4 * MAX_CHARS]):
        figure = _figure(match["after"] or match["before"], bool(match["ka"] or match["kb"]))
        if figure not in known:
            faults.append(f"The amount {match[0]!r} is neither in the house book nor in the message.")
    return faults


def _figure(text: str, thousands: bool) -> Decimal:
    """The value of a figure, however its thousands and decimals are written."""
    digits = re.sub(r"[^\d.,]", "", text)
    tail = re.search(r"[.,](\d{1,2})\Z", digits)
    whole = re.sub(r"\D", "", digits[: tail.start()] if tail else digits) or "0"
    figure = Decimal(f"{whole}.{tail[1]}" if tail else whole)
    return (figure * 1000 if thousands else figure).normalize()
