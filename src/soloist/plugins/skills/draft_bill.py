"""Letters about the operator's own invoices from templates: every figure is that of a record; nothing is invented."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from soloist.kernel import money
from soloist.kernel.message import Draft, Frozen
from soloist.plugins.skills import _reply_templates as templates_of
from soloist.plugins.skills import _reply_words as words_of
from soloist.plugins.skills._housebook import parse
from soloist.plugins.skills._letterhead import Business
from soloist.sdk import skill

STAGES = 3
"""Wordings of a reminder; a later one is written like the last."""


class Bill(Frozen):
    """An invoice by its record: days ISO, sums in minor units; ``left`` is what is still open."""

    number: str
    minor: int
    currency: str
    left: int
    issued: str = ""
    due: str = ""
    paid_on: str = ""
    state: Literal["open", "late", "part", "paid", "cancelled", "draft"] = "open"


class In(Frozen):
    """What a letter is written from. ``stage`` counts reminders from 1; ``open`` are questions it leaves unanswered."""

    kind: Literal["reminder", "status"]
    bills: list[Bill] = Field(min_length=1, max_length=10)
    stage: int = Field(default=1, ge=1, le=9)
    templates: dict[str, str] = Field(default={})
    language: str = "en"
    sender_name: str = ""
    subject: str = ""
    business: Business = Business()
    house_book: str = ""
    open: list[str] = Field(default=[], max_length=10)


@skill("draft_bill", version="1")
def draft_bill(value: In) -> Draft:
    """Write a reminder of an unpaid invoice, or say how invoices stand; figures come from the records alone."""
    name = f"reminder_{min(value.stage, STAGES)}" if value.kind == "reminder" else "bill_status"
    able, notes = templates_of.languages(name, value.templates) & words_of.LANGUAGE_NAMES.keys(), []
    language = value.language
    if language not in able:
        language = value.business.language if value.business.language in able else "en"
        notes.append(f"There is no template for the language {value.language[:20]!r}; this draft is in another.")
    tone = parse(value.house_book).tone
    shown = [_shown(bill, language) for bill in value.bills]
    values: dict[str, Any] = {
        "greeting": words_of.greeting(tone, language, words_of.person(value.sender_name)),
        "closing": words_of.closing(tone, language),
        "signature": "\n".join(dict.fromkeys(p for p in (value.business.owner, value.business.name) if p.strip())),
        "informal": words_of.is_informal(tone, language),
        "bills": shown,
        "bill": shown[0],
        "open": [words_of.quoted(text, 120) for text in value.open],
    }
    body, trouble = templates_of.render(f"{name}.{language}", value.templates, values)
    subject = words_of.reply_subject(value.subject, language) if value.subject else _subject(value, language)
    return Draft(subject=subject, body=body, language=language, template=f"{name}.{language}", notes=[*notes, *trouble])


_SUBJECTS = {
    "en": ("Reminder: invoice {n}", "Invoice {n}"),
    "de": ("Erinnerung: Rechnung {n}", "Rechnung {n}"),
    "fr": ("Rappel : facture {n}", "Facture {n}"),
    "es": ("Recordatorio: factura {n}", "Factura {n}"),
}


def _subject(value: In, language: str) -> str:
    return _SUBJECTS[language][value.kind == "status"].format(n=value.bills[0].number)[:200]


def _shown(bill: Bill, language: str) -> dict[str, Any]:
    """An invoice as templates show it: sums and days in words of the language."""
    return {
        "number": bill.number,
        "amount": written(bill.minor, bill.currency, language),
        "left": written(bill.left, bill.currency, language),
        "paid": written(bill.minor - bill.left, bill.currency, language),
        "issued": words_of.day(bill.issued, language),
        "due": words_of.day(bill.due, language),
        "paid_on": words_of.day(bill.paid_on, language),
        "state": bill.state,
    }


_MARKS = {"en": (",", "."), "de": (".", ","), "fr": (" ", ","), "es": (".", ",")}


def written(minor: int, currency: str, language: str) -> str:
    """A sum as people of a language write it: "1.190,00 EUR"."""
    places = money.digits(currency)
    plain = f"{Decimal(minor).scaleb(-places):,.{places}f}"
    thousand, point = _MARKS.get(language, _MARKS["en"])
    return plain.replace(",", "_").replace(".", point).replace("_", thousand) + f" {currency}"
