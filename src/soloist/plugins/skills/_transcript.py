"""Transcripts: who said which words on which line of a transcript, subtitle file or notes; it judges no word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Form = Literal["vtt", "srt", "speakers", "notes"]

LONGEST = 600_000
"""Characters of a transcript that are read."""

_TIME = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_CUE = re.compile(rf"\s*({_TIME})\s+-->\s+{_TIME}")
_STAMP = re.compile(rf"\s*[\[(]?({_TIME})[\])]?\s*[-–|]?\s*")
_VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^<>]{1,80})>")
_TAG = re.compile(r"</?(?:v|c|b|i|u|lang|ruby|rt)\b[^<>]{0,60}>|<\d[\d:.]{3,14}>")
_NAME = (
    r"[^\W\d_][\w.'’-]*(?:[ ](?:[^\W\d_a-zß-öø-ÿ][\w.'’-]*|\d{1,3}|de|del|della|di|da|la|le|von|van|der|den|zu|zur|und)"
    r"(?![\w])){0,4}"
)
"""A lower-case word ends a name, so that "Still open:" is none, unless it is a particle."""
_SPEAKER = re.compile(
    rf"(?:\*\*|__)?({_NAME})(?:\s*[\[(](?:{_TIME}|[^()\[\]\n]{{1,40}})[\])])?(?:\*\*|__)?\s?:(?:\*\*|__)?(?:[ \t]+|$)"
)
_ALONE = re.compile(rf"\s*({_NAME})\s+[\[(]?({_TIME})[\])]?\s*$")
_MARK = re.compile(r"[ \t]*(?:(?:[-*+•–]|\d{1,3}[.)])[ \t]+)?(?:\[[ xX]?\][ \t]*)?")
_HEADING = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+(?P<hash>.{1,80}?)[ \t]*#*|(?:\*\*|__)(?P<bold>[^*_\n]{1,80}?):?(?:\*\*|__):?"
    r"|(?P<plain>[^\W\d_][^\n:.!?]{0,60}):)[ \t]*$"
)


class Turn(NamedTuple):
    """Words of one line: ``text[start:end]``, on ``line`` (from 1), said by ``speaker`` ("" when nobody is named).

    ``at`` are seconds from the start (-1: none), ``heading`` the heading it stands below, ``marked`` a list item.
    """

    line: int
    start: int
    end: int
    speaker: str = ""
    at: float = -1
    heading: str = ""
    marked: bool = False


def read(text: str, labels: frozenset[str] = frozenset()) -> tuple[Form, list[Turn]]:
    """The form and the turns; ``labels`` (lower case) are words before a colon that are no person ("decision")."""
    text = text[:LONGEST]
    if text.lstrip("\ufeff \r\n").startswith("WEBVTT"):
        return "vtt", list(_cues(text))
    if re.match(r"[\ufeff\s]*(?:\d+\s*\n)?" + _CUE.pattern, text):
        return "srt", list(_cues(text))
    turns = list(_lines(text, labels))
    spoken = sum(bool(turn.speaker) for turn in turns)
    return ("speakers" if spoken >= 2 and spoken * 2 >= len(turns) else "notes"), turns


def _rows(text: str) -> Iterator[tuple[int, int, str]]:
    """Line number, offset and words of each line."""
    place = 0
    for number, row in enumerate(text.split("\n"), 1):
        yield number, place, row.rstrip("\r")
        place += len(row) + 1


def _seconds(stamp: str) -> float:
    """Seconds of "1:02:03.5" or "02:03"."""
    total = 0.0
    for part in stamp.replace(",", ".").split(":"):
        total = total * 60 + float(part)
    return total


def _cues(text: str) -> Iterator[Turn]:
    """Lines of the cues of a subtitle file; notes, styles and numbers between them are left out."""
    at, speaker = -1.0, ""
    for number, place, row in _rows(text):
        cue = _CUE.match(row)
        if cue:
            at, speaker = _seconds(cue[1]), ""
        elif not row.strip():
            at = -1.0
        elif at >= 0:
            voice = _VOICE.match(row.lstrip())
            start = place + (len(row) - len(row.lstrip()) + voice.end() if voice else 0)
            end = place + len(row)
            said = _SPEAKER.match(text, start, end)
            speaker = voice[1].strip() if voice else said[1] if said else speaker
            start = said.end() if said and not voice else start
            for first, last in _between_tags(text, start, end):
                yield Turn(number, first, last, speaker, at)


def _between_tags(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Pieces of a cue that hold no tag, so that words stay verbatim."""
    for tag in [*_TAG.finditer(text, start, end), None]:
        stop = tag.start() if tag else end
        if text[start:stop].strip():
            yield start, stop
        start = tag.end() if tag else end


def _lines(text: str, labels: frozenset[str]) -> Iterator[Turn]:
    """Lines of a transcript with names before a colon, or of notes with headings and list items."""
    heading, speaker, at = "", "", -1.0
    for number, place, row in _rows(text):
        if not row.strip():
            speaker = ""
            continue
        alone = _ALONE.match(row)
        if alone:
            speaker, at = alone[1], _seconds(alone[2])
            continue
        headed = _HEADING.fullmatch(row)
        if headed and headed["plain"] and not _is_label(headed["plain"], labels):
            if re.fullmatch(_NAME, headed["plain"]):
                speaker = headed["plain"]
                continue
        elif headed:
            heading, speaker = (headed["hash"] or headed["bold"] or headed["plain"]).strip(" :"), ""
            continue
        stamp = _STAMP.match(row)
        start = place + (stamp.end() if stamp else 0)
        at = _seconds(stamp[1]) if stamp else at
        mark = _MARK.match(text, start, place + len(row))
        marked = bool(mark and mark[0].strip())
        start = mark.end() if mark else start
        said = _SPEAKER.match(text, start, place + len(row))
        if said and not _is_label(said[1], labels):
            speaker, start = said[1], said.end()
        if text[start : place + len(row)].strip():
            yield Turn(number, start, place + len(row), "" if marked and not said else speaker, at, heading, marked)


def _is_label(words: str, labels: frozenset[str]) -> bool:
    """Whether words before a colon are a label ("Decision", "Next steps") and no person."""
    folded = words.casefold().strip()
    return folded in labels or folded.split()[0] in labels
