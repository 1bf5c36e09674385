"""Packages: skills with code of others as they were installed and decided on; it reads no code and runs none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables_agents import packages
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound

_P = packages.c


def add(tx: Tx, given: Mapping[str, Any], *, who: str) -> None:
    """Keep a package that waits for the operator's word; ``given``: name, hash, version, source, content.

    Exactly the same content again waits once more, unless it is in use.
    """
    row = {key: given[key] for key in ("name", "hash", "version", "source", "content")}
    old = find(tx.conn, row["name"], row["hash"])
    if old is not None and old["state"] == "accepted":
        raise Conflict(f"{row['name']} {row['version']} with exactly these files is in use already; nothing was done.")
    said = {"hash": row["hash"], "version": row["version"], "from": row["source"]}
    event = tx.append("package.installed", subject=row["name"], payload=said, actor=who)
    row |= {"state": "waiting", "why": "", "who": who, "at": tx.now, "event": event.id, "decided": ""}
    row |= {"granted": [], "contracts": [], "tried": {}}
    if old is None:
        tx.run(packages.insert(), row)
    else:
        tx.run(packages.update().where(_key(row["name"], row["hash"])).values(**row))


def decide(tx: Tx, name: str, hash_: str, state: str, *, who: str, why: str = "", **values: Any) -> None:
    """Accept, refuse or remove a package; the content that was in use before is replaced (NotFound)."""
    if find(tx.conn, name, hash_) is None:
        raise NotFound(f"There is no package {name[:80]!r} with the hash {hash_[:16]}.")
    said = {"hash": hash_, "why": why, "granted": list(values.get("granted", ()))}
    event = tx.append(f"package.{state}", subject=name, payload=said, actor=who)
    if state == "accepted":
        others = (_P.name == name) & (_P.hash != hash_) & (_P.state == "accepted")
        tx.run(packages.update().where(others).values(state="replaced", event=event.id))
    values |= {"state": state, "why": why, "who": who, "decided": tx.now, "event": event.id}
    tx.run(packages.update().where(_key(name, hash_)).values(**values))


def tried(tx: Tx, name: str, hash_: str, found: Mapping[str, Any], *, who: str) -> None:
    """Keep how a package did that would take the place of a shipped skill; nothing is in use by that."""
    said = {"hash": hash_, **{key: found[key] for key in ("against", "held", "failed", "changed", "worse")}}
    tx.append("package.tried", subject=name, payload=said, actor=who)
    tx.run(packages.update().where(_key(name, hash_)).values(tried=dict(found), why=""))


def note(tx: Tx, name: str, hash_: str, why: str) -> None:
    """Keep why a package that waits could not be accepted, or why one in use is not run; "" for no reason any more."""
    tx.run(packages.update().where(_key(name, hash_)).values(why=why))


def find(conn: sa.Connection, name: str, hash_: str) -> dict[str, Any] | None:
    """One content of a package, None when it was never installed."""
    row = conn.execute(sa.select(packages).where(_key(name, hash_))).mappings().first()
    return dict(row) if row is not None else None


def get(conn: sa.Connection, name: str, begins: str) -> dict[str, Any]:
    """One content by the first digits of its hash (NotFound; Conflict when several begin so)."""
    rows = [row for row in of(conn, name) if row["hash"].startswith(begins)]
    if not rows:
        raise NotFound(f"There is no package {name[:80]!r} whose hash begins with {begins[:64]!r}.")
    if len(rows) > 1:
        raise Conflict(f"{len(rows)} contents of {name} have a hash that begins with {begins!r}; give more of it.")
    return rows[0]


def of(conn: sa.Connection, name: str) -> list[dict[str, Any]]:
    """Every content of one package, the newest first."""
    query = sa.select(packages).where(_P.name == name).order_by(_P.at.desc(), _P.hash)
    return [dict(row) for row in conn.execute(query).mappings()]


def listed(conn: sa.Connection, states: Sequence[str]) -> list[dict[str, Any]]:
    """Packages in one of these states in the order of their names."""
    query = sa.select(packages).where(_P.state.in_(states)).order_by(_P.name, _P.at.desc())
    return [dict(row) for row in conn.execute(query).mappings()]


def mark(conn: sa.Connection) -> tuple[str, ...]:
    """What changes whenever another content is in use or another value was granted."""
    query = sa.select(_P.event).where(_P.state == "accepted").order_by(_P.name)
    return tuple(conn.execute(query).scalars())


def _key(name: str, hash_: str) -> sa.ColumnElement[bool]:
    return (_P.name == name) & (_P.hash == hash_)
