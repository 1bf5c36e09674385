"""Reads the made and labelled meetings of the tests and counts right fields; it measures no time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).parents[1] / "tests" / "data" / "meetings" / "labelled.txt"


@dataclass
class Labelled:
    """One meeting: its text and what a person marked in it, by line (from 1)."""

    language: str
    half: str
    name: str
    day: str
    text: str = ""
    decisions: set[int] = field(default_factory=set)
    questions: set[int] = field(default_factory=set)
    tasks: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    next: tuple[str, str] = ("", "")


def read(path: Path = FILE) -> list[Labelled]:
    """All meetings of the file."""
    found: list[Labelled] = []
    for row in path.read_text(encoding="utf-8").splitlines():
        if row.startswith("== "):
            found.append(Labelled(*row[3:].split()))
        elif found and "|" in row:
            _line(found[-1], *re.split(r"\s?\|\s?", row, maxsplit=1))
    return found


def _line(meeting: Labelled, mark: str, words: str) -> None:
    """Add one line with its mark."""
    number = meeting.text.count("\n") + 1
    meeting.text += words + "\n"
    kind, _, rest = mark.strip().partition(" ")
    if kind == "D":
        meeting.decisions.add(number)
    elif kind == "Q":
        meeting.questions.add(number)
    elif kind == "T":
        what, who, until = (part.strip() for part in rest.split(";"))
        meeting.tasks[number] = (what, who, until)
    elif kind == "N":
        day, _, time = rest.partition(" ")
        meeting.next = (day, time)


@dataclass
class Counts:
    """Right, found and marked entries of one field."""

    right: int = 0
    found: int = 0
    marked: int = 0

    def add(self, found: Iterable[object], marked: Iterable[object]) -> None:
        """Count one meeting."""
        found, marked = set(found), set(marked)
        self.right += len(found & marked)
        self.found += len(found)
        self.marked += len(marked)

    @property
    def precision(self) -> float:
        """Share of what was found that is marked."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of what is marked that was found."""
        return self.right / self.marked if self.marked else 1.0


FIELDS = ("decision", "task", "what", "who", "until", "question", "next day", "next time")


def count(meeting: Labelled, answer: dict, totals: dict[str, Counts]) -> list[str]:  # type: ignore[type-arg]  # JSON
    """Add the answer of ``meeting_notes`` to the totals; answers what is wrong, for a person to read."""
    tasks = {one["line"]: (one["what"]["text"], one["who"], one["until"]) for one in answer["tasks"]}
    decisions = {one["line"] for one in answer["decisions"]}
    questions = {one["line"] for one in answer["questions"]}
    totals["decision"].add(decisions, meeting.decisions)
    totals["question"].add(questions, meeting.questions)
    totals["task"].add(tasks, meeting.tasks)
    for index, name in enumerate(("what", "who", "until")):
        given = [{(line, one[index]) for line, one in side.items() if one[index]} for side in (tasks, meeting.tasks)]
        totals[name].add(*given)
    after = answer["next_meeting"] or {"day": "", "time": ""}
    for index, key in enumerate(("day", "time")):
        totals[f"next {key}"].add({after[key]} - {""}, {meeting.next[index]} - {""})
    lines = meeting.text.split("\n")
    wrong = [("decision", line) for line in decisions ^ meeting.decisions]
    wrong += [("question", line) for line in questions ^ meeting.questions]
    wrong += [("task", line) for line in {*tasks, *meeting.tasks} if tasks.get(line) != meeting.tasks.get(line)]
    faults = [
        f"{meeting.language} {meeting.name} {kind}: {lines[line - 1]} -> {tasks.get(line)}" for kind, line in wrong
    ]
    if (after["day"], after["time"]) != meeting.next:
        faults.append(f"{meeting.language} {meeting.name} next: {after['day']} {after['time']} for {meeting.next}")
    return faults
