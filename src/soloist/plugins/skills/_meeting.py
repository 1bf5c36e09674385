"""Meeting notes: decisions, tasks, open questions, the next meeting of a transcript, verbatim; it writes no minutes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from pydantic import Field

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills import _meeting_ask as asking
from soloist.plugins.skills import _meeting_words as words_of
from soloist.plugins.skills._dates import find_dates, local_day
from soloist.plugins.skills._language import tell
from soloist.plugins.skills._meeting_tasks import Job, Names, asks, listed, said
from soloist.plugins.skills._text import sentences, span
from soloist.plugins.skills._transcript import Form, Turn, read
from soloist.sdk.asking import Ask

MOST = 80
"""Entries of each list."""
_LONGEST = 700
_YES = re.compile(
    r"\W*(?:yes|yeah|yep|sure|ok(?:ay)?|of course|will do|no problem|ja|klar|gerne?|mach(?:e)? ich|natürlich|oui"
    r"|bien sûr"
    r"|d['’]accord|volontiers|s[ií]|claro|vale|por supuesto|de acuerdo)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?:\*\*|__)?([^\W\d_][\w '’-]{0,28}?)(?:\*\*|__)?\s?:(?:\*\*|__)?\s+")
_PERSON = re.compile(r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){0,3}")


By = Literal["rules", "model"]


class In(Frozen):
    """A transcript, subtitle file (.vtt, .srt) or notes; ``now`` is when it was held (ISO 8601, "" unknown).

    ``people`` are those known to take part; ``language`` en, de, fr or es, "" to tell it from the text. ``ask`` wants
    the question for a model in the output, ``answer`` is what a model said to it.
    """

    text: str
    now: str = ""
    timezone: str = "UTC"
    language: str = ""
    people: list[str] = Field(default=[])
    ask: bool = False
    answer: dict[str, Any] | None = None


class Noted(Frozen):
    """A sentence of the meeting with its line (from 1) and who said it ("" when nobody is named)."""

    words: Span
    line: int
    speaker: str = ""
    by: By = "rules"


class Task(Frozen):
    """What is to be done (``what``, verbatim), in the sentence ``words``; ``until`` is a day (ISO 8601) or ""."""

    what: Span
    words: Span
    line: int
    speaker: str = ""
    who: str = ""
    until: str = ""
    by: By = "rules"


class NextMeeting(Frozen):
    """When people meet again: ``day`` ISO 8601 and ``time`` HH:MM, "" for what is not said."""

    words: Span
    line: int
    day: str = ""
    time: str = ""


class Out(Frozen):
    """What was found, in the order of the text; all offsets point into the given text."""

    form: Form
    language: str
    turns: int
    people: list[str] = Field(default=[])
    decisions: list[Noted] = Field(default=[])
    tasks: list[Task] = Field(default=[])
    questions: list[Noted] = Field(default=[])
    next_meeting: NextMeeting | None = None
    truncated: bool = False
    ask: Ask | None = None


Kind = Literal["decision", "task", "question", "next", "people", ""]


@dataclass
class _Found:
    """What one reading has gathered."""

    text: str
    form: Form
    today: date | None
    language: str
    names: Names
    decisions: list[Noted] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    questions: list[Noted] = field(default_factory=list)
    next: list[NextMeeting] = field(default_factory=list)


def find(value: In) -> Out:
    """Everything that can be read from one meeting; ValueError when ``now`` is neither empty nor ISO 8601."""
    form, turns = read(value.text, words_of.NO_PERSON)
    people = _people(value, form, turns)
    language = value.language or tell(_sample(value.text, turns), "en").language
    today = local_day(value.now, value.timezone) if value.now else None
    found = _Found(value.text, form, today, language, Names(people, language))
    for index, turn in enumerate(turns):
        _turn(found, turns, index, turn)
    if value.answer is not None:
        _add_told(found, value.answer)
    return Out(
        form=form,
        language=language,
        turns=len(turns),
        people=people,
        decisions=found.decisions[:MOST],
        tasks=found.tasks[:MOST],
        questions=found.questions[:MOST],
        next_meeting=max(found.next, key=lambda one: (bool(one.day), bool(one.time), one.line), default=None),
        ask=asking.ask(value.text, language, people) if value.ask else None,
        truncated=max(len(found.decisions), len(found.tasks), len(found.questions)) > MOST,
    )


def _sample(text: str, turns: list[Turn]) -> str:
    """Words of the turns, enough to tell a language."""
    return " ".join(text[turn.start : turn.end] for turn in turns[:60])[:4000]


def _people(value: In, form: Form, turns: list[Turn]) -> list[str]:
    """Those given, those listed as present, and in a transcript those who speak."""
    names = list(value.people)
    for turn in turns:
        kind, start = _labelled(value.text, turn)
        if kind == "people":
            names += [
                one[0]
                for one in _PERSON.finditer(
                    re.sub(r"\([^()]*\)|\b(?:and|und|et|y)\b", ",", value.text[start : turn.end])
                )
            ]
        elif form != "notes" and turn.speaker:
            names.append(turn.speaker)
    return [name for name in dict.fromkeys(names) if name.strip()][:200]


def _labelled(text: str, turn: Turn) -> tuple[str, int]:
    """The kind that a label before the words or the heading above them gives, and where the words begin."""
    label = _LABEL.match(text, turn.start, turn.end)
    if label:
        kind = _kind(label[1])
        if kind:
            return kind, label.end()
    return _kind(turn.heading), turn.start


def _kind(label: str) -> str:
    """What a label or heading announces; "" for none or one that announces nothing."""
    folded = re.sub(r"\s*\(.*\)|^\d+[.)]\s*", "", label.casefold()).strip(" :*_")
    if folded in words_of.KIND_OF:
        return words_of.KIND_OF[folded]
    parts = re.split(r"\s*(?:,|&|/|\band\b|\bund\b|\bet\b|\by\b)\s*", folded)
    kinds = {words_of.KIND_OF.get(part, "") for part in parts} - {""}
    return kinds.pop() if len(kinds) == 1 else ""


def _turn(found: _Found, turns: list[Turn], index: int, turn: Turn) -> None:
    """Gather what one line says."""
    kind, start = _labelled(found.text, turn)
    whole = span(found.text, start, turn.end)
    if kind == "people" or not whole.text or (kind and not any(letter.isalpha() for letter in whole.text)):
        return
    if kind == "task":
        assignee = turn.speaker if found.form == "notes" or turn.marked else ""
        _add_task(found, turn, whole, listed(whole.text, found.names, assignee, found.today))
        return
    if kind == "next":
        found.next.append(_next(found, turn, whole))
        return
    if kind in {"decision", "question"}:
        (found.decisions if kind == "decision" else found.questions).append(_noted(turn, whole))
        job = said(whole.text, "", found.names, found.today, strict=True) if kind == "decision" else None
        if job:
            _add_task(found, turn, whole, job)
        return
    for first, last in sentences(found.text[turn.start : turn.end]):
        part = span(found.text, turn.start + first, turn.start + last)
        if 6 <= len(part.text) <= _LONGEST:
            _sentence(found, turns, index, part)


def _sentence(found: _Found, turns: list[Turn], index: int, part: Span) -> None:
    """Judge one sentence that stands under no telling heading."""
    turn, question = turns[index], part.text.rstrip("\"'”») ").endswith("?")
    if words_of.NEXT.search(part.text):
        meeting = _next(found, turn, part)
        if meeting.day or (meeting.time and not question):
            found.next.append(meeting)
            return
    unclear = _any(words_of.OPEN, found.language, part.text)
    decided = not question and not unclear and _any(words_of.DECIDED, found.language, part.text)
    if decided and not words_of.UNDECIDED.search(part.text):
        found.decisions.append(_noted(turn, part))
    speaker = turn.speaker if found.form != "notes" else ""
    job = said(part.text, speaker, found.names, found.today, strict=found.form != "notes")
    if job is None and question and found.form != "notes":
        job = _accepted(found, turns, index, part)
    if job is not None and (job.day or not words_of.NO_ANSWER.search(part.text)):
        _add_task(found, turn, part, job)
    elif unclear or (question and _unanswered(found, turns, index, part)):
        found.questions.append(_noted(turn, part))


def _any(rules: dict[str, re.Pattern[str]], language: str, text: str) -> bool:
    """Whether the rule of the language holds, or any when the language has none."""
    chosen = [rules[language]] if language in rules else list(rules.values())
    return any(rule.search(text) for rule in chosen)


def _accepted(found: _Found, turns: list[Turn], index: int, part: Span) -> Job | None:
    """A request to "you" that the next speaker agrees to."""
    job = asks(part.text, found.names, found.today)
    after = _next_speaker(turns, index)
    if job and after and _YES.match(found.text, after.start, after.end):
        return job._replace(who=after.speaker)
    return None


def _next_speaker(turns: list[Turn], index: int) -> Turn | None:
    """The first turn of somebody else."""
    me = turns[index].speaker
    return next((turn for turn in turns[index + 1 : index + 4] if turn.speaker and turn.speaker != me), None)


def _unanswered(found: _Found, turns: list[Turn], index: int, part: Span) -> bool:
    """Notes keep questions that stay open; of what was said, those whose next words are no answer."""
    if found.form == "notes":
        return True
    after = _next_speaker(turns, index)
    if len(part.text) < 20 or part.end < turns[index].end - 2:
        return False
    return after is None or bool(words_of.NO_ANSWER.search(found.text[after.start : min(after.end, after.start + 120)]))


def _noted(turn: Turn, part: Span) -> Noted:
    return Noted(words=part, line=turn.line, speaker=turn.speaker)


def _add_task(found: _Found, turn: Turn, part: Span, job: Job) -> None:
    """Keep a job; offsets of the job count from the sentence."""
    what = span(found.text, part.start + job.start, part.start + job.end)
    if what.text:
        found.tasks.append(
            Task(what=what, words=part, line=turn.line, speaker=turn.speaker, who=job.who, until=job.day)
        )


def _add_told(found: _Found, answer: dict[str, Any]) -> None:
    """Add what a model found beyond the rules, as far as it stands in the text."""
    lists: dict[str, list[Noted]] = {"decisions": found.decisions, "questions": found.questions}
    for one in asking.told(found.text, answer, found.names.people, lambda words: _days(found, words)):
        if one.kind == "tasks":
            if all(task.line != one.line for task in found.tasks):
                rest = {"who": found.names.whole(one.who) if one.who else "", "until": one.until}
                found.tasks.append(Task(what=one.what, words=one.words, line=one.line, by="model", **rest))
        elif all(noted.line != one.line for noted in lists[one.kind]):
            lists[one.kind].append(Noted(words=one.words, line=one.line, by="model"))
    for entries_ in (found.decisions, found.questions, found.tasks):
        entries_.sort(key=lambda one: one.words.start)


def _days(found: _Found, words: str) -> set[str]:
    return {one.day for one in find_dates(words, found.today, found.language)} if found.today else set()


def _next(found: _Found, turn: Turn, part: Span) -> NextMeeting:
    """Day and time of the next meeting as the words say them."""
    days = find_dates(part.text, found.today, found.language) if found.today else []
    rest = part.text
    for day in days:
        rest = rest[: day.span.start] + " " * (day.span.end - day.span.start) + rest[day.span.end :]
    clocks = [clock for clock in map(_clock, words_of.CLOCK.finditer(rest)) if clock]
    return NextMeeting(words=part, line=turn.line, day=days[-1].day if days else "", time=next(iter(clocks), ""))


def _clock(hit: re.Match[str]) -> str:
    """HH:MM of a time of day; "" for a bare number."""
    if not (
        hit["sep"] or hit["half"] or hit["unit"] or re.match(r"at|um|à|a las|a la|ab|gegen", hit[0], re.IGNORECASE)
    ):
        return ""
    hour = int(hit["h"])
    half = (hit["half"] or "").casefold().replace(".", "")
    hour = hour % 12 + (12 if half == "pm" else 0) if half and hour <= 12 else hour
    return f"{hour:02d}:{hit['m'] or '00'}"


def entries(out: Out) -> Iterator[Span]:
    """Every span of an answer."""
    yield from (one.words for one in (*out.decisions, *out.questions))
    for task in out.tasks:
        yield from (task.words, task.what)
    if out.next_meeting:
        yield out.next_meeting.words
