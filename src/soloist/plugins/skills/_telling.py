"""Telling sentences: those that say most of a text or of each of its parts, verbatim; it writes none of its own."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from math import log, sqrt
from typing import Literal, NamedTuple

from soloist.kernel.message import Span
from soloist.plugins.skills._language import tell
from soloist.plugins.skills._segments import NOISE, Segment, told, units
from soloist.plugins.skills._text import span
from soloist.sdk import local

How = Literal["meaning", "word parts", "words", "whole"]
READ = 24
"""Sentences of one part that are compared with each other."""
_SHORTEST, _LONGEST = 25, 320
_FIGURE = re.compile(r"\d|[€$£]")


class Piece(NamedTuple):
    """A sentence of a text with its line and the words that tell something."""

    start: int
    end: int
    line: int
    words: tuple[str, ...]


def pieces(text: str) -> list[Piece]:
    """The sentences of a text or transcript, without the names of the speakers."""
    found = []
    for start, end, line in units(text):
        part = span(text, start, end)
        found.append(Piece(part.start, part.end, line, tuple(told(part.text))))
    return found


def spoken(text: str, language: str) -> str:
    """The language as given, else as the text tells it."""
    return language or tell(text, "en").language


def best(
    text: str, parts: Sequence[Piece], most: int, language: str, *, compared: int = READ
) -> tuple[list[Piece], How]:
    """At most ``most`` of the sentences, in their order, those that say most of all of them together.

    ``compared`` sentences at most, chosen by their words, are compared by the local model, which bounds the time.
    """
    fit = [one for one in parts if _SHORTEST <= one.end - one.start <= _LONGEST] or list(parts)
    if len(fit) <= most:
        return fit, "whole"
    reader = local.reader()
    if reader is None or len(fit) > compared:
        spread = Counter(word for one in fit for word in set(one.words))
        worth = {one: _worth(one, spread, len(fit), text) for one in fit}
        kept = set(sorted(fit, key=lambda one: (-worth[one], one.start))[: compared if reader else most])
        fit = [one for one in fit if one in kept]
    if reader is None:
        return fit, "words"
    starts, joined, place = [], [], 0
    for one in fit:
        words = " ".join(text[one.start : one.end].split())
        starts.append(place)
        joined.append(words)
        place += len(words) + 2
    chosen, by_meaning = reader.telling("\n\n".join(joined), language, most)
    indexes = sorted({bisect_right(starts, start) - 1 for start, _ in chosen})
    return [fit[index] for index in indexes[:most]], "meaning" if by_meaning else "word parts"


def _worth(one: Piece, spread: Counter[str], total: int, text: str) -> float:
    """How much a sentence says: rare words that still come back, and figures."""
    weight = sum(log(1 + total / spread[word]) for word in set(one.words) if spread[word] > 1)
    weight *= 0.6 ** len(NOISE.findall(text, one.start, one.end))  # marks of broken off words in a transcript
    return weight / sqrt(len(one.words) + 3) + (0.4 if _FIGURE.search(text, one.start, one.end) else 0.0)


def inside(parts: Sequence[Piece], segment: Segment) -> list[Piece]:
    """The sentences of one segment."""
    return [one for one in parts if segment.start <= one.start < segment.end]


def verbatim(text: str, one: Piece) -> Span:
    """A sentence as a span."""
    return span(text, one.start, one.end)
