"""Reads a whole message by rules in one call, as the pipeline needs it; it looks nothing up and changes nothing."""

from __future__ import annotations

import re

from pydantic import Field

from soloist.kernel.message import Automatic, Frozen, Span, Understanding
from soloist.plugins.skills._contact import read_contact
from soloist.plugins.skills._dates import find_dates, local_day
from soloist.plugins.skills._kind import In as KindIn
from soloist.plugins.skills._kind import Out as KindOut
from soloist.plugins.skills._kind import tell_kind
from soloist.plugins.skills._language import tell
from soloist.plugins.skills._money import find_budgets
from soloist.plugins.skills._split import split
from soloist.plugins.skills._text import sentences, span
from soloist.sdk import skill

_INVOICE_FILE = re.compile(
    r"invoice|rechnung|facture|factura|zugferd|xrechnung|facturx|mahnung|\bre[-_]?\d", re.IGNORECASE
)


class AttachmentName(Frozen):
    """Name and media type of an attached file."""

    name: str
    mime: str = ""


class In(Frozen):
    """A read message and what is known about its sender.

    ``now`` is ISO 8601 with offset, ``timezone`` an IANA name, ``currency`` ISO 4217, ``phone_region`` ISO 3166,
    ``default_language`` ISO 639-1.
    """

    subject: str = ""
    text: str
    sender_name: str = ""
    sender_address: str = ""
    automatic: Automatic | None = None
    known_client: bool = False
    thread_known: bool = False
    attachments: list[AttachmentName] = Field(default=[])
    now: str
    timezone: str = "UTC"
    currency: str = "EUR"
    phone_region: str = "DE"
    default_language: str = "en"


@skill("understand", version="1")
def understand(value: In) -> Understanding:
    """Read a whole message by rules: own words, language, kind, contact, dates, budgets, questions."""
    parts = split(value.text, value.sender_name)
    own = parts.own_text
    told = tell(f"{value.subject}\n{own}" if len(own) < 200 else own, value.default_language)
    judged = _kind(value, own, parts.signature, parts.forwarded, told.language)
    return Understanding(
        own_text=own,
        quoted=parts.quoted,
        signature=parts.signature,
        language=told.language,
        language_sure=told.sure,
        kind=judged.kind,
        kind_rule=judged.rule,
        kind_words=judged.words,
        contact=read_contact(
            own, parts.signature, value.sender_name, value.phone_region, value.sender_address, language=told.language
        ),
        dates=find_dates(own, local_day(value.now, value.timezone), told.language),
        budgets=find_budgets(own, value.currency),
        questions=questions(own),
    )


def _kind(value: In, own: str, signature: str, forwarded: bool, language: str) -> KindOut:
    """The kind; a bare forward is left to the operator, because nobody says what it is for."""
    if forwarded and value.automatic is None:
        return KindOut(kind="unsure", rule="forward: nothing but a forwarded or quoted message is in it")
    return tell_kind(
        KindIn(
            subject=value.subject,
            own_text=own,
            signature=signature,
            language=language,
            automatic=value.automatic,
            known_client=value.known_client,
            thread_known=value.thread_known,
            invoice_attached=any(_INVOICE_FILE.search(item.name) for item in value.attachments),
        )
    )


def questions(text: str) -> list[Span]:
    """Sentences that end in a question mark, at most twenty."""
    found = []
    for start, end in sentences(text):
        part = span(text, start, end)
        if part.text.rstrip("\"'”») ").endswith("?") and len(part.text) > 3:
            found.append(part)
    return found[:20]
