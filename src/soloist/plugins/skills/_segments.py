"""Segments: where the subject of a long text changes, by meaning or shared words; it names and rewrites nothing."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from soloist.plugins.skills._language import _SMALL as SMALL
from soloist.plugins.skills._text import sentences
from soloist.plugins.skills._transcript import LONGEST, read
from soloist.sdk import local

How = Literal["meaning", "words", "whole"]


class _Way(NamedTuple):
    """How texts of a length are compared: words of a block, blocks on each side of a gap, how many standard deviations
    above the mean a dip of likeness must lie, and how many blocks a segment has at least."""

    words: int
    window: int
    depth: float
    least: int


_SHORT = _Way(25, 4, 0.9, 2)
_LONG = _Way(25, 8, 1.2, 3)
"""Set on the development half of the meetings (docs/how-to/meetings.md): meaning helps where few words repeat."""
_SHORT_BLOCKS, BLOCKS = 30, 60
"""Blocks up to which a text is short, and blocks any text is compared in at most, which bounds the time."""
_WORD = re.compile(r"[^\W\d_][\w'’-]{2,}")
NOISE = re.compile(r"\{[a-z_]+\}|<[^<>]{1,20}>")
_FILLER = frozenset(
    "yeah okay well just like really actually think know mean want kind sort thing things something going gonna right"
    " good maybe also then there here get got one two make made see say said let lot bit way much many more very even"
    " still back come take look need use used using could might than them they their were what when which while who"
    " why how some because into only over same these those other each both few most own too can't don't i'm it's that's"
    " we're you're i've we've i'll hmm huh mhm uh-huh yep cause werde wird wurde sein sind haben habe hatte kann muss"
    " soll noch schon halt eben genau also dann wenn weil dass doch mal ganz sehr mehr diese dieser dieses alle alles"
    " être avoir fait faire c'est plus tout tous alors donc bien très peut aussi comme sera dans pour avec hay más todo"
    " todos muy bien entonces pues como para está están hacer tiene había".split()
)


class Block(NamedTuple):
    """A stretch of text with the number of its first line and the words it holds."""

    start: int
    end: int
    line: int
    words: Mapping[str, int]


class Segment(NamedTuple):
    """A stretch about one subject: offsets and first line."""

    start: int
    end: int
    line: int


@lru_cache(maxsize=1)
def small() -> frozenset[str]:
    """Words that say nothing about a subject."""
    return frozenset(word for words in SMALL.values() for word in words) | _FILLER


def units(text: str) -> list[tuple[int, int, int]]:
    """Start, end and line of the turns of a transcript, or of the sentences of prose."""
    found = []
    for turn in read(text)[1]:
        words = text[turn.start : turn.end]
        for start, end in sentences(words):
            if text[turn.start + start : turn.start + end].strip():
                found.append((turn.start + start, turn.start + end, turn.line))
    return found


def told(words: str) -> list[str]:
    """The words of a text that tell what it is about, in lower case, endings cut."""
    bare = NOISE.sub(" ", words)
    return [stem(word) for word in _WORD.findall(bare.casefold()) if word.replace("’", "'") not in small()]


def stem(word: str) -> str:
    """A word without common endings."""
    for ending in ("ungen", "ments", "ings", "ung", "ment", "ing", "ies", "es", "en", "er", "ed", "s", "e", "n"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def blocks(text: str) -> list[Block]:
    """The text in at most ``BLOCKS`` stretches of about the same number of words."""
    parts = units(text[:LONGEST])
    counts = [len(text[start:end].split()) for start, end, _ in parts]
    size = max(_SHORT.words, math.ceil(sum(counts) / BLOCKS))
    found: list[Block] = []
    begun, count = 0, 0
    for index, words in enumerate(counts):
        count += words
        if count >= size or index == len(parts) - 1:
            start, end, line = parts[begun][0], parts[index][1], parts[begun][2]
            found.append(Block(start, end, line, Counter(told(text[start:end]))))
            begun, count = index + 1, 0
    return found


def segment(text: str, language: str, most: int = 0) -> tuple[list[Segment], How]:
    """The stretches of a text, in its order, and how they were told apart; ``most`` 0 leaves the number open."""
    found = blocks(text)
    way = _SHORT if len(found) <= _SHORT_BLOCKS else _LONG
    if len(found) < 2 * way.least:
        whole = [Segment(found[0].start, found[-1].end, found[0].line)] if found else []
        return whole, "whole"
    likeness = _likeness(_weighted([one.words for one in found]), way.window)
    dense = _vectors(text, found, language) if way is _SHORT else None
    if dense is not None:
        other = _likeness(_named(dense), way.window)
        likeness = [(a + b) / 2 for a, b in zip(_scaled(likeness), _scaled(other), strict=True)]
    edges = [0, *_cuts(likeness, most, way), len(found)]
    parts = [Segment(found[a].start, found[b - 1].end, found[a].line) for a, b in pairwise(edges)]
    return parts, "meaning" if dense is not None else "words"


def _vectors(text: str, found: Sequence[Block], language: str) -> Sequence[Sequence[float]] | None:
    """Vectors of the blocks; None when there is no model for the language."""
    reader = local.reader()
    if reader is None:
        return None
    return reader.vectors([NOISE.sub("", text[one.start : one.end])[:600] for one in found], language)


def _named(rows: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """Dense vectors in the form of sparse ones."""
    names = [str(index) for index in range(len(rows[0]))] if rows else []
    return [dict(zip(names, row, strict=True)) for row in rows]


def _weighted(counted: Sequence[Mapping[str, int]]) -> list[dict[str, float]]:
    """Words of each block, those that stand in many blocks counting less."""
    spread = Counter(word for words in counted for word in words)
    total = len(counted)
    return [
        {word: (1 + math.log(count)) * math.log(1 + total / spread[word]) for word, count in words.items()}
        for words in counted
    ]


def _likeness(rows: Sequence[Mapping[str, float]], window: int) -> list[float]:
    """For each gap between two blocks, how alike the windows before and after it are (cosine)."""
    found = []
    for gap in range(1, len(rows)):
        before = _sum(rows[max(0, gap - window) : gap])
        after = _sum(rows[gap : gap + window])
        both = sum(value * after.get(word, 0.0) for word, value in before.items())
        length = math.sqrt(sum(v * v for v in before.values()) * sum(v * v for v in after.values()))
        found.append(both / length if length else 0.0)
    return found


def _sum(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for row in rows:
        for word, value in row.items():
            total[word] = total.get(word, 0.0) + value
    return total


def _scaled(values: Sequence[float]) -> list[float]:
    """Values with mean 0 and deviation 1, so that two measures can be added."""
    middle = sum(values) / len(values)
    spread = math.sqrt(sum((value - middle) ** 2 for value in values) / len(values)) or 1.0
    return [(value - middle) / spread for value in values]


def _cuts(likeness: Sequence[float], most: int, way: _Way) -> list[int]:
    """Indexes of the blocks that begin a new segment: the deepest dips, not too close to each other."""
    depths = [_depth(likeness, index) for index in range(len(likeness))]
    middle = sum(depths) / len(depths)
    spread = math.sqrt(sum((depth - middle) ** 2 for depth in depths) / len(depths))
    taken: list[int] = []
    for index in sorted(range(len(depths)), key=lambda place: (-depths[place], place)):
        if most and len(taken) >= most - 1:
            break
        enough = depths[index] > 0 and (most or depths[index] > middle + way.depth * spread)
        edge = way.least <= index + 1 <= len(likeness) + 1 - way.least
        if enough and edge and all(abs(index - other) >= way.least for other in taken):
            taken.append(index)
    return sorted(index + 1 for index in taken)


def _depth(likeness: Sequence[float], index: int) -> float:
    """How far the likeness falls from the next peaks on both sides."""
    left = right = likeness[index]
    for value in reversed(likeness[:index]):
        if value < left:
            break
        left = value
    for value in likeness[index + 1 :]:
        if value < right:
            break
        right = value
    return left + right - 2 * likeness[index]
