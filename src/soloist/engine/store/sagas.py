"""Sagas and bundles: proposals that belong together, and the rows of taking them back; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import runs
from soloist.engine.store.tables import proposals, record_versions
from soloist.engine.store.tables_out import sagas
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound
from soloist.kernel.lives import SAGA


def bundle(conn: sa.Connection, name: str) -> list[dict[str, Any]]:
    """The proposals of a bundle in order of place; what takes others back is not among them. None for ""."""
    if not name:
        return []
    query = sa.select(proposals).where(proposals.c.bundle == name)
    rows = conn.execute(query.order_by(proposals.c.place, proposals.c.created, proposals.c.id)).mappings()
    return [dict(row) for row in rows]


def rejoin(tx: Tx, old: Mapping[str, Any], copy: str) -> None:
    """A fresh copy of a part takes its place in the bundle."""
    if old["bundle"]:
        tx.run(proposals.update().where(proposals.c.id == copy).values(bundle=old["bundle"], place=old["place"]))


def written_by(conn: sa.Connection, run: str) -> dict[str, Any] | None:
    """The version of a record that a run, or a later try of it, wrote; or None."""
    by = [run, *(one["id"] for one in runs.tries(conn, run))]
    row = conn.execute(sa.select(record_versions).where(record_versions.c.run.in_(by))).mappings().first()
    return dict(row) if row else None


def begin(tx: Tx, ident: str, name: str, steps: Sequence[Mapping[str, Any]], *, who: str, why: str) -> None:
    """Keep that a bundle is being taken back; its event names it."""
    row = {"id": ident, "bundle": name, "state": SAGA.start, "steps": list(steps), "who": who, "why": why}
    tx.run(sagas.insert(), {**row, "created": tx.now, "updated": tx.now})
    tx.append("bundle.taking_back", subject=ident, payload={"bundle": name, "steps": len(steps)}, actor=who)


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One way back (NotFound)."""
    row = conn.execute(sa.select(sagas).where(sagas.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no way back {ident}.")
    return dict(row)


def of_bundle(conn: sa.Connection, name: str) -> list[dict[str, Any]]:
    """The ways back of a bundle, newest first."""
    if not name:
        return []
    query = sa.select(sagas).where(sagas.c.bundle == name).order_by(sagas.c.created.desc())
    return [dict(row) for row in conn.execute(query).mappings()]


def keep(tx: Tx, saga: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> None:
    """Keep how far it is."""
    tx.run(sagas.update().where(sagas.c.id == saga["id"]).values(steps=list(steps), updated=tx.now))


def move(tx: Tx, saga: Mapping[str, Any], state: str, *, actor: str = "soloist", why: str = "") -> None:
    """Change the state along its declared life (Conflict when it moved meanwhile)."""
    SAGA.check(saga["state"], state)
    key = (sagas.c.id == saga["id"]) & (sagas.c.state == saga["state"])
    if tx.run(sagas.update().where(key).values(state=state, updated=tx.now)).rowcount != 1:
        raise Conflict("This way back was moved by someone else; nothing was changed.")
    tx.append(f"bundle.{state}", subject=saga["id"], payload={"bundle": saga["bundle"], "why": why}, actor=actor)
