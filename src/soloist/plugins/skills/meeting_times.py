"""The skill ``meeting_times``: what a message wants with an appointment, and the times it names."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills._times import spots
from soloist.sdk import skill

LIMIT = 20_000
Act = Literal["ask", "propose", "confirm", "decline", "cancel", "move", "none"]
_SAYS: tuple[tuple[Act, str], ...] = (
    (
        "cancel",
        r"\b(?:cancel|call off|can(?:'t|not) make it|(?:muss|müssen|möchte|leider) .{0,40}absagen|absage"
        r"|sage .{0,30} ab|annul(?:er|e|é)|décommander|cancelar|anular|no podré (?:ir|asistir))",
    ),
    (
        "move",
        r"\b(?:reschedul\w*|postpone|move (?:our|the|it|that)|another (?:day|time)|verschieb\w*|verleg\w*"
        r"|anderen (?:Tag|Termin)|repousser|reporter|décaler|déplacer|autre (?:jour|date|heure)|aplazar|posponer"
        r"|cambiar (?:la|de) (?:cita|hora|fecha|día)|otro día|otra hora)",
    ),
    (
        "confirm",
        r"\b(?:(?:that|this|it|which|\d|day) ?(?:works|suits|is fine|is good|fits)|works (?:for|well)|sounds good"
        r"|confirm|see you (?:on|then|at)|passt|bestätige|geht (?:klar|gut)|einverstanden|gerne (?:am|um|den)|convient"
        r"|me va|d'accord|confirme|à (?:mardi|lundi|jeudi|vendredi|mercredi)|me viene bien|perfecto|de acuerdo"
        r"|confirmo)\b",
    ),
    (
        "ask",
        r"\b(?:meet(?:ing)?|appointment|call\b|talk|chat|termin|treffen|telefonier|gespräch|besprech|kennenlern"
        r"|rendez-vous|réunion|rencontrer|appel|cita|reunión|reunirnos|quedar|llamada|hablar)",
    ),
)
_NOT = re.compile(r"\b(?:not|nicht|ne|pas|no|unfortunately|leider)\b[^.!?\n]{0,24}\Z", re.IGNORECASE)
_AFTER = re.compile(r"\W*(?:\w+\W+){0,2}(?:nicht|not|pas|no)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[!?\n])|(?<=\.)\s+(?=[A-ZÄÖÜÉ¿¡])")
_CLAUSE = re.compile(r"[;!?\n]|[.,]\s")
_DENIED = re.compile(r"(?<!\w)(?:not|nicht|pas|no|can't|cannot|won't|kein\w*)(?!\w)", re.IGNORECASE)
_LENGTH = re.compile(
    r"(?<!\w)(?P<n>\d{1,3}|half an|an|a|eine halbe|eine|une demi-|une|media|una)[\s-]?(?P<u>min(?:ute[ns]?|utos?|\.)?"
    r"|hours?|stunden?|heures?|horas?|h)(?!\w)",
    re.IGNORECASE,
)
_CALL = re.compile(r"\b(?:call|phone|telef\w+|anruf\w*|appel\w*|llamad\w*|zoom|video)\b", re.IGNORECASE)


class In(Frozen):
    """A message, when it came (ISO), the zone of times that name none, how many minutes one lasts otherwise."""

    text: str
    now: str
    timezone: str = "UTC"
    language: str = "en"
    length: int = Field(default=45, ge=5, le=480)

    @field_validator("now")
    @classmethod
    def _instant(cls, value: str) -> str:
        datetime.fromisoformat(value)
        return value


class Time(Frozen):
    """A time they name, in UTC; not ``exact``: a window in which they leave the time open."""

    begins: str
    ends: str
    exact: bool
    zone: str
    span: Span


class Out(Frozen):
    """What they want, the times, the minutes they name (0 for none), whether they speak of a call."""

    act: Act
    times: list[Time] = Field(default=[])
    minutes: int = 0
    call: bool = False
    words: str = ""


@skill("meeting_times", version="1")
def meeting_times(value: In) -> Out:
    """Tell whether a message asks for, proposes, confirms, moves or cancels an appointment, and read its times."""
    text = value.text[:LIMIT]
    minutes = _minutes(text)
    found = [
        Time(
            begins=one.begins.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            ends=one.ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            exact=one.exact,
            zone=one.zone,
            span=Span(text=text[one.start : one.end], start=one.start, end=one.end),
        )
        for one in spots(
            text,
            datetime.fromisoformat(value.now),
            zone=ZoneInfo(value.timezone),
            language=value.language,
            minutes=minutes or value.length,
        )
        if not _denied(text, one.start, one.end)
    ]
    act, words = _act(text)
    if act == "ask" and found:
        act = "propose"
    return Out(act=act, times=found[:20], minutes=minutes, call=bool(_CALL.search(text)), words=words)


def _act(text: str) -> tuple[Act, str]:
    """The strongest thing a text does, and the words that show it."""
    declined = ""
    for act, form in _SAYS:
        for hit in re.finditer(form, text, re.IGNORECASE):
            if act != "confirm" or not _doubted(text, hit):
                return (act, hit[0][:80]) if act != "ask" or not declined else ("decline", declined)
            declined = declined or (hit[0][:80] if not _asked(text, hit) else "")
    return ("decline", declined) if declined else ("none", "")


def _denied(text: str, start: int, end: int) -> bool:
    """Whether a time stands in a clause that says that it does not fit."""
    begin = max((hit.end() for hit in _CLAUSE.finditer(text, max(0, start - 80), start)), default=max(0, start - 80))
    stop = _CLAUSE.search(text, end, end + 60)
    return bool(_DENIED.search(text[begin : stop.start() if stop else end + 60]))


def _asked(text: str, hit: re.Match[str]) -> bool:
    return _SENTENCE.split(text[hit.end() : hit.end() + 300], maxsplit=1)[0].rstrip().endswith("?")


def _doubted(text: str, hit: re.Match[str]) -> bool:
    """Whether words of agreement are denied or asked about."""
    rest = _SENTENCE.split(text[hit.end() : hit.end() + 300], maxsplit=1)[0]
    return bool(_NOT.search(text[: hit.start()]) or _AFTER.match(rest) or _asked(text, hit))


def _minutes(text: str) -> int:
    """How long they say that it takes, 0 when they do not."""
    hit = _LENGTH.search(text)
    if hit is None:
        return 0
    said, unit = hit["n"].lower(), hit["u"].lower()
    half = said in ("half an", "eine halbe", "une demi-", "media")
    count = 0.5 if half else float(said) if said.isdigit() else 1.0
    minutes = int(count if unit.startswith("min") else count * 60)
    return minutes if 5 <= minutes <= 480 and (unit != "h" or not said.isdigit()) else 0
