"""The board of failures: what does not work, with inputs, trace and what can be done; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import failures, reading, tasks
from soloist.engine.store.reading import Connection

SHOWN = 100
CLOSED = 20


@dataclass(frozen=True)
class Case:
    """One thing that failed: its run, its exact input, when, and when it is tried again ("" when it is not)."""

    run: str
    input: str
    at: str
    next: str = ""


@dataclass(frozen=True)
class FailureLine:
    """One failure; ``options`` are {name, label, consequence}, none when it is over. ``href`` leads to more."""

    id: str
    title: str
    why: str
    done: str
    state: str
    times: int
    first: str
    last: str
    where: str = ""
    trace: str = ""
    cases: tuple[Case, ...] = ()
    options: tuple[Mapping[str, str], ...] = ()
    card: str = ""
    href: str = ""


@dataclass(frozen=True)
class Board:
    """``aside`` needs a person, ``trying`` is tried by itself, ``effects`` was refused outside, ``over`` is over."""

    aside: tuple[FailureLine, ...] = ()
    trying: tuple[FailureLine, ...] = ()
    others: tuple[FailureLine, ...] = ()
    over: tuple[FailureLine, ...] = ()
    held: tuple[str, ...] = ()


def board(conn: Connection) -> Board:
    """What there is now."""
    now = [_line(conn, row) for row in failures.listed(conn, ["open", "quarantined"], limit=SHOWN)]
    over = tuple(_line(conn, row) for row in failures.listed(conn, ["closed"], limit=CLOSED))
    trying = tuple(line for line in now if any(case.next for case in line.cases))
    aside = tuple(line for line in now if line not in trying)
    return Board(aside, trying, tuple(_other(card) for card in _cards(conn)), over, tuple(failures.held(conn)))


def card_of(conn: Connection, ident: str) -> str:
    """The id of the open card of a failure, "" when it is over."""
    card = tasks.open_for(conn, ident)
    return card["id"] if card else ""


def rows(conn: Connection, state: str = "") -> list[dict[str, Any]]:
    """Failures as the API gives them, the newest first; the open ones for ""."""
    states = [state] if state else ["open", "quarantined"]
    names = ("id", "kind", "state", "title", "why", "where", "input", "trace", "done", "options", "times")
    return [
        {**{name: row[name] for name in names}, "first_seen": row["first_seen"], "last_seen": row["last_seen"]}
        | {"runs": [case["run"] for case in row["runs"] or []]}
        for row in failures.listed(conn, states, limit=SHOWN)
    ]


def _line(conn: Connection, row: Mapping[str, Any]) -> FailureLine:
    cases = tuple(Case(c["run"], c["input"], c["at"], c["next"]) for c in reversed(row["runs"] or []))
    card = tasks.open_for(conn, row["id"])
    return FailureLine(
        row["id"],
        row["title"],
        row["why"],
        row["done"],
        row["state"],
        row["times"],
        row["first_seen"],
        row["last_seen"],
        where=row["where"],
        trace=row["trace"],
        cases=cases,
        options=tuple(row["options"] or ()) if card else (),
        card=card["id"] if card else "",
    )


def _cards(conn: Connection) -> list[dict[str, Any]]:
    """Open failure cards about something else than a failure row: a refused effect, a mailbox, a bounce."""
    return reading.open_of_type(conn, "failure", SHOWN, but="failure")


def _other(card: Mapping[str, Any]) -> FailureLine:
    return FailureLine(
        card["id"],
        card["title"],
        card["why"],
        "",
        "open",
        1,
        card["created"],
        card["updated"],
        card=card["id"],
        href=f"/?card={card['id']}",
    )
