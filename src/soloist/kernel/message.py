"""What a message says once it was read: addresses, text, attachments and everything that tier 0 understands of it.

Every value that rests on words of the message carries them verbatim in a Span, so that a person can check it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MessageKind = Literal["enquiry", "client", "support", "billing", "scheduling", "bulk", "automatic", "spam", "unsure"]
"""What a message is to the business; "unsure" goes to the operator as it is."""

MESSAGE_KINDS = ("enquiry", "client", "support", "billing", "scheduling", "bulk", "automatic", "spam", "other")
"""What the local model tells apart, in its order."""

AutomaticKind = Literal["bounce", "list", "auto_reply", "no_reply", "bulk"]
Answer = Literal["met", "not_met", "unknown"]


class Frozen(BaseModel):
    """Base of values that are passed between processes as JSON and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(Frozen):
    """A mailbox as written: display name (may be empty) and address in its original spelling."""

    name: str = ""
    address: str


class Attachment(Frozen):
    """A part of the raw message kept by pointer and hash: ``part`` is its index in a depth-first walk."""

    name: str
    mime: str
    size: int
    sha256: str
    part: int


class Automatic(Frozen):
    """Why a message must never be answered by itself."""

    kind: AutomaticKind
    why: str


class ParsedMail(Frozen):
    """A mail after reading; missing or broken parts are empty and listed in ``defects`` in plain words."""

    message_id: str = ""
    in_reply_to: str = ""
    references: list[str] = []
    sender: Address | None = None
    reply_to: Address | None = None
    to: list[Address] = []
    cc: list[Address] = []
    subject: str = ""
    date: str = ""
    text: str = ""
    attachments: list[Attachment] = []
    automatic: Automatic | None = None
    defects: list[str] = []
    truncated: bool = False


class Span(Frozen):
    """Words of the message, verbatim, with their character offsets in the text they were found in."""

    text: str
    start: int
    end: int


class Money(Frozen):
    """An amount in minor units (cents) with its ISO 4217 code."""

    minor: int
    currency: str


class Budget(Frozen):
    """A sum of money the sender names as what they can spend; ``low`` equals ``high`` for a single figure."""

    low: Money
    high: Money
    span: Span


class DateMention(Frozen):
    """A date the sender names; ``day`` is ISO 8601 (YYYY-MM-DD), ``precision`` what the words allow."""

    day: str
    precision: Literal["day", "week", "month"]
    span: Span


class Phone(Frozen):
    """A phone number in E.164 with the words it was read from."""

    e164: str
    span: Span


class Contact(Frozen):
    """What the sender tells of themselves."""

    name: str = ""
    company: str = ""
    phones: list[Phone] = []
    urls: list[str] = []


class Understanding(Frozen):
    """What the rules of tier 0 read in one message. Spans point into ``own_text``."""

    own_text: str
    quoted: str = ""
    signature: str = ""
    language: str = "en"
    language_sure: bool = False
    kind: MessageKind
    kind_rule: str
    kind_words: list[Span] = []
    contact: Contact = Contact()
    dates: list[DateMention] = []
    budgets: list[Budget] = []
    questions: list[Span] = []


class Criterion(Frozen):
    """One thing the operator asks of an enquiry, as written in soloist.toml."""

    name: Literal["services", "minimum_budget", "regions", "earliest_start"]
    wanted: str


class Qualified(Frozen):
    """One criterion answered, with the words of the message it rests on (never empty for met or not_met)."""

    criterion: str
    wanted: str
    answer: Answer
    reason: str
    words: list[Span] = []


class Citation(Frozen):
    """A line of the house book a sentence of the draft rests on; ``line`` counts from 1."""

    line: int
    text: str


class Question(Frozen):
    """Something the house book does not answer; the operator is asked instead of inventing it."""

    text: str
    words: Span | None = None


class Draft(Frozen):
    """A proposed reply from a template: the facts in it come from the house book only."""

    subject: str
    body: str
    language: str
    template: str
    citations: list[Citation] = []
    questions: list[Question] = []
    notes: list[str] = Field(default=[], description="what the operator should know about this draft")
