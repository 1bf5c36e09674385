"""Word comparison of two texts for a person to read; not a patch format."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from soloist.insight.views import FieldDiff, Piece

_TOKENS = re.compile(r"\s+|[^\s]+")
_MOST_WORDS = 6000

_Move = tuple[str, list[str], list[str]]


def words(before: str, after: str) -> tuple[Piece, ...]:
    """Both texts as runs of kept, removed and added words.

    Equal runs of fewer than two words between two changes are bridged, else the comparison reads as confetti.
    Texts beyond 6,000 words are compared by lines, which keeps the time bounded.
    """
    split = _lines if len(before) + len(after) > _MOST_WORDS * 6 else _words
    old, new = split(before), split(after)
    moves: list[_Move] = [
        (tag, old[a:b], new[c:d]) for tag, a, b, c, d in SequenceMatcher(None, old, new, False).get_opcodes()
    ]
    pieces: list[Piece] = []
    for tag, gone, came in _bridged(moves):
        if tag == "equal":
            pieces.append(Piece("same", "".join(gone)))
            continue
        pieces += [Piece(op, "".join(part)) for op, part in (("del", gone), ("ins", came)) if part]
    return tuple(pieces)


def field(label: str, before: str, after: str) -> FieldDiff:
    """One field of a record or draft with its comparison."""
    return FieldDiff(label, before, after, words(before, after))


def _bridged(moves: list[_Move]) -> list[_Move]:
    """Join changes that are separated by fewer than two equal words on the same line."""
    out: list[_Move] = []
    for index, (tag, gone, came) in enumerate(moves):
        inner = 0 < index < len(moves) - 1
        island = tag == "equal" and inner and sum(not t.isspace() for t in gone) < 2 and "\n" not in "".join(gone)
        kind = "equal" if tag == "equal" and not island else "change"
        if kind == "change" and out and out[-1][0] == "change":
            out[-1] = ("change", out[-1][1] + gone, out[-1][2] + came)
        else:
            out.append((kind, list(gone), list(came)))
    return out


def _words(text: str) -> list[str]:
    return _TOKENS.findall(text)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
