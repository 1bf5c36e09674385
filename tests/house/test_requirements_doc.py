"""The page of requirements is whole and does not claim more than the tests show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COUNTS = {"A": 21, "B": 20, "C": 10, "D": 18, "E": 21, "F": 14, "G": 24, "H": 17, "I": 16, "J": 11}
IDS = [f"{letter}{number}" for letter, count in COUNTS.items() for number in range(1, count + 1)]


def rows(text: str) -> list[list[str]]:
    """Cells of every table line that begins with an id: id, requirement, status, where, test."""
    lines = re.findall(r"^\| [A-J]\d+ \|.*\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def faults(text: str) -> list[str]:
    """What is wrong with the page, a sentence each."""
    table = rows(text)
    wrong = [] if [row[0] for row in table] == IDS else ["the ids are not the 172 in their order"]
    for row in table:
        name = row[0]
        if len(row) != 5:
            wrong.append(f"{name}: needs five cells")
            continue
        _, words, status, where, test = row
        if not words or status not in ("shown", "partial", "open"):
            wrong.append(f"{name}: the status is {status!r}")
        if status == "shown" and not re.findall(r"`tests/[^`]+`", test):
            wrong.append(f"{name}: shown by no test")
        if status != "open" and where == "-":
            wrong.append(f"{name}: {status} nowhere")
        named = re.findall(r"`((?:src|tests|docs|bench)/[^`]+)`", where * (status != "open") + test)
        wrong += [f"{name}: there is no {path}" for path in named if not (ROOT / path.partition("::")[0]).exists()]
    return wrong


def test_every_requirement_has_an_honest_line() -> None:
    assert len(IDS) == 172
    found = faults((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("| A7 |", "| A99 |"),
        ("| J11 |", "| J12 |"),
        ("| open |", "| done |"),
        ("| open |", "| shown |"),
        ("| - |\n", "| `tests/no_such_test.py` |\n"),
    ],
)
def test_a_dishonest_line_is_named(old: str, new: str) -> None:
    text = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
    assert old in text
    assert faults(text.replace(old, new, 1))
