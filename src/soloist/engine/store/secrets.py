"""Secrets as sealed rows; the key that opens them is not in the database."""

from __future__ import annotations

import sqlalchemy as sa

from soloist.engine.store.tables import secrets
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound


def put(tx: Tx, name: str, sealed: bytes) -> None:
    """Store or replace a sealed secret; the event names it and never holds it."""
    tx.run(secrets.delete().where(secrets.c.name == name))
    tx.run(secrets.insert(), {"name": name, "sealed": sealed, "updated": tx.now})
    tx.append("secret.stored", subject=name, actor="operator")


def remove(tx: Tx, name: str) -> None:
    """Delete a sealed secret; an event names it when there was one."""
    if tx.run(secrets.delete().where(secrets.c.name == name)).rowcount:
        tx.append("secret.removed", subject=name, actor="operator")


def get(conn: sa.Connection, name: str) -> bytes:
    """The sealed secret (NotFound says how to store it)."""
    sealed = conn.execute(sa.select(secrets.c.sealed).where(secrets.c.name == name)).scalar()
    if sealed is None:
        raise NotFound(f"There is no secret called {name!r}. Store it with: soloist secret set {name}")
    return bytes(sealed)


def names(conn: sa.Connection) -> list[str]:
    """The names of the secrets there are."""
    return list(conn.execute(sa.select(secrets.c.name).order_by(secrets.c.name)).scalars())


def renewed_since(conn: sa.Connection, moment: str) -> bool:
    """Whether any secret was stored after an instant."""
    return conn.execute(sa.select(secrets.c.name).where(secrets.c.updated > moment).limit(1)).first() is not None
