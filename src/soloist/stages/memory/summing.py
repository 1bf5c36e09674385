"""Summing: which sentences of long texts say most, verbatim with their places, and whether a summary keeps to them.

It writes no sentence of its own. A summary somebody else wrote (a model) is only taken when every sentence cites spans
that are really there and brings no figure or name that is not in them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.kernel.sentences import COURTESY, TELLING, spans

SHORTEST, LONGEST = 12, 360
"""Characters of a sentence that is chosen."""
MOST_READ = 20_000
"""Characters of one text that are looked at for its best sentences: its beginning and its end."""
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True)
class Source:
    """A text a summary may cite: what it is (``ref``), when, by whom."""

    ref: str
    text: str
    at: str = ""
    who: str = ""


@dataclass(frozen=True)
class Piece:
    """Words of a source, verbatim: ``text`` equals its characters from ``start`` to ``end``."""

    ref: str
    start: int
    end: int
    text: str
    at: str = ""
    who: str = ""

    def row(self) -> dict[str, Any]:
        """As it is kept with a summary."""
        return {"ref": self.ref, "from": self.start, "to": self.end}


def pieces(source: Source) -> list[Piece]:
    """The sentences of a source that could stand in a summary; of a very long one its beginning and end."""
    text, found = source.text, []
    half = MOST_READ // 2
    parts = [(0, text)] if len(text) <= MOST_READ else [(0, text[:half]), (len(text) - half, text[-half:])]
    for offset, part in parts:
        for start, end in spans(part):
            words = part[start:end]
            if SHORTEST <= end - start <= LONGEST and not COURTESY.match(words):
                found.append(Piece(source.ref, offset + start, offset + end, words, source.at, source.who))
    return found


def chosen(sources: Sequence[Source], most: int = 6, characters: int = 1200) -> list[Piece]:
    """The pieces that say most of all sources together, in their order; at most so many and so long.

    What shares its words with the rest counts, figures and questions more, what repeats a chosen piece less. The
    first sentence of the first source and a sentence of the last are among them where there is room.
    """
    once: dict[str, Piece] = {}
    for source in sources:
        for piece in pieces(source):
            once.setdefault(" ".join(piece.text.split()), piece)
    found = [*once.values()]
    if not found:
        return []
    bags = [Counter(word.casefold()[:8] for word in _WORD.findall(piece.text)) for piece in found]
    rare = Counter(word for bag in bags for word in bag)
    worth = [_worth(piece, bag, rare, len(found)) for piece, bag in zip(found, bags, strict=True)]
    worth[0] += 0.5
    newest = max((n for n, piece in enumerate(found) if piece.ref == sources[-1].ref), default=0, key=worth.__getitem__)
    worth[newest] += 0.5
    taken: list[int] = []
    left = characters
    while len(taken) < most:
        open_ = [n for n in range(len(found)) if n not in taken and len(found[n].text) <= left]
        if not open_:
            break
        best = max(open_, key=lambda n: (round(worth[n] - 0.9 * _alike(bags, n, taken), 6), -n))
        taken.append(best)
        left -= len(found[best].text)
    return [found[n] for n in sorted(taken)]


def _worth(piece: Piece, bag: Mapping[str, int], rare: Mapping[str, int], many: int) -> float:
    """How much a piece says of what all say."""
    shared = sum(math.log(1 + rare[word]) for word in bag) / math.log(2 + many) / (3 + len(bag))
    return shared + (0.35 if TELLING.search(piece.text) else 0.0)


def _alike(bags: Sequence[Mapping[str, int]], one: int, taken: Sequence[int]) -> float:
    """The largest share of words that a piece has in common with one already taken."""
    words = set(bags[one])
    return max((len(words & set(bags[n])) / (len(words) or 1) for n in taken), default=0.0)


def told(found: Sequence[Piece]) -> str:
    """The text of a summary: each piece with its day and voice, a line each."""
    lines = []
    for piece in found:
        label = ", ".join(part for part in (piece.at[:10], piece.who) if part)
        lines.append(f"{label}: {' '.join(piece.text.split())}" if label else " ".join(piece.text.split()))
    return "\n".join(lines)
