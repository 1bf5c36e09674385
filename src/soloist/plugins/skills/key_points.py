"""The key points of a long text: from each part about one subject the sentence that says most, verbatim."""

from __future__ import annotations

from pydantic import Field

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills._segments import segment
from soloist.plugins.skills._telling import How, best, inside, pieces, spoken, verbatim
from soloist.sdk import skill

_COMPARED = 60
"""Sentences that are compared by the local model in all parts together."""


class In(Frozen):
    """A text or transcript of which at most ``most`` points are wanted."""

    text: str
    language: str = ""
    most: int = Field(default=6, ge=1, le=20)


class Point(Frozen):
    """A sentence with its line (from 1) and the number of the part it stands in (from 1)."""

    words: Span
    line: int
    part: int


class Out(Frozen):
    """The points in the order of the text, how many parts it has, and how they were chosen."""

    points: list[Point]
    parts: int
    how: How
    language: str


@skill("key_points", version="1")
def key_points(value: In) -> Out:
    """Take the sentence that says most from each part of a text."""
    language = spoken(value.text, value.language)
    parts, _ = segment(value.text, language, value.most)
    everything = pieces(value.text)
    found: list[Point] = []
    how: How = "whole"
    shares = _shares([part.end - part.start for part in parts], value.most)
    for number, (part, share) in enumerate(zip(parts, shares, strict=True), 1):
        compared = max(2 * share, _COMPARED // len(parts))
        chosen, told = best(value.text, inside(everything, part), share, language, compared=compared)
        how = told if how == "whole" else how
        found += [Point(words=verbatim(value.text, one), line=one.line, part=number) for one in chosen]
    return Out(points=found[: value.most], parts=len(parts), how=how, language=language)


def _shares(lengths: list[int], most: int) -> list[int]:
    """How many points each part gets: one each, and those left over to the longest for their length."""
    shares = [1] * len(lengths)
    while sum(shares) < most and lengths:
        index = max(range(len(lengths)), key=lambda place: lengths[place] / (shares[place] + 1))
        shares[index] += 1
    return shares
