"""Splits a long text where its subject changes; it moves no word and leaves none out."""

from __future__ import annotations

from pydantic import Field

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills._segments import How
from soloist.plugins.skills._segments import segment as split_up
from soloist.plugins.skills._telling import spoken
from soloist.plugins.skills._text import span
from soloist.sdk import skill


class In(Frozen):
    """A text or transcript; ``most`` segments at most, 0 leaves the number to the text."""

    text: str
    language: str = ""
    most: int = Field(default=0, ge=0, le=40)


class Segment(Frozen):
    """Offsets and first line of a stretch about one subject, and the words it begins with."""

    start: int
    end: int
    line: int
    opens: Span


class Out(Frozen):
    """The segments in order; ``how`` "whole" when the text is too short to be split."""

    segments: list[Segment]
    how: How
    language: str


@skill("segment", version="1")
def segment(value: In) -> Out:
    """Split a text where its subject changes."""
    language = spoken(value.text, value.language)
    found, how = split_up(value.text, language, value.most)
    segments = [
        Segment(
            start=one.start,
            end=one.end,
            line=one.line,
            opens=span(value.text, one.start, min(one.end, one.start + 120)),
        )
        for one in found
    ]
    return Out(segments=segments, how=how, language=language)
