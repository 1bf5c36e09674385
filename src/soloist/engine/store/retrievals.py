"""Retrievals: the log of what was looked for, with everything that is needed to find the same again; one row each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.quick import Driver, Statement
from soloist.engine.store.tables_memory import context_memories, retrievals
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound
from soloist.kernel.hashing import sha256

_insert = Statement(retrievals.insert())
_JSON = ("parameters", "hits", "detail")


def add(tx: Tx, row: Mapping[str, Any]) -> str:
    """Write one; ``row`` has every column but ``id``, ``created`` and ``parameters_hash``. Answers its id."""
    ident = tx.new_id()
    texts = {name: _compact(row[name]) for name in _JSON}
    given = {**row, **texts, "id": ident, "created": tx.now, "parameters_hash": sha256(texts["parameters"].encode())}
    Driver(tx.conn).run(_insert, given)
    return ident


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def hits_hash(hits: Sequence[Mapping[str, Any]]) -> str:
    """What a replay is compared by: row numbers, versions, scores and parts, in order."""
    return sha256(_compact([[hit["n"], hit["version"], hit["score"], hit["parts"]] for hit in hits]).encode())


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One retrieval (NotFound)."""
    row = conn.execute(sa.select(retrievals).where(retrievals.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no retrieval {ident[:80]!r}.")
    return dict(row)


def recent(conn: sa.Connection, *, before: str = "", limit: int = 50, run: str = "") -> list[dict[str, Any]]:
    """Retrievals, newest first, below the id of the last one seen."""
    query = sa.select(retrievals).order_by(retrievals.c.id.desc()).limit(limit)
    query = query.where(retrievals.c.id < before) if before else query
    query = query.where(retrievals.c.run == run) if run else query
    return [dict(row) for row in conn.execute(query).mappings()]


def used(conn: sa.Connection, ident: str) -> list[dict[str, Any]]:
    """What of a retrieval went into a context: rows of the contexts that name it."""
    query = sa.select(context_memories).where(context_memories.c.retrieval == ident)
    return [dict(row) for row in conn.execute(query.order_by(context_memories.c.context, "place")).mappings()]


def replayable_from(conn: sa.Connection) -> int | None:
    """The oldest place in the journal that a kept retrieval was answered as of, None when there is no retrieval.

    A row that ended at or before it was seen by none of them, and may leave the disk without changing a replay.
    """
    found = conn.execute(sa.select(sa.func.min(retrievals.c.seq))).scalar()
    return None if found is None else int(found)


def models_in_use(conn: sa.Connection) -> set[str]:
    """Embedding models whose vectors a kept retrieval needs."""
    return {str(name) for (name,) in conn.execute(sa.select(retrievals.c.model).distinct()) if name}


def drop_before(tx: Tx, instant: str, *, most: int = 10_000) -> int:
    """Let go of retrievals made before an instant that no context names; answers how many."""
    named = sa.select(context_memories.c.retrieval).where(context_memories.c.retrieval == retrievals.c.id).exists()
    some = sa.select(retrievals.c.id).where(retrievals.c.created < instant, ~named).limit(most)
    return int(tx.run(retrievals.delete().where(retrievals.c.id.in_(some))).rowcount)
