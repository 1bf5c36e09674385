"""Grants: leave to act alone, for a time; each move along the declared life, each with its event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.tables import proposals, verdicts
from soloist.engine.store.tables_out import grants
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, Conflict, NotFound
from soloist.kernel.lives import GRANT

LONGEST = timedelta(days=366)
"""No grant lives longer; the operator says it again or it is over."""

_APPLYING = (
    sa.select(grants)
    .where((grants.c.state == "live") & (grants.c.until > sa.bindparam("now")))
    .where(*(grants.c[n].in_(["", sa.bindparam(n)]) for n in ("connector", "operation", "agent")))
    .order_by(grants.c.id)
)
"""Asked for every proposal, so it is put together once."""

_EMPTY: Mapping[str, Any] = {
    "title": "",
    "connector": "",
    "operation": "",
    "agent": "",
    "level": "",
    "gates": [],
    "when": "",
    "mode": "audit",
    "window": "",
    "limit_minor": 0,
    "currency": "",
    "per_day": 0,
    "source": "api",
    "proposal": "",
    "basis": {},
    "who": "",
    "why": "",
}


def insert(tx: Tx, given: Mapping[str, Any], *, state: str = "live") -> str:
    """Keep a new grant, live or offered, with its event; returns its id.

    ``given`` holds columns; ``title``, ``until`` (an ISO instant within a year) and ``who`` are needed (BadInput).
    What the gates and the condition say is checked by whoever offers it.
    """
    if unknown := sorted(set(given) - set(_EMPTY) - {"until"}):
        raise BadInput(f"{unknown[0]}: a grant has no such field.", field=unknown[0])
    row = {**_EMPTY, **given, "until": _until(tx, str(given.get("until", "")))}
    for name in ("title", "who"):
        if not row[name]:
            raise BadInput(f"{name}: a grant needs one.", field=name)
    if row["currency"]:
        row["currency"] = str(row["currency"]).upper()
    row |= {"id": tx.new_id(), "state": state, "created": tx.now, "gates": list(row["gates"])}
    tx.run(grants.insert(), row)
    _tell(tx, row, state, who=row["who"], why=row["why"])
    return str(row["id"])


def _until(tx: Tx, text: str) -> str:
    """The last instant of a grant, in the form that sorts as time."""
    try:
        end = from_iso(text)
        end = end if end.tzinfo else end.replace(tzinfo=from_iso(tx.now).tzinfo)
    except ValueError as error:
        raise BadInput("until: a grant needs its last day, like 2027-05-01.", field="until") from error
    now = from_iso(tx.now)
    if not now < end <= now + LONGEST:
        raise BadInput("until: after now and at most a year ahead.", field="until")
    return iso(end)


def _tell(tx: Tx, row: Mapping[str, Any], state: str, *, who: str, why: str) -> None:
    """The event of one move."""
    names = ("title", "connector", "operation", "agent", "level", "gates", "limit_minor", "per_day", "until", "source")
    payload = {**{name: row[name] for name in names}, "why": why}
    tx.append(f"grant.{state}", subject=row["id"], payload=payload, actor=who)


def move(tx: Tx, ident: str, state: str, *, who: str, why: str = "", **values: Any) -> dict[str, Any]:
    """Change the state (and other columns) of a grant (Conflict for an undeclared move); returns the new row."""
    old = get(tx.conn, ident)
    GRANT.check(old["state"], state)
    ended = {"ended": tx.now, "ended_why": why} if state in GRANT.ends else {}
    key = (grants.c.id == ident) & (grants.c.state == old["state"])
    if tx.run(grants.update().where(key).values(state=state, **ended, **values)).rowcount != 1:
        raise Conflict("Someone else changed this grant at the same moment; nothing was changed.")
    _tell(tx, old, state, who=who, why=why)
    return get(tx.conn, ident)


def revoke(tx: Tx, ident: str, who: str, why: str = "") -> dict[str, Any]:
    """Take a live grant back at once, or decline one that is only offered; returns the row (NotFound, Conflict)."""
    return move(tx, ident, "declined" if get(tx.conn, ident)["state"] == "offered" else "revoked", who=who, why=why)


def lose(tx: Tx, agent: str, operations: str, *, why: str) -> list[str]:
    """End every earned grant of an agent's operation class after a correction; returns their ids."""
    earned = (grants.c.state == "live") & (grants.c.source == "earned") & (grants.c.agent == agent)
    rows = [dict(row) for row in tx.conn.execute(sa.select(grants).where(earned)).mappings()]
    lost = [row["id"] for row in rows if (row["basis"] or {}).get("operations") == operations]
    for ident in lost:
        move(tx, ident, "lost", who="soloist", why=why)
    return lost


def expire(tx: Tx) -> list[str]:
    """End what is past its last instant; returns the ids."""
    due = grants.c.state.in_(["live", "offered"]) & (grants.c.until <= tx.now)
    found = list(tx.conn.execute(sa.select(grants.c.id).where(due)).scalars())
    for ident in found:
        move(tx, ident, "expired", who="soloist", why="its time is over")
    return found


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One grant (NotFound)."""
    row = conn.execute(sa.select(grants).where(grants.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no grant {ident}.")
    return dict(row)


def live(conn: sa.Connection, now: str = "") -> list[dict[str, Any]]:
    """Every grant in force, newest first; those past ``now`` (an ISO instant, "" to leave it out) are not."""
    key = (grants.c.state == "live") & (grants.c.until > now)
    return [dict(row) for row in conn.execute(sa.select(grants).where(key).order_by(grants.c.id.desc())).mappings()]


def applying(conn: sa.Connection, *, connector: str, operation: str, agent: str, now: str) -> list[dict[str, Any]]:
    """The grants in force that speak of a connector, an operation and an agent."""
    given = {"connector": connector, "operation": operation, "agent": agent, "now": now}
    return [dict(row) for row in conn.execute(_APPLYING, given).mappings()]


def standing(conn: sa.Connection, agent: str, connector: str, operation: str) -> list[dict[str, Any]]:
    """Earned grants for exactly this, offered or live."""
    key = grants.c.state.in_(["offered", "live"]) & (grants.c.source == "earned") & (grants.c.agent == agent)
    key &= (grants.c.connector == connector) & (grants.c.operation == operation)
    return [dict(row) for row in conn.execute(sa.select(grants).where(key)).mappings()]


def offered(conn: sa.Connection, agent: str, operations: str) -> list[str]:
    """Grants on the table for an agent's operation class: their ids."""
    rows = conn.execute(sa.select(grants).where((grants.c.state == "offered") & (grants.c.agent == agent))).mappings()
    return [str(row["id"]) for row in rows if (row["basis"] or {}).get("operations") == operations]


def listed(conn: sa.Connection, *, after: str = "", limit: int = 100, state: str = "") -> list[dict[str, Any]]:
    """Grants in the order they were made, after an id; ``state`` "" for all."""
    key = grants.c.id > after
    key = key & (grants.c.state == state) if state else key
    query = sa.select(grants).where(key).order_by(grants.c.id).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def used(conn: sa.Connection, grant: Mapping[str, Any], since: str, *, but: str = "") -> int:
    """How many proposals a grant let go since an instant, one proposal left out."""
    let = (verdicts.c.grant == grant["id"]) & (verdicts.c.answer == "allow") & (proposals.c.created >= since)
    let &= (proposals.c.state == "approved") & (proposals.c.id != but)
    for name in ("connector", "operation"):
        let &= proposals.c[name] == grant[name] if grant[name] else sa.true()
    query = sa.select(sa.func.count(sa.distinct(proposals.c.id))).join_from(
        proposals, verdicts, verdicts.c.proposal == proposals.c.id
    )
    return int(conn.execute(query.where(let)).scalar() or 0)
