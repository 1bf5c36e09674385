"""Knowing: statements, outcomes and working sessions as the API lists them; it reads instants and writes nothing."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from typing import Any

from soloist.engine.store import asof, contexts, facts, outcomes, sessions
from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.reading import Connection
from soloist.insight import practice, remembered
from soloist.kernel.errors import BadInput

Row = dict[str, Any]
Key = tuple[str, str]
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def instant(text: str, field: str, *, end: bool = False) -> str:
    """A day as it is (``end``: its last moment), an instant in UTC (BadInput names the field)."""
    try:
        if _DAY.match(text):
            from_iso(text)
            return f"{text}T23:59:59.999999Z" if end else text
        return asof.utc(text) if text else ""
    except (ValueError, OverflowError):
        said = f"{field}: {text[:40]!r} is no day (2026-11-21) and no instant (2026-11-21T09:00:00Z)."
        raise BadInput(said, field=field) from None


def now(moment: datetime) -> str:
    """The present as facts carry it."""
    return iso(moment)


def there(conn: Connection, ident: str) -> bool:
    """Whether something that can have a result has this id: a proposal, record, effect or item."""
    return bool(ident) and contexts.known_object(conn, ident)


def fact_row(row: Row) -> Row:
    """One statement with what can be done with it."""
    return {**row, "said": remembered.said(row["value"]), "affordances": list(remembered.fact_affordances(row))}


def fact(conn: Connection, ident: str) -> Row:
    """One statement, ended or not (NotFound)."""
    return fact_row(facts.get(conn, ident))


def fact_rows(conn: Connection, asked: dict[str, str], after: str, limit: int) -> list[Row]:
    """Statements by record, attribute and state, as known at ``as_of``, true at ``true_at`` (BadInput)."""
    found = facts.listed(
        conn,
        record=asked.get("record", ""),
        attribute=asked.get("attribute", ""),
        state=asked.get("state", ""),
        seq=asof.sequence(conn, asked["as_of"]) if asked.get("as_of") else 0,
        at=instant(asked.get("true_at", ""), "true_at", end=True),
        after=after,
        limit=limit,
    )
    then = {"ended": "", "ended_why": "", "superseded_by": ""} if asked.get("as_of") else {}
    return [{**fact_row(row), **then} for row in found]


def outcome_rows(conn: Connection, object_: str, metric: str, after: Key | None, limit: int) -> list[Row]:
    """Outcomes, newest first."""
    return outcomes.listed(conn, object_=object_, metric=metric, before=after, limit=limit)


def practice_rows(conn: Connection, *, since: str = "", agent: str = "", case: str = "") -> list[Row]:
    """Ways of working with their figures, the most used first (BadInput)."""
    found = practice.ways(conn, since=instant(since, "since"), agent=agent, case=case)
    return [{**asdict(way), "told": way.told} for way in found]


def session_rows(conn: Connection, state: str, after: Key | None, limit: int) -> list[Row]:
    """Working sessions, newest first."""
    return sessions.listed(conn, state, before=after, limit=limit)


def session(conn: Connection, ident: str) -> Row:
    """One working session (NotFound)."""
    return sessions.get(conn, ident)


def about(conn: Connection, record: str) -> Row:
    """Everything remembered about a record (NotFound)."""
    return asdict(remembered.about(conn, record))


def tiers(conn: Connection) -> list[Row]:
    """How much is kept in each tier and kind, and what choosing from it saves."""
    return [asdict(line) for line in remembered.tiers(conn)]


def cost(conn: Connection) -> Row:
    """Tokens given to runs beside those of the entire history."""
    return asdict(remembered.cost(conn))


def affordances(conn: Connection, ident: str) -> Row | None:
    """What can be done with an item, None when there is none of this id."""
    row = contexts.items(conn, [ident]).get(ident)
    return None if row is None else {"id": ident, "can": list(remembered.affordances(row))}
