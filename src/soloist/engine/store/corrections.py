"""Corrections: what was given, what the operator wanted instead, and the exact input; it decides nothing.

``distance`` is a normalised edit distance in thousandths: 0 for the same text, 1000 for another or for none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import calls
from soloist.engine.store.tables import proposals, runs
from soloist.engine.store.tables_agents import corrections
from soloist.engine.store.tables_memory import context_memories, memories
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound

KINDS = ("edit", "reject", "undo", "own_answer", "route", "field", "memory")
STATES = ("kept", "dropped")
NOTED, DROPPED = "correction.noted", "correction.dropped"


@dataclass(frozen=True)
class NewCorrection:
    """A word of the operator against something that was given. ``object`` is what it is about (a proposal, a message,
    a record, an item of memory); ``wanted`` is {} when nothing was wanted, ``sort`` the kind of message."""

    kind: str
    object: str
    given: Mapping[str, Any]
    wanted: Mapping[str, Any]
    distance: int
    who: str
    run: str = ""
    agent: str = ""
    skill: str = ""
    sort: str = ""
    language: str = ""
    context: str = ""
    reason: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What else belongs to the input: {message, template, names}."""


def note(tx: Tx, new: NewCorrection) -> str:
    """Keep a correction with the calls of its run and what that was made with; returns its id."""
    made = calls.of_run(tx.conn, new.run) if new.run else []
    calls.pin(tx, made)
    run = tx.first(sa.select(runs.c.made_with, runs.c.flow).where(runs.c.id == new.run)) if new.run else None
    kept = [{name: row[name] for name in ("step", "n", "skill", "version", "input", "blob", "output")} for row in made]
    given = {"calls": kept, "made_with": (run or {}).get("made_with") or {}, **new.about}
    ident = tx.new_id()
    told = {"correction": ident, "kind": new.kind, "distance": new.distance, "agent": new.agent, "skill": new.skill}
    event = tx.append(NOTED, subject=new.object, payload=told, actor=new.who, run=new.run)
    names = ("kind", "object", "run", "agent", "skill", "sort", "language", "context", "reason", "distance", "who")
    row = {name: getattr(new, name) for name in names}
    row |= {"id": ident, "input": given, "given": dict(new.given), "wanted": dict(new.wanted)}
    tx.run(corrections.insert(), {**row, "state": "kept", "at": tx.now, "event": event.id})
    return ident


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One correction (NotFound)."""
    row = conn.execute(sa.select(corrections).where(corrections.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no correction {ident[:80]}.")
    return dict(row)


def drop(tx: Tx, ident: str, *, who: str) -> None:
    """A correction is no example any more: it was a slip, or no longer holds (NotFound)."""
    row = get(tx.conn, ident)
    if row["state"] == "dropped":
        return
    tx.append(DROPPED, subject=row["object"], payload={"correction": ident}, actor=who)
    tx.run(corrections.update().where(corrections.c.id == ident).values(state="dropped"))


def listed(
    conn: sa.Connection,
    *,
    kinds: Sequence[str] = (),
    skill: str = "",
    agent: str = "",
    since: str = "",
    before: str = "",
    dropped: bool = False,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Corrections, the newest first; ``before`` is the id of the last one seen, ``agent`` a name without version."""
    at = corrections.c
    query = sa.select(corrections)
    if not dropped:
        query = query.where(at.state == "kept")
    if kinds:
        query = query.where(at.kind.in_(list(kinds)))
    if skill:
        query = query.where(at.skill == skill)
    if agent:
        query = query.where((at.agent == agent) | at.agent.startswith(f"{agent}@", autoescape=True))
    if since:
        query = query.where(at.at >= since)
    if before:
        query = query.where(at.id < before)
    return [dict(row) for row in conn.execute(query.order_by(at.id.desc()).limit(limit)).mappings()]


def answered(conn: sa.Connection, ident: str) -> bool:
    """Whether the operator's own answer was kept for a proposal already."""
    at = corrections.c
    query = sa.select(at.id).where((at.object == ident) & (at.kind == "own_answer"))
    return conn.execute(query.limit(1)).first() is not None


def about(conn: sa.Connection, ident: str) -> bool:
    """Whether something was corrected."""
    at = corrections.c
    query = sa.select(at.id).where((at.object == ident) & (at.state == "kept"))
    return conn.execute(query.limit(1)).first() is not None


def counts(conn: sa.Connection) -> dict[str, int]:
    """How many kept corrections there are of each kind."""
    at = corrections.c
    query = sa.select(at.kind, sa.func.count()).where(at.state == "kept").group_by(at.kind)
    return {row[0]: int(row[1]) for row in conn.execute(query)}


def decided(conn: sa.Connection, operation: str, limit: int = 2000) -> list[dict[str, Any]]:
    """Drafts of agents that a person decided, the newest first, each with the distance of its last correction.

    {id, state, agent, evidence, updated, distance, kind}; ``distance`` is None for one that was approved as it was.
    """
    at, of = proposals.c, corrections.c
    last = sa.select(of.object, sa.func.max(of.id).label("id")).where(of.state == "kept").group_by(of.object).subquery()
    joined = sa.outerjoin(proposals, last, last.c.object == at.id)
    joined = sa.outerjoin(joined, corrections, of.id == last.c.id)
    query = sa.select(at.id, at.state, at.agent, at.evidence, at.updated, of.distance, of.kind).select_from(joined)
    ended = at.state.in_(["approved", "rejected", "withdrawn", "superseded"])
    mine = (at.operation == operation) & (at.agent != "") & ended
    query = query.where(mine, sa.or_(at.state == "approved", of.id.is_not(None)))
    return [dict(row) for row in conn.execute(query.order_by(at.updated.desc()).limit(limit)).mappings()]


DECIDED = ("approved", "rejected", "withdrawn", "superseded")
LOOKED, MUCH = 200, 100
"""Newest proposals of each of these states that memory is weighed by, and the thousandths from which an edit speaks
against it."""


def swayed(conn: sa.Connection, records: Sequence[str], threads: Sequence[str]) -> dict[int, tuple[int, int]]:
    """Items of memory of some records or threads, by row number: in how many approved proposals each was used, and in
    how many overridden ones.

    Nothing of it is kept: a correction that was dropped, undone by an erasure or forgotten weighs no more.
    """
    at, of, used = proposals.c, corrections.c, context_memories.c
    drafts = sa.select(at.id, at.context, at.state).where((at.context != "") & (at.agent != ""))
    each = [drafts.where(at.state == state).order_by(at.created.desc(), at.id.desc()) for state in DECIDED]
    some = sa.union_all(*(sa.select(one.limit(LOOKED).subquery()) for one in each)).subquery()
    held = (of.state == "kept") & of.kind.in_(["edit", "own_answer", "reject", "undo"])
    joined = some.join(context_memories, used.context == some.c.context).join(memories, memories.c.n == used.n)
    joined = joined.outerjoin(corrections, (of.object == some.c.id) & held)
    query = sa.select(used.n, some.c.id, some.c.state, sa.func.max(of.distance)).select_from(joined)
    query = query.where(memories.c.record.in_(list(records)) | memories.c.thread.in_(list(threads)))
    found: dict[int, tuple[int, int]] = {}
    for n, _, state, far in conn.execute(query.group_by(used.n, some.c.id, some.c.state)):
        up, down = found.get(int(n), (0, 0))
        against = far is not None and int(far) >= MUCH
        found[int(n)] = (up + (state == "approved" and not against), down + against)
    return found
