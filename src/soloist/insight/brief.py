"""Brief: what a terminal shows of the inbox and of the state of the house; renders nothing and decides nothing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from soloist.engine.store import effects, journal, proposals, runs, settings, tasks
from soloist.engine.store import records as record_rows
from soloist.engine.store.tables import effects as effect_rows
from soloist.engine.store.tables import events, tasks as task_rows
from soloist.kernel.errors import BadInput, NotFound


def open_cards(conn: sa.Connection, limit: int = 200) -> list[dict[str, Any]]:
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


def card(conn: sa.Connection, ident: str) -> dict[str, Any]:
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


def _card_id(conn: sa.Connection, ident: str) -> str:
    """The full id of a card (NotFound, BadInput when several begin like this)."""
    if len(ident) < 4:
        raise BadInput("ID: give at least four characters of it.", field="id")
    about = (task_rows.c.subject == ident) & (task_rows.c.state == "open")
    pattern = ident.replace("%", "").replace("_", "") + "%"
    found = conn.execute(sa.select(task_rows.c.id).where(about | task_rows.c.id.like(pattern)).limit(3)).scalars().all()
    if not found:
        raise NotFound(f"There is no card {ident}. List them with: soloist inbox")
    if len(found) > 1 and ident not in found:
        raise BadInput(f"Several cards begin with {ident}; give more of the id.", field="id")
    return ident if ident in found else str(found[0])


def state_of_house(conn: sa.Connection) -> dict[str, Any]:
    """Counts and marks for ``soloist status``: cards, effects by state, the stop button, the newest event."""
    counted = sa.select(effect_rows.c.state, sa.func.count()).group_by(effect_rows.c.state)
    states = {state: count for state, count in conn.execute(counted).all()}
    open_query = sa.select(sa.func.count()).where((task_rows.c.state == "open") & (task_rows.c.waits_for == "operator"))
    newest = conn.execute(sa.select(events.c.at).order_by(events.c.seq.desc()).limit(1)).scalar()
    return {
        "cards_open": int(conn.execute(open_query).scalar() or 0),
        "effects": states,
        "unknown": states.get("unknown", 0) + states.get("reconciling", 0),
        "needs_human": states.get("needs_human", 0),
        "stopped_since": settings.value(conn, settings.STOP),
        "events": journal.head(conn),
        "newest_event": newest or "",
        "runs_failed": len(runs.listed(conn, before=None, limit=100, state="failed")),
    }


def newest_runs(conn: sa.Connection, limit: int) -> list[dict[str, Any]]:
    """Runs, newest first."""
    return runs.listed(conn, before=None, limit=limit)


def run(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One run with its steps."""
    return {**runs.get(conn, ident), "steps": runs.steps_of(conn, ident)}


def records(conn: sa.Connection, kind: str, limit: int) -> list[Any]:
    """Records of a kind, newest change first; without a kind, the kinds there are."""
    return record_rows.listed(conn, kind, before=None, limit=limit) if kind else record_rows.kinds(conn)
