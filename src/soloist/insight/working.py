"""Working: the page of working sessions, of which way of working led where, and of what choosing from memory saves."""

from __future__ import annotations

from dataclasses import dataclass

from soloist.engine.store import outcomes, records, sessions
from soloist.engine.store.reading import Connection
from soloist.insight import practice, remembered
from soloist.kernel.errors import NotFound

MOST = 30


@dataclass(frozen=True)
class Work:
    """One working session with whom it is about."""

    line: remembered.SessionLine
    about: str = ""
    href: str = ""


@dataclass(frozen=True)
class Result:
    """One measured result with what it is the result of."""

    text: str
    at: str
    href: str
    source: str


@dataclass(frozen=True)
class WorkPage:
    """Open sessions, those that have ended, ways of working, newest results, and the cost of using memory."""

    open: tuple[Work, ...]
    ended: tuple[Work, ...]
    ways: tuple[practice.Way, ...]
    results: tuple[Result, ...]
    cost: remembered.Cost


def page(conn: Connection) -> WorkPage:
    """The page as it is now."""
    every = [_work(conn, row) for row in sessions.listed(conn, limit=MOST)]
    return WorkPage(
        open=tuple(work for work in every if work.line.state == sessions.OPEN),
        ended=tuple(work for work in every if work.line.state != sessions.OPEN),
        ways=tuple(practice.ways(conn)[:MOST]),
        results=tuple(_result(row) for row in outcomes.listed(conn, limit=10)),
        cost=remembered.cost(conn),
    )


def _work(conn: Connection, row: dict[str, str]) -> Work:
    about = href = ""
    if row["scope"]:
        try:
            about, href = records.get(conn, row["scope"])["title"], f"/memory/about/{row['scope']}"
        except NotFound:
            about = "somebody who was erased"
    return Work(remembered.session_line(row), about, href)


def _result(row: dict[str, str]) -> Result:
    figure = " ".join(part for part in (row["value"], row["unit"] if row["value"] else "") if part)
    text = f"{row['metric'].replace('_', ' ').capitalize()}{f': {figure}' if figure else ''}"
    of_record = row["kind"] in ("offer", "invoice", "project", "publication", "lead")
    href = f"/records/-/{row['object']}" if of_record else f"/why/{row['object']}"
    return Result(text, row["at"], href, row["source"].removeprefix("outside:"))
