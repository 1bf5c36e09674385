"""What the HTTP API reads: rows of one noun and what hangs on it, as JSON values; it words and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.stopping import Halt, standing
from soloist.engine.store import effects, events, proposals, reading, runs, tasks
from soloist.engine.store.reading import Connection

Row = dict[str, Any]
Key = tuple[str, str]
"""Instant and id of the last row a caller has seen."""

DECIDED_ON_BYTES = frozenset({"proposal", "change", "unknown_outcome"})
"""Types of cards whose decision names the payload hash that was looked at."""


def event_rows(conn: Connection, after: int, limit: int) -> list[Row]:
    """Events after a sequence number, oldest first."""
    return events.after(conn, after, limit)


def run_rows(conn: Connection, after: Key | None, limit: int, state: str) -> list[Row]:
    """Runs, newest first."""
    return runs.listed(conn, before=after, limit=limit, state=state)


def run(conn: Connection, ident: str) -> Row:
    """One run with its steps (NotFound)."""
    return {**runs.get(conn, ident), "steps": runs.steps_of(conn, ident)}


def card_rows(conn: Connection, after: Key, limit: int, state: str) -> list[Row]:
    """Cards in a state, oldest first, each with the hash a decision has to name."""
    return _with_hashes(conn, tasks.cards(conn, state, after=after, limit=limit))


def card(conn: Connection, ident: str) -> Row:
    """One card (NotFound)."""
    return _with_hashes(conn, [tasks.get(conn, ident)])[0]


def _with_hashes(conn: Connection, cards: Sequence[Row]) -> list[Row]:
    """Cards with the payload hash of the proposal or effect that they are about, "" for other cards."""
    subjects = [row["subject"] for row in cards if row["type"] in DECIDED_ON_BYTES]
    about = {**reading.named(conn, "effects", subjects), **reading.named(conn, "proposals", subjects)}
    return [{**row, "payload_hash": about.get(row["subject"], {}).get("payload_hash", "")} for row in cards]


def proposal_rows(conn: Connection, after: Key, limit: int, state: str) -> list[Row]:
    """Proposals (in a state, or all for ""), oldest first."""
    return proposals.listed(conn, state, after=after, limit=limit)


def proposal(conn: Connection, ident: str) -> Row:
    """One proposal with its versions, verdicts, approvals and effects (NotFound)."""
    return {
        **proposals.get(conn, ident),
        "versions": proposals.versions(conn, ident),
        "verdicts": proposals.verdicts_of(conn, ident),
        "approvals": proposals.approvals_of(conn, ident),
        "effects": effects.of_proposal(conn, ident),
    }


def effect_rows(conn: Connection, after: int, limit: int) -> list[tuple[int, Row]]:
    """Effects after a place in the order they were intended, each with its place."""
    return [(int(row["ordinal"]), row) for row in effects.listed(conn, after=after, limit=limit)]


def effect(conn: Connection, ident: str) -> Row:
    """One effect with every attempt (NotFound)."""
    return {**effects.get(conn, ident), "attempt_log": effects.attempts_of(conn, ident)}


def stop_state(conn: Connection, halt: Halt) -> Row:
    """Whether everything outbound is halted, since when ("" while it is not), and each thing that halts it."""
    found = standing(conn, halt)
    by = [{"way": one.way, "since": one.since, "by": one.by} for one in found]
    return {"stopped": bool(found), "since": found[0].since if found else "", "by": by}


def stories(conn: Connection, subjects: Sequence[str]) -> list[Row]:
    """The journal's events about some objects, in the order they happened, at most 200 for each."""
    found = [row for subject in subjects if subject for row in events.after(conn, 0, 200, subject=subject)]
    return sorted(found, key=lambda row: int(row["seq"]))


def row_of(conn: Connection, noun: str, ident: str) -> Mapping[str, Any] | None:
    """One row of a table by id, or None."""
    return reading.named(conn, noun, [ident]).get(ident) if ident else None
