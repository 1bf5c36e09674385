"""Pure decisions about records: what a message adds to a person, and what it would overwrite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.kernel.identity import company_domain
from soloist.kernel.message import Qualified, Understanding


@dataclass(frozen=True)
class Additions:
    """``fill``: fields that were empty, written with audit. ``conflict``: fields a person decides about."""

    fill: dict[str, Any] = field(default_factory=dict)
    conflict: dict[str, Any] = field(default_factory=dict)


def new_person(address: str, name: str, understanding: Understanding, company: str) -> dict[str, Any]:
    """The first version of a person's record, from words of their message only."""
    contact = understanding.contact
    return {
        "name": contact.name or name,
        "emails": [address],
        "phones": [phone.e164 for phone in contact.phones],
        "company": company,
        "company_name": contact.company,
        "language": understanding.language,
        "origin": "outside",
    }


def company_title(address: str, understanding: Understanding) -> str:
    """What to call a company: the name they give, else their domain."""
    return understanding.contact.company or company_domain(address)


def additions(body: Mapping[str, Any], address: str, name: str, understanding: Understanding) -> Additions:
    """What a further message tells about a person: empty fields are filled, different values become a change."""
    fill: dict[str, Any] = {}
    conflict: dict[str, Any] = {}
    contact = understanding.contact
    for key, value in (("name", contact.name or name), ("company_name", contact.company)):
        old = str(body.get(key, ""))
        if value and not old:
            fill[key] = value
        elif value and contact_differs(old, value) and (key != "name" or contact.name):
            conflict[key] = value
    fill |= _longer_list(body, "emails", [address])
    phones = [phone.e164 for phone in contact.phones]
    known = list(body.get("phones", []))
    if phones and not known:
        fill["phones"] = phones
    elif new := [phone for phone in phones if phone not in known]:
        conflict["phones"] = [*known, *new]
    return Additions(fill, conflict)


def contact_differs(old: str, new: str) -> bool:
    """Whether two names are really different: neither holds the other, ignoring case and spacing."""
    a, b = " ".join(old.casefold().split()), " ".join(new.casefold().split())
    return a not in b and b not in a


def _longer_list(body: Mapping[str, Any], key: str, values: Sequence[str]) -> dict[str, Any]:
    """The list with values that it lacks, or nothing."""
    known = list(body.get(key, []))
    new = [value for value in values if value and value not in known]
    return {key: [*known, *new]} if new else {}


def lead_body(
    understanding: Understanding, answers: Sequence[Qualified], *, person: str, company: str, message: str
) -> dict[str, Any]:
    """A lead as a record: the structured answers of the qualification and the words they rest on."""
    return {
        "person": person,
        "company": company,
        "message": message,
        "answers": [answer.model_dump() for answer in answers],
        "budgets": [budget.model_dump() for budget in understanding.budgets],
        "dates": [date.model_dump() for date in understanding.dates],
        "language": understanding.language,
        "questions": [span.text for span in understanding.questions],
    }
