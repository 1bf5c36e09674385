"""Releases: which version of an agent is in use and whether it may work; the journal is its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import proposals, runs
from soloist.engine.store.tables_agents import published, releases
from soloist.engine.store.tables_out import autonomy
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound

STATES = ("active", "paused")
"""What the operator switches; a third, "at_cap", is written by the caps (engine/store/caps.py), and ends with them."""
PIECES = "pieces"
"""Where a run names the work that other agents did within it: {agent: {n, micro, tokens}}."""
NEWEST = 5000
"""Newest runs that are looked through, so that the pages cost the same in a home of ten years."""


def find(conn: sa.Connection, kind: str, name: str) -> dict[str, Any] | None:
    """The release of one name, None when nothing of it was ever released."""
    key = (releases.c.kind == kind) & (releases.c.name == name)
    row = conn.execute(sa.select(releases).where(key)).mappings().first()
    return dict(row) if row is not None else None


def get(conn: sa.Connection, kind: str, name: str) -> dict[str, Any]:
    """The release of one name (NotFound)."""
    row = find(conn, kind, name)
    if row is None:
        raise NotFound(f"There is no {kind} called {name[:80]!r}.")
    return row


def all_of(conn: sa.Connection, kind: str) -> list[dict[str, Any]]:
    """Every release of a kind in the order of the names."""
    query = sa.select(releases).where(releases.c.kind == kind).order_by(releases.c.name)
    return [dict(row) for row in conn.execute(query).mappings()]


def in_use(conn: sa.Connection, kind: str) -> list[dict[str, Any]]:
    """Every release with the content of its version: {name, version, state, state_why, pinned, hash, content}."""
    at, of = releases.c, published.c
    same = (of.kind == at.kind) & (of.name == at.name) & (of.version == at.version)
    shape = (at.name, at.version, at.state, at.state_why, at.pinned, of.hash, of.content, of.source)
    query = sa.select(*shape).join_from(releases, published, same).where(at.kind == kind).order_by(at.name, of.at)
    return [dict(row) for row in conn.execute(query).mappings()]


def mark(conn: sa.Connection, kind: str) -> tuple[str, int]:
    """What changes whenever a release of the kind does: the newest event, and how many there are."""
    query = sa.select(sa.func.max(releases.c.event), sa.func.count()).where(releases.c.kind == kind)
    newest, count = conn.execute(query).one()
    return str(newest or ""), int(count)


def use(tx: Tx, kind: str, name: str, version: str, *, who: str, why: str, pinned: bool | None = None) -> None:
    """Put a published version in use; ``pinned`` keeps upgrades from moving it, None leaves that as it is.

    NotFound unless it was published. The same version again only changes the pin.
    """
    key = (published.c.kind == kind) & (published.c.name == name) & (published.c.version == version)
    if tx.first(sa.select(published.c.id).where(key)) is None:
        raise NotFound(f"There is no version {version[:40]!r} of the {kind} {name[:80]!r} to use.")
    old = find(tx.conn, kind, name)
    before = "" if old is None else old["before"] if old["version"] == version else old["version"]
    keep = bool(old and old["pinned"]) if pinned is None else pinned
    said = {"version": version, "before": old["version"] if old else "", "pinned": keep, "why": why}
    event = tx.append(f"{kind}.released", subject=name, payload=said, actor=who)
    row = {"version": version, "before": before, "pinned": int(keep), "who": who, "why": why}
    row |= {"at": tx.now, "event": event.id}
    if old is None:
        tx.run(releases.insert(), {"kind": kind, "name": name, "state": "active", "state_why": "", **row})
    else:
        tx.run(releases.update().where((releases.c.kind == kind) & (releases.c.name == name)).values(**row))


def switch(tx: Tx, kind: str, name: str, state: str, *, who: str, why: str = "") -> dict[str, Any]:
    """Let one work or not (``STATES``), with its event; returns the row (NotFound; Conflict for an unknown state).

    The same state again changes nothing and leaves no event.
    """
    if state not in STATES:
        raise Conflict(f"{state!r} is no state of an agent; there are {', '.join(STATES)}.")
    old = get(tx.conn, kind, name)
    if (old["state"] or "active") == state:
        return old
    if old["state"] == "at_cap":
        told = f"{name} has reached a cap: {old['state_why']}"
        raise Conflict(f"{told} Extend the cap, or wait until its period is over.")
    event = tx.append(f"{kind}.{state}", subject=name, payload={"before": old["state"], "why": why}, actor=who)
    key = (releases.c.kind == kind) & (releases.c.name == name)
    tx.run(releases.update().where(key).values(state=state, state_why=why, event=event.id))
    return get(tx.conn, kind, name)


def state_of(conn: sa.Connection, kind: str, name: str) -> tuple[str, str]:
    """The state of one name and why; what was never released works."""
    row = find(conn, kind, name)
    return (row["state"] or "active", row["state_why"]) if row else ("active", "")


def made_with(tx: Tx, run: str, facts: Mapping[str, Any]) -> None:
    """Note at a run what it is made with; further facts are added, and lists of versions joined."""
    old = tx.first(sa.select(runs.c.made_with).where(runs.c.id == run))
    if old is None:
        return
    found = dict(old["made_with"] or {})
    for key, value in facts.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = {**found[key], **value} if both else value
    values: dict[str, Any] = {"made_with": found}
    if facts.get("agent"):
        values["agent"] = facts["agent"]
    tx.run(runs.update().where(runs.c.id == run).values(**values))


def runs_of(conn: sa.Connection, agent: str, limit: int = 20) -> list[dict[str, Any]]:
    """The newest runs of an agent in any version: {id, flow, state, agent, started, ended, cost_micro, tokens}."""
    at = runs.c
    shape = (at.id, at.flow, at.state, at.agent, at.started, at.ended, at.cost_micro, at.tokens, at.error)
    newest = sa.select(*shape).order_by(at.started.desc(), at.id.desc()).limit(NEWEST).subquery()
    query = sa.select(newest).where(newest.c.agent.startswith(f"{agent}@", autoescape=True))
    rows = conn.execute(query.order_by(newest.c.started.desc(), newest.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows]


def figures(conn: sa.Connection) -> dict[str, dict[str, Any]]:
    """Of the newest runs by the agent's name: {runs, failed, cost_micro, tokens, last}."""
    at = runs.c
    shape = (at.agent, at.state, at.cost_micro, at.tokens, at.started)
    newest = sa.select(*shape).order_by(at.started.desc(), at.id.desc()).limit(NEWEST).subquery().c
    query = sa.select(
        newest.agent,
        sa.func.count(),
        sa.func.sum(sa.case((newest.state == "failed", 1), else_=0)),
        sa.func.sum(newest.cost_micro),
        sa.func.sum(newest.tokens),
        sa.func.max(newest.started),
    )
    found: dict[str, dict[str, Any]] = {}
    for label, count, failed, cost, tokens, last in conn.execute(
        query.where(newest.agent != "").group_by(newest.agent)
    ):
        row = found.setdefault(
            label.partition("@")[0], {"runs": 0, "failed": 0, "cost_micro": 0, "tokens": 0, "last": ""}
        )
        row["runs"] += int(count)
        row["failed"] += int(failed or 0)
        row["cost_micro"] += int(cost or 0)
        row["tokens"] += int(tokens or 0)
        row["last"] = max(row["last"], last)
    return found


def pieces(conn: sa.Connection) -> dict[str, dict[str, Any]]:
    """Work done within runs of another agent, by who did it: {pieces, cost_micro, tokens, last, decided, edited}.

    Of the newest runs; ``decided`` are what came of those runs and was approved, ``edited`` those changed before.
    """
    at, of = runs.c, proposals.c
    newest = sa.select(at.id, at.started, at.made_with).order_by(at.started.desc(), at.id.desc()).limit(NEWEST)
    rows = conn.execute(sa.select(newest.subquery())).mappings()
    within = {row["id"]: row for row in rows if (row["made_with"] or {}).get(PIECES)}
    approved = sa.select(of.run, of.version).where(of.state == "approved").order_by(of.created.desc()).limit(NEWEST)
    said: dict[str, list[int]] = {}
    for run, version in conn.execute(approved):
        said.setdefault(run, []).append(version)
    found: dict[str, dict[str, Any]] = {}
    for ident, row in within.items():
        versions = said.get(ident, [])
        for name, one in row["made_with"][PIECES].items():
            sums = found.setdefault(name, dict.fromkeys(("pieces", "cost_micro", "tokens", "decided", "edited"), 0))
            more = (one["n"], one["micro"], one["tokens"], len(versions), sum(version > 1 for version in versions))
            for key, value in zip(("pieces", "cost_micro", "tokens", "decided", "edited"), more, strict=True):
                sums[key] += value
            sums["last"] = max(sums.get("last", ""), row["started"])
    return found


def edited(conn: sa.Connection) -> dict[str, tuple[int, int]]:
    """By the agent's name: how many of its proposals a person decided, and how many of these they edited first."""
    at = autonomy.c
    query = sa.select(at.agent, sa.func.sum(at.decided), sa.func.sum(at.edited)).group_by(at.agent)
    found: dict[str, tuple[int, int]] = {}
    for label, decided, changed in conn.execute(query):
        name = label.partition("@")[0]
        before = found.get(name, (0, 0))
        found[name] = (before[0] + int(decided or 0), before[1] + int(changed or 0))
    return found
