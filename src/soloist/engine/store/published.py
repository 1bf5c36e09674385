"""Published: versions of agents and contracts of skills, each kept whole and never changed; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables_agents import published
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound

_FACTS = [c for c in published.c if c.name not in ("content", "tested")]


def add(tx: Tx, given: Mapping[str, Any], *, who: str, why: str) -> str:
    """Keep a version with its event; returns its id, also of one that is there with the same hash.

    ``given``: kind ("agent" or "skill"), name, version, hash, content (JSON), source ("shipped", "home", "plugin",
    "api" or "cli").
    """
    known = with_hash(tx.conn, given["kind"], given["name"], given["version"], given["hash"])
    if known is not None:
        return str(known["id"])
    facts = {name: given[name] for name in ("kind", "name", "version", "hash", "source")}
    event = tx.append(f"{given['kind']}.published", subject=given["name"], payload={**facts, "why": why}, actor=who)
    row = {**facts, "id": tx.new_id(), "content": given["content"], "tested": {}, "who": who, "why": why}
    tx.run(published.insert(), {**row, "at": tx.now, "event": event.id})
    return str(row["id"])


def with_hash(conn: sa.Connection, kind: str, name: str, version: str, digest: str) -> dict[str, Any] | None:
    """The row of exactly this content, without the content; None when it was never published."""
    at = published.c
    key = (at.kind == kind) & (at.name == name) & (at.version == version) & (at.hash == digest)
    row = conn.execute(sa.select(*_FACTS).where(key)).mappings().first()
    return dict(row) if row is not None else None


def version(conn: sa.Connection, kind: str, name: str, version: str) -> dict[str, Any] | None:
    """The newest row of a version with its content, None when there is none.

    An agent's version has one row; that of a skill may have more of them, each promising all that was promised before.
    """
    at = published.c
    key = (at.kind == kind) & (at.name == name) & (at.version == version)
    row = conn.execute(sa.select(published).where(key).order_by(at.at.desc(), at.id.desc()).limit(1)).mappings().first()
    return dict(row) if row is not None else None


def get(conn: sa.Connection, kind: str, name: str, version_: str) -> dict[str, Any]:
    """As ``version`` (NotFound names the versions there are)."""
    row = version(conn, kind, name, version_)
    if row is None:
        known = ", ".join(v["version"] for v in versions(conn, kind, name)) or "none"
        raise NotFound(f"There is no version {version_[:40]!r} of the {kind} {name[:80]!r}; published: {known}.")
    return row


def versions(conn: sa.Connection, kind: str, name: str) -> list[dict[str, Any]]:
    """Every version of one name without its content, the newest first."""
    key = (published.c.kind == kind) & (published.c.name == name)
    query = sa.select(*_FACTS).where(key).order_by(published.c.at.desc(), published.c.id.desc())
    return [dict(row) for row in conn.execute(query).mappings()]


def hashes(conn: sa.Connection, kind: str) -> dict[tuple[str, str], set[str]]:
    """The hashes of every version: {(name, version): hashes}."""
    at = published.c
    found: dict[tuple[str, str], set[str]] = {}
    for name, version_, digest in conn.execute(sa.select(at.name, at.version, at.hash).where(at.kind == kind)):
        found.setdefault((name, version_), set()).add(digest)
    return found


def tested(tx: Tx, kind: str, name: str, digest: str, outcome: Mapping[str, Any]) -> None:
    """Keep how the examples of a version went; ``outcome``: {held, failed, faults}."""
    key = (published.c.kind == kind) & (published.c.name == name) & (published.c.hash == digest)
    tx.run(published.update().where(key).values(tested={**outcome, "at": tx.now}))


def outcomes(conn: sa.Connection, kind: str) -> dict[tuple[str, str], dict[str, Any]]:
    """How the examples of each version went when they were run last: {(name, version): {held, failed, faults, at}}."""
    at = published.c
    query = sa.select(at.name, at.version, at.tested).where(at.kind == kind).order_by(at.at, at.id)
    return {(name, version_): outcome or {} for name, version_, outcome in conn.execute(query)}
