"""Brief: what a terminal shows of the inbox and of the state of the house; renders nothing and decides nothing."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import effects, events, journal, proposals, runs, settings, tasks, workers
from soloist.engine.store import records as record_rows
from soloist.engine.store.base import Connection, is_sqlite
from soloist.kernel.errors import BadInput, NotFound


def open_cards(conn: Connection, limit: int = 200) -> list[dict[str, Any]]:
    """Open cards, oldest first: id, type, title, why, deadline and the subject they are about."""
    names = (
        "id",
        "type",
        "title",
        "why",
        "deadline",
        "at_expiry",
        "subject",
        "subject_kind",
        "snoozed_until",
        "created",
    )
    return [{name: row[name] for name in names} for row in tasks.cards(conn, "open", limit=limit)]


def card(conn: Connection, ident: str) -> dict[str, Any]:
    """One card by its id, a unique beginning of it, or the id of what it is about; with its content in full.

    ``content`` is the payload, ``payload_hash`` what a decision on it is bound to ("" where there is nothing to bind).
    """
    row = tasks.get(conn, _card_id(conn, ident))
    content: Any = row["detail"] or {}
    digest = ""
    if row["subject_kind"] == "proposal":
        proposal = proposals.get(conn, row["subject"])
        content, digest = proposal["payload"], proposal["payload_hash"]
    elif row["subject_kind"] == "effect":
        effect = effects.get(conn, row["subject"])
        content, digest = proposals.get(conn, effect["proposal"])["payload"], effect["payload_hash"]
    return {**row, "content": content, "payload_hash": digest}


def _card_id(conn: Connection, ident: str) -> str:
    """The full id of a card (NotFound, BadInput when several begin like this)."""
    if len(ident) < 4:
        raise BadInput("ID: give at least four characters of it.", field="id")
    found = tasks.beginning(conn, ident)
    if not found:
        raise NotFound(f"There is no card {ident}. List them with: soloist inbox")
    if len(found) > 1 and ident not in found:
        raise BadInput(f"Several cards begin with {ident}; give more of the id.", field="id")
    return ident if ident in found else str(found[0])


def state_of_house(conn: Connection) -> dict[str, Any]:
    """Counts and marks for ``soloist status``: cards, effects by state, the stop button, the newest event."""
    states = effects.count_by_state(conn)
    return {
        "cards_open": len(tasks.cards(conn, "open", limit=1000)),
        "effects": states,
        "unknown": states.get("unknown", 0) + states.get("reconciling", 0),
        "needs_human": states.get("needs_human", 0),
        "stopped_since": settings.value(conn, settings.STOP),
        "events": journal.head(conn),
        "newest_event": events.newest(conn),
        "runs_failed": len(runs.listed(conn, before=None, limit=100, state="failed")),
    }


def processes(conn: Connection, held: bool) -> list[dict[str, Any]]:
    """Processes of this home, newest first: kind, host, pid, started, seen and their state.

    "running", "ended", or "gone" for one that died and was not taken over yet. ``held`` says whether somebody holds
    the lock of the home, which on SQLite is all there is to know.
    """
    gone = {row["boot"] for row in workers.unheld(conn)}
    alone = is_sqlite(conn.dialect.name)
    return [{**row, "state": _process_state(row, gone, alone and not held)} for row in workers.newest(conn)]


def _process_state(row: dict[str, Any], gone: set[str], nobody: bool) -> str:
    if row["ended"]:
        return "ended"
    return "gone" if nobody or row["boot"] in gone else "running"


def process_line(row: dict[str, Any]) -> str:
    """One process in a line."""
    since, seen = row["started"][:16].replace("T", " "), row["seen"][:19].replace("T", " ")
    return f"{row['kind']} {row['state']}, process {row['pid']} on {row['host']}, since {since}, last seen {seen} (UTC)"


def newest_runs(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """Runs, newest first."""
    return runs.listed(conn, before=None, limit=limit)


def run(conn: Connection, ident: str) -> dict[str, Any]:
    """One run with its steps."""
    return {**runs.get(conn, ident), "steps": runs.steps_of(conn, ident)}


def records(conn: Connection, kind: str, limit: int) -> list[Any]:
    """Records of a kind, newest change first; without a kind, the kinds there are."""
    return record_rows.listed(conn, kind, before=None, limit=limit) if kind else record_rows.kinds(conn)
