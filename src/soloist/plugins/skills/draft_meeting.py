"""Letters about appointments from templates: they offer, confirm or take note of given times."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from soloist.kernel.message import Draft, Frozen
from soloist.plugins.skills import _reply_templates as templates_of
from soloist.plugins.skills import _reply_words as words_of
from soloist.plugins.skills._housebook import parse
from soloist.plugins.skills._letterhead import Business
from soloist.sdk import skill

_WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
}
_SHAPE = {
    "en": "{w}, {d}, {b} to {e} ({z})",
    "de": "{w}, {d}, {b} bis {e} Uhr ({z})",
    "fr": "{w} {d}, de {b} à {e} ({z})",
    "es": "{w}, {d}, de {b} a {e} ({z})",
}


class Span(Frozen):
    """A time: two instants, ISO, UTC."""

    begins: str
    ends: str


class In(Frozen):
    """What a letter is written from; ``taken``: the time they named is not free; ``moved``: one changes."""

    kind: Literal["offer", "confirm", "cancelled"]
    times: list[Span] = Field(default=[], max_length=6)
    taken: bool = False
    moved: bool = False
    timezone: str = "UTC"
    place: str = ""
    templates: dict[str, str] = Field(default={})
    language: str = "en"
    sender_name: str = ""
    subject: str = ""
    business: Business = Business()
    house_book: str = ""


@skill("draft_meeting", version="1")
def draft_meeting(value: In) -> Draft:
    """Write a letter about an appointment: offer times, confirm one, or note that it does not take place."""
    name, notes = f"meeting_{value.kind}", []
    able = templates_of.languages(name, value.templates) & words_of.LANGUAGE_NAMES.keys()
    language = value.language
    if language not in able:
        language = value.business.language if value.business.language in able else "en"
        notes.append(f"There is no template for the language {value.language[:20]!r}; this draft is in another.")
    tone = parse(value.house_book).tone
    values: dict[str, Any] = {
        "greeting": words_of.greeting(tone, language, words_of.person(value.sender_name)),
        "closing": words_of.closing(tone, language),
        "signature": "\n".join(dict.fromkeys(p for p in (value.business.owner, value.business.name) if p.strip())),
        "informal": words_of.is_informal(tone, language),
        "times": [told(one, value.timezone, language) for one in value.times],
        "taken": value.taken,
        "moved": value.moved,
        "place": value.place,
    }
    body, trouble = templates_of.render(f"{name}.{language}", value.templates, values)
    return Draft(
        subject=words_of.reply_subject(value.subject, language),
        body=body,
        language=language,
        template=f"{name}.{language}",
        notes=[*notes, *trouble],
    )


def told(one: Span, zone: str, language: str) -> str:
    """A time as people of a language write it, with its zone: "Tuesday, 24 November 2026, 10:00 to 10:45 (...)"."""
    begins, ends = (datetime.fromisoformat(at).astimezone(ZoneInfo(zone)) for at in (one.begins, one.ends))
    return _SHAPE[language].format(
        w=_WEEKDAYS[language].split()[begins.weekday()],
        d=words_of.day(begins.date().isoformat(), language),
        b=f"{begins:%H:%M}",
        e=f"{ends:%H:%M}",
        z=zone.replace("_", " "),
    )
