"""A page as lines of cells, and the value that stands beside or below a label; it knows no words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")
_GAP = re.compile(r"[ \u00a0]{3,}|[ \u00a0]*\t[ \u00a0\t]*")
MOST_LINES = 4_000
MOST_CELLS = 40
"""Of a line; no paper has more, and more would take long."""
_SEPARATORS = " \u00a0:.#=-–|\t°º"
_SLACK = 6


@dataclass(frozen=True)
class Cell:
    """A piece of a line that stands apart: offsets in the whole text, its line, and its first column."""

    start: int
    end: int
    line: int
    column: int
    text: str


def _cells(line: str, number: int, place: int) -> list[Cell]:
    """The pieces of a line between wide gaps; in time that grows with its length only."""
    found: list[Cell] = []
    start = 0
    for gap in [*_GAP.finditer(line), None]:
        end = gap.start() if gap else len(line)
        piece = line[start:end]
        text = piece.strip()
        if text:
            at = start + len(piece) - len(piece.lstrip())
            found.append(Cell(place + at, place + at + len(text), number, at, text))
        if gap is None or len(found) >= MOST_CELLS:
            break
        start = gap.end()
    return found


class Paper:
    """A text with its cells by line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: list[list[Cell]] = []
        self.begins: list[int] = []
        place = 0
        for number, line in enumerate(text.split("\n", MOST_LINES)[:MOST_LINES]):
            self.lines.append(_cells(line, number, place))
            self.begins.append(place)
            place += len(line) + 1

    def cells(self) -> Iterator[Cell]:
        """All cells in reading order."""
        return (cell for line in self.lines for cell in line)

    def labelled(self, label: re.Pattern[str], *, whole: bool = False) -> Iterator[tuple[Cell, re.Match[str]]]:
        """Cells that hold a label, and the match in the cell; ``whole`` where it has to begin the cell."""
        for cell in self.cells():
            match = label.search(cell.text)
            if match and not (whole and match.start() > 2):
                yield cell, match

    def beside(
        self, cell: Cell, match: re.Match[str], read: Callable[[str, int], _T | None], *, below: int = 2
    ) -> _T | None:
        """The value behind a label: in its cell, in the next one, else below it in its column.

        ``read(text, offset)`` answers the value at the beginning of a text, or None.
        """
        rest = cell.text[match.end() :]
        stripped = rest.lstrip(_SEPARATORS)
        if stripped:
            found = read(stripped, cell.end - len(stripped))
            if found is not None:
                return found
        line = self.lines[cell.line]
        place = line.index(cell)
        if not stripped or len(stripped) < 12:
            for right in line[place + 1 : place + 2]:
                clean = right.text.lstrip(_SEPARATORS)
                if clean and (found := read(clean, right.end - len(clean))) is not None:
                    return found
            return self._below(cell, read, below) if not stripped or stripped[-1] in ":" else None
        return None

    def _below(self, cell: Cell, read: Callable[[str, int], _T | None], deep: int) -> _T | None:
        """The value in the nearest lines below that stands in the column of a cell."""
        seen = 0
        for line in self.lines[cell.line + 1 : cell.line + 2 + deep]:
            if not line:
                continue
            under = self.under(cell, line)
            if under is not None:
                clean = under.text.lstrip(_SEPARATORS)
                if clean and (found := read(clean, under.end - len(clean))) is not None:
                    return found
            seen += 1
            if seen >= deep:
                break
        return None

    @staticmethod
    def under(cell: Cell, line: list[Cell]) -> Cell | None:
        """The cell of a line that overlaps most with the columns of a cell."""
        left, right = cell.column, cell.column + len(cell.text)
        best, most = None, -_SLACK
        for one in line:
            overlap = min(right, one.column + len(one.text)) - max(left, one.column)
            if overlap > most:
                best, most = one, overlap
        return best
