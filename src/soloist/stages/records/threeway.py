"""Three-way merge of a text: what was generated, what a person made of it, what is generated now; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")
_SENTENCE = re.compile(r".+?(?:(?<=[.!?:;])\s+|\s*\Z)", re.DOTALL)
MOST_UNITS = 20_000
"""A text of more sentences is compared by lines: the comparison's effort grows with the square."""


@dataclass(frozen=True)
class Passage:
    """A place where both sides changed the same words: what stood there, what each made of it, and where it is now.

    ``at`` is the offset of ``yours`` in the merged text, in characters.
    """

    base: str
    yours: str
    new: str
    at: int


@dataclass(frozen=True)
class Merged:
    """The merged text, in which every conflict shows the person's words, and the conflicts in order."""

    text: str
    conflicts: tuple[Passage, ...] = ()


def units(text: str) -> list[str]:
    """A text in sentences and lines, each with the white space after it; joined they are the text again."""
    lines = _LINE.findall(text)
    found = [part for line in lines for part in (_SENTENCE.findall(line) if line.strip() else [line])]
    return found if len(found) <= MOST_UNITS else lines


def merge(base: str, yours: str, new: str) -> Merged:
    """``new`` with every change that ``yours`` made to ``base``.

    A side that did not change takes the other's words; where both changed the same words differently, yours stay and
    the passage is listed.
    """
    out: list[str] = []
    conflicts: list[Passage] = []
    length = 0

    def put(parts: Sequence[str]) -> None:
        nonlocal length
        for part in parts:
            if part and out and not out[-1][-1].isspace() and not part[0].isspace():
                out.append(" ")
                length += 1
            if part:
                out.append(part)
                length += len(part)

    for same, old, mine, theirs in _chunks(units(base), units(yours), units(new)):
        if same:
            put([t if m == o else m for o, m, t in zip(old, mine, theirs, strict=True)])
        elif _keys(mine) == _keys(old) or _keys(mine) == _keys(theirs):
            put(theirs if "".join(mine) == "".join(old) else mine if _keys(mine) == _keys(theirs) else theirs)
        elif _keys(theirs) == _keys(old):
            put(mine)
        else:
            put(mine)
            said = "".join(mine)
            conflicts.append(Passage("".join(old), said, "".join(theirs), length - len(said)))
    return Merged("".join(out), tuple(conflicts))


def _keys(parts: Sequence[str]) -> list[str]:
    """Sentences without the white space around them: a moved line break is no change of words."""
    return [part.strip() for part in parts]


Chunk = tuple[bool, list[str], list[str], list[str]]


def _chunks(base: list[str], yours: list[str], new: list[str]) -> Iterator[Chunk]:
    """The text in order as (whether all three agree, base, yours, new)."""
    b = y = n = 0
    for start, end, mine, theirs in _common(_keys(base), _keys(yours), _keys(new)):
        if (b, y, n) != (start, mine, theirs):
            yield False, base[b:start], yours[y:mine], new[n:theirs]
        size = end - start
        if size:
            yield True, base[start:end], yours[mine : mine + size], new[theirs : theirs + size]
        b, y, n = end, mine + size, theirs + size


def _common(base: list[str], yours: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Runs of the base that both sides kept: (start, end, place in yours, place in new); the last one is the end."""
    left = SequenceMatcher(None, base, yours, autojunk=False).get_matching_blocks()
    right = SequenceMatcher(None, base, new, autojunk=False).get_matching_blocks()
    i = j = 0
    while i < len(left) and j < len(right):
        one, other = left[i], right[j]
        start, end = max(one.a, other.a), min(one.a + one.size, other.a + other.size)
        if start < end:
            yield start, end, one.b + start - one.a, other.b + start - other.a
        if one.a + one.size < other.a + other.size:
            i += 1
        else:
            j += 1
    yield len(base), len(base), len(yours), len(new)


def listed(merged: Merged) -> list[dict[str, Any]]:
    """The conflicts as a record keeps them."""
    return [{"base": p.base, "yours": p.yours, "new": p.new, "at": p.at} for p in merged.conflicts]


def choose(text: str, passage: Mapping[str, Any], pick: str) -> str | None:
    """The text with one conflict settled: "yours", "new" or "both"; None when the passage is no longer there."""
    yours, new, at = str(passage["yours"]), str(passage["new"]), int(passage["at"])
    if pick == "yours":
        return text
    if text[at : at + len(yours)] != yours:
        at = text.find(yours) if yours else -1
        if at < 0:
            return None
    space = yours[len(yours.rstrip()) :]
    put = (new.rstrip() + (space or new[len(new.rstrip()) :])) if pick == "new" else _joined(yours, new)
    return text[:at] + put + text[at + len(yours) :]


def _joined(yours: str, new: str) -> str:
    """Both passages, yours first."""
    gap = "" if not yours or yours[-1].isspace() else " "
    return f"{yours}{gap}{new}"
