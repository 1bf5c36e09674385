"""The skill ``phones``: telephone numbers in a text with what can be checked of them; it calls nobody."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills import _ids
from soloist.sdk import skill

LIMIT = 30_000
_KINDS: dict[int, Literal["fixed", "mobile", "either", "service"]] = {0: "fixed", 1: "mobile", 2: "either"}


class In(Frozen):
    """A text, and the country (ISO 3166-1) of numbers that name none."""

    text: str
    region: str = Field(default="DE", pattern=r"^[A-Z]{2}$")


class Number(Frozen):
    """A number: ``valid`` when its country gives out such numbers, ``possible`` when only its length fits."""

    e164: str
    national: str
    region: str
    kind: Literal["fixed", "mobile", "either", "service"]
    valid: bool
    span: Span


class Out(Frozen):
    """The numbers in reading order."""

    phones: list[Number]


@skill("phones", version="1")
def phones(value: In) -> Out:
    """Find telephone numbers and bring them into international form."""
    import phonenumbers as library

    text = value.text[:LIMIT]
    found = []
    others = [place for finder in (_ids.ibans, _ids.cards, _ids.vats) for place, _ in finder(text)]
    matches = library.PhoneNumberMatcher(text, value.region, leniency=library.Leniency.POSSIBLE, max_tries=200)
    for match in matches:
        number = match.number
        valid = library.is_valid_number(number)
        if not valid and not match.raw_string.startswith(("+", "00")):
            continue
        taken = any(start < match.end and match.start < end for start, end in others)
        if taken or _is_something_else(text, match.start, match.end):
            continue
        found.append(
            Number(
                e164=library.format_number(number, library.PhoneNumberFormat.E164),
                national=library.format_number(number, library.PhoneNumberFormat.NATIONAL),
                region=library.region_code_for_number(number) or "",
                kind=_KINDS.get(library.number_type(number), "service"),
                valid=valid,
                span=Span(text=match.raw_string, start=match.start, end=match.end),
            )
        )
    return Out(phones=found)


def _is_something_else(text: str, start: int, end: int) -> bool:
    """Whether the figures belong to a longer word, an account number or an amount."""
    before, after = text[max(0, start - 12) : start], text[end : end + 6]
    letter = before[-1:].isalnum() or after[:1].isalnum()
    money = (
        after.lstrip()[:1] in ("€", "$", "£") or before.rstrip()[-1:] in ("€", "$", "£") or after.lstrip()[:3] == "EUR"
    )
    return letter or money or before.rstrip(" :").upper().endswith(("IBAN", "NR.", "NR", "NO.", "ID"))
