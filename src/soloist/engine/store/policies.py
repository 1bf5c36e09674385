"""Policies: every version of the rules that was ever in force, so that the last valid one can be used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables_out import policies
from soloist.engine.store.tx import Tx


def current(conn: sa.Connection) -> dict[str, Any] | None:
    """The version that came into force last, or None before any did."""
    row = conn.execute(sa.select(policies).order_by(policies.c.n.desc()).limit(1)).mappings().first()
    return dict(row) if row else None


def in_force(conn: sa.Connection) -> str:
    """The name of the version that came into force last, "" before any did."""
    return str(conn.execute(sa.select(policies.c.version).order_by(policies.c.n.desc()).limit(1)).scalar() or "")


def keep(tx: Tx, version: str, rules: Mapping[str, Any], *, source: str, who: str, why: str) -> bool:
    """Put a version in force with its event; False when it is already. ``rules`` is what brings it back."""
    old = current(tx.conn)
    if old is not None and old["version"] == version:
        return False
    values = {"n": old["n"] + 1 if old else 1, "rules": dict(rules), "source": source, "who": who, "why": why}
    values["at"] = tx.now
    if tx.run(policies.update().where(policies.c.version == version).values(**values)).rowcount == 0:
        tx.run(policies.insert(), {"version": version, **values})
    change = {"from": old["version"] if old else "", "to": version, "who": who, "why": why, "source": source}
    tx.append("policy.changed", subject=version, payload=change, actor=who)
    return True


def listed(conn: sa.Connection, *, limit: int = 100) -> Sequence[dict[str, Any]]:
    """Versions, the one in force first."""
    query = sa.select(policies).order_by(policies.c.n.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]
