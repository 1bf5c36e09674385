"""Proposals with their versions, verdicts and approvals; each move along the declared life, each with its event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import approvals, proposal_versions, proposals, verdicts
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound
from soloist.kernel.lives import PROPOSAL


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One proposal (NotFound)."""
    row = conn.execute(sa.select(proposals).where(proposals.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no proposal {ident}.")
    return dict(row)


def find(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """One proposal or None."""
    row = conn.execute(sa.select(proposals).where(proposals.c.id == ident)).mappings().first()
    return dict(row) if row else None


def insert(tx: Tx, row: Mapping[str, Any], *, actor: str) -> None:
    """Store a new waiting proposal with version 1 of its payload and its event."""
    values = {**row, "state": PROPOSAL.start, "version": 1, "created": tx.now, "updated": tx.now}
    tx.run(proposals.insert(), values)
    _version(tx, row["id"], 1, row["payload"], digest=row["payload_hash"], actor=actor)
    payload = {k: row[k] for k in ("connector", "operation", "payload_hash", "reason")}
    tx.append("proposal.made", subject=row["id"], payload=payload, actor=actor, run=row.get("run", ""))


def _version(tx: Tx, ident: str, version: int, payload: Any, *, digest: str, actor: str) -> None:
    """Keep the payload of one version."""
    row = {"proposal": ident, "version": version, "payload": payload, "payload_hash": digest, "actor": actor}
    tx.run(proposal_versions.insert(), {**row, "at": tx.now})


def edit(tx: Tx, proposal: Mapping[str, Any], payload: Any, digest: str, *, actor: str, **figures: Any) -> None:
    """Make an edited payload the current version; ``figures`` are columns that follow from it."""
    number = proposal["version"] + 1
    key = (proposals.c.id == proposal["id"]) & (proposals.c.version == proposal["version"])
    values = {"payload": payload, "payload_hash": digest, "version": number, "updated": tx.now, **figures}
    if tx.run(proposals.update().where(key).values(**values)).rowcount != 1:
        raise Conflict("Someone else edited this proposal at the same moment; nothing was changed.")
    _version(tx, proposal["id"], number, payload, digest=digest, actor=actor)
    change = {"version": number, "from": proposal["payload_hash"], "to": digest}
    tx.append("proposal.edited", subject=proposal["id"], payload=change, actor=actor)


def move(tx: Tx, ident: str, state: str, *, actor: str, why: str = "", **values: Any) -> None:
    """Change the state of a proposal (Conflict for an undeclared move)."""
    old = get(tx.conn, ident)
    PROPOSAL.check(old["state"], state)
    key = (proposals.c.id == ident) & (proposals.c.state == old["state"])
    if tx.run(proposals.update().where(key).values(state=state, updated=tx.now, **values)).rowcount != 1:
        raise Conflict("Someone else decided this proposal at the same moment.")
    payload = {"why": why, "payload_hash": old["payload_hash"]}
    tx.append(f"proposal.{state}", subject=ident, payload=payload, actor=actor)


def versions(conn: sa.Connection, ident: str) -> list[dict[str, Any]]:
    """Every version of the payload, oldest first."""
    query = sa.select(proposal_versions).where(proposal_versions.c.proposal == ident)
    return [dict(row) for row in conn.execute(query.order_by(proposal_versions.c.version)).mappings()]


def add_verdict(tx: Tx, proposal: str, digest: str, verdict: Mapping[str, Any], when: str) -> None:
    """Keep what policy answered; ``when`` is "proposed", "edited" or "attempting"."""
    row = {"id": tx.new_id(), "proposal": proposal, "payload_hash": digest, "when": when, "at": tx.now}
    names = ("answer", "rule", "reason", "policy_version", "mode", "grant", "gates", "trace")
    tx.run(verdicts.insert(), {**row, **{name: verdict[name] for name in names if name in verdict}})


def verdicts_of(conn: sa.Connection, proposal: str) -> list[dict[str, Any]]:
    """Every verdict on a proposal, oldest first."""
    query = sa.select(verdicts).where(verdicts.c.proposal == proposal).order_by(verdicts.c.at, verdicts.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def add_approval(tx: Tx, row: Mapping[str, Any]) -> str:
    """Keep a decision; returns its id."""
    ident = tx.new_id()
    tx.run(approvals.insert(), {**row, "id": ident, "at": tx.now})
    return ident


def approvals_of(conn: sa.Connection, proposal: str) -> list[dict[str, Any]]:
    """Every decision on a proposal, oldest first."""
    query = sa.select(approvals).where(approvals.c.proposal == proposal).order_by(approvals.c.at, approvals.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def listed(conn: sa.Connection, state: str, *, after: tuple[str, str], limit: int) -> list[dict[str, Any]]:
    """Proposals (in a state, or all for ""), oldest first, after the (created, id) of the last one seen."""
    query = sa.select(proposals)
    if state:
        query = query.where(proposals.c.state == state)
    query = query.where(sa.tuple_(proposals.c.created, proposals.c.id) > sa.tuple_(*map(sa.literal, after)))
    rows = conn.execute(query.order_by(proposals.c.created, proposals.c.id).limit(limit)).mappings()
    return [dict(row) for row in rows]


def newest(conn: sa.Connection, operation: str, limit: int) -> list[dict[str, Any]]:
    """The newest proposals of an operation that an agent made, newest first."""
    query = sa.select(proposals).where(proposals.c.operation == operation, proposals.c.agent != "")
    rows = conn.execute(query.order_by(proposals.c.created.desc(), proposals.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows]


def waiting_on(conn: sa.Connection, conversation: str) -> list[dict[str, Any]]:
    """Waiting proposals of a conversation."""
    return on_conversation(conn, conversation, "waiting")


def on_conversation(conn: sa.Connection, conversation: str, state: str) -> list[dict[str, Any]]:
    """Proposals of a conversation in one state, oldest first; none for ""."""
    if not conversation:
        return []
    key = (proposals.c.conversation == conversation) & (proposals.c.state == state)
    query = sa.select(proposals).where(key).order_by(proposals.c.created, proposals.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def made_in(conn: sa.Connection, run: str) -> int:
    """How many outside proposals a run has made; changes of records are not among them."""
    mine = (proposals.c.run == run) & (proposals.c.noun == "effect")
    return int(conn.execute(sa.select(sa.func.count()).where(mine)).scalar() or 0)
