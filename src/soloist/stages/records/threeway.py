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

    for old, mine, theirs in _chunks(units(base), units(yours), units(new)):
        if mine == old:
            put(theirs)
        elif theirs == old or mine == theirs:
            put(mine)
        elif _keys(mine) == _keys(old):
            put(theirs)
        else:
            put(mine)
            if _keys(theirs) not in (_keys(old), _keys(mine)):
                said = "".join(mine)
                conflicts.append(Passage("".join(old), said, "".join(theirs), length - len(said)))
    return Merged("".join(out), tuple(conflicts))


def _keys(parts: Sequence[str]) -> list[str]:
    """Sentences without the white space around them: a moved line break is no change of words."""
    return [part.strip() for part in parts]


def _chunks(base: list[str], yours: list[str], new: list[str]) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """The three texts in as many parts as stand at the same place in all of them: (base, yours, new)."""
    left, right = _places(base, yours), _places(base, new)
    b = y = n = 0
    for place in sorted(left.keys() & right.keys()):
        (mine, mine_end), (theirs, theirs_end) = left[place], right[place]
        if (b, y, n) != (place, mine, theirs):
            yield base[b:place], yours[y:mine], new[n:theirs]
        if (mine, theirs) != (mine_end, theirs_end):
            yield [], yours[mine:mine_end], new[theirs:theirs_end]
        b, y, n = place, mine_end, theirs_end


def _places(base: list[str], side: list[str]) -> dict[int, tuple[int, int]]:
    """For each place between two sentences of the base: where it is in a side, before and after what was put there.

    As many sentences replaced by as many are taken one for one; other places inside a change are left out.
    """
    found: dict[int, tuple[int, int]] = {}

    def note(place: int, before: int, after: int) -> None:
        found[place] = (min(before, found.get(place, (before, 0))[0]), after)

    note(0, 0, 0)
    moves = SequenceMatcher(None, _keys(base), _keys(side), autojunk=False).get_opcodes()
    for _, start, end, first, last in moves:
        if end - start == last - first:
            for step in range(end - start + 1):
                note(start + step, first + step, first + step)
        elif start == end:
            note(start, first, last)
        else:
            note(start, first, first)
            note(end, last, last)
    note(len(base), len(side), len(side))
    return found


def unsettled(base: str, passages: Sequence[Mapping[str, Any]]) -> str:
    """The generated text with what stood there before at every passage nobody has chosen: the question stays open.

    A passage that the generator had taken out leaves no trace to put back.
    """
    place = 0
    for passage in passages:
        new, before = str(passage["new"]), str(passage["base"])
        at = base.find(new, place) if new else -1
        if at >= 0:
            base, place = base[:at] + before + base[at + len(new) :], at + len(before)
    return base


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
