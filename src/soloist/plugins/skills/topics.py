"""The subjects of a long text, each with its stretch and the words that tell it from the others; it writes no title."""

from __future__ import annotations

import re
from collections import Counter
from math import log

from pydantic import Field

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills._segments import How, Segment, segment, stem, told, units
from soloist.plugins.skills._telling import spoken
from soloist.plugins.skills._text import span
from soloist.sdk import skill

_WORD = re.compile(r"[^\W\d_][\w'’-]{2,}")


class In(Frozen):
    """A text or transcript; at most ``most`` topics (0: as many as it has) of ``words`` words each."""

    text: str
    language: str = ""
    most: int = Field(default=0, ge=0, le=40)
    words: int = Field(default=4, ge=1, le=8)


class Topic(Frozen):
    """Offsets and first line of a stretch, and its telling words where each first stands."""

    start: int
    end: int
    line: int
    words: list[Span]


class Out(Frozen):
    """The topics in the order of the text."""

    topics: list[Topic]
    how: How
    language: str


@skill("topics", version="1")
def topics(value: In) -> Out:
    """Find the subjects of a text and the words that tell them apart."""
    language = spoken(value.text, value.language)
    parts, how = segment(value.text, language, value.most)
    places = units(value.text)
    counted = [_counted(value.text, places, part) for part in parts]
    spread = Counter(word for words in counted for word in words)
    found = [
        Topic(start=part.start, end=part.end, line=part.line, words=_words(value, places, part, words, spread))
        for part, words in zip(parts, counted, strict=True)
    ]
    return Out(topics=found, how=how, language=language)


def _counted(text: str, places: list[tuple[int, int, int]], part: Segment) -> Counter[str]:
    """How often each telling word stands in a stretch, names of speakers left out."""
    return Counter(word for start, end, _ in places if part.start <= start < part.end for word in told(text[start:end]))


def _words(
    value: In, places: list[tuple[int, int, int]], part: Segment, counted: Counter[str], spread: Counter[str]
) -> list[Span]:
    """The words that stand often here and seldom elsewhere, in the order they first stand."""
    total = len(spread) and max(spread.values())
    worth = {word: count * log(1 + (total + 1) / spread[word]) for word, count in counted.items()}
    chosen = set(sorted(worth, key=lambda word: (-worth[word], word))[: value.words])
    found: list[Span] = []
    for start, end, _ in places:
        if not part.start <= start < part.end:
            continue
        for hit in _WORD.finditer(value.text, start, end):
            if (known := stem(hit[0].casefold())) in chosen:
                chosen.remove(known)
                found.append(span(value.text, *hit.span()))
    return found
