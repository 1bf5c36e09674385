"""Embeddings: vectors of memories by model, and the generations of models; vectors of two models are never mixed.

Rows get their vectors in the order of their numbers, so one number says which rows of a model have had their turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.quick import Driver, Statement, reading
from soloist.engine.store.tables_memory import embedding_models, embeddings, memories, retrievals
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound
from soloist.kernel.memory import TIERS

BEGUN, SWITCHED, GIVEN_UP = "memory.generation_begun", "memory.generation_switched", "memory.generation_given_up"
TIERS_WITH = tuple(name for name, rule in TIERS.items() if rule.vectors)
_insert = Statement(embeddings.insert())
_in_state = Statement(sa.select(embedding_models).where(embedding_models.c.state == sa.bindparam("state")))
_last = Statement(sa.select(sa.func.max(embeddings.c.n)).where(embeddings.c.model == sa.bindparam("model")))
_after = Statement(
    sa.text("SELECT n, vector FROM embeddings WHERE model = :model AND n > :after ORDER BY n LIMIT :piece")
)


def models(conn: sa.Connection) -> list[dict[str, Any]]:
    """Every generation, oldest first."""
    query = sa.select(embedding_models).order_by(embedding_models.c.created, embedding_models.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def in_state(conn: sa.Connection, state: str) -> dict[str, Any] | None:
    """The generation that is ``active`` or ``building``, None when there is none."""
    row = reading(conn).run(_in_state, {"state": state}).fetchone()
    return dict(zip(embedding_models.c.keys(), row, strict=True)) if row else None


def begin(tx: Tx, model: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Begin a generation: the first one is active at once, a later one is built beside it (Conflict: one is).

    ``model`` has id, name, sha256, tokenizer, rule and size.
    """
    if in_state(tx.conn, "building"):
        raise Conflict("Another generation of vectors is being built; let it end, or give it up first.")
    former = {known["id"]: known["state"] for known in models(tx.conn)}
    if former.get(model["id"]) == "active":
        raise Conflict(f"The vectors of {model['id']} are the ones in use already.")
    state = "building" if in_state(tx.conn, "active") else "active"
    event = tx.append(BEGUN, payload={**model, "state": state}, actor=actor)
    row = {**model, "state": state, "created": tx.now, "event": event.id, "ended": ""}
    if model["id"] in former:  # a retired one goes on where it stopped
        tx.run(embedding_models.update().where(embedding_models.c.id == model["id"]).values(**row))
    else:
        tx.run(embedding_models.insert(), row)
    return row


def switch(tx: Tx, ident: str, *, actor: str) -> None:
    """Make a built generation the active one, by one event; the former keeps its vectors (Conflict: not ready)."""
    row = in_state(tx.conn, "building")
    if row is None or row["id"] != ident:
        raise Conflict(f"{ident} is not being built.")
    if left := behind(tx.conn, ident):
        raise Conflict(f"{left} memories have no vector of {ident} yet.")
    former = in_state(tx.conn, "active")
    payload = {"to": ident, "from": former["id"] if former else ""}
    event = tx.append(SWITCHED, subject=ident, payload=payload, actor=actor)
    table = embedding_models
    tx.run(table.update().where(table.c.state == "active").values(state="retired", ended=event.id))
    tx.run(table.update().where(table.c.id == ident).values(state="active"))


def give_up(tx: Tx, ident: str, *, actor: str) -> None:
    """Stop building a generation and delete what there was of it (NotFound: none is)."""
    row = in_state(tx.conn, "building")
    if row is None or row["id"] != ident:
        raise NotFound(f"No generation {ident[:80]!r} is being built.")
    tx.append(GIVEN_UP, subject=ident, payload={"id": ident}, actor=actor)
    tx.run(embeddings.delete().where(embeddings.c.model == ident))
    tx.run(embedding_models.delete().where(embedding_models.c.id == ident))


def prune(tx: Tx) -> int:
    """Delete the vectors of retired generations that no kept retrieval needs; answers how many."""
    needed = sa.select(retrievals.c.id).where(retrievals.c.model == embedding_models.c.id).exists()
    idle = sa.select(embedding_models.c.id).where(embedding_models.c.state == "retired", ~needed)
    return int(tx.run(embeddings.delete().where(embeddings.c.model.in_(idle))).rowcount)


def last(conn: sa.Connection, model: str) -> int:
    """The number of the last row that had its turn, 0 for none."""
    return int(reading(conn).first(_last, {"model": model}) or 0)


def behind(conn: sa.Connection, model: str) -> int:
    """How many items wait for their vector."""
    return int(reading(conn).first(_behind, {**_TIERS, "after": last(conn, model)}) or 0)


def _waits(n: Any) -> sa.ColumnElement[bool]:
    none: sa.ColumnElement[str] = sa.literal_column("''")
    tiers: list[sa.BindParameter[str]] = [sa.bindparam(name) for name in TIERS_WITH]
    return sa.and_(memories.c.n > n, memories.c.tier.in_(tiers), memories.c.ended == none, memories.c.text != none)


_TIERS = {name: name for name in TIERS_WITH}
_behind = Statement(sa.select(sa.func.count()).select_from(memories).where(_waits(sa.bindparam("after"))))


def waiting(conn: sa.Connection, model: str, limit: int) -> tuple[int, list[Any]]:
    """(number of the last row that had its turn, the next rows: n, actor, text, hash)."""
    before = last(conn, model)
    query = sa.select(memories.c.n, memories.c.actor, memories.c.text, memories.c.hash).where(_waits(before))
    return before, [*conn.execute(query.order_by(memories.c.n).limit(limit), _TIERS)]


def keep(tx: Tx, model: str, before: int, rows: Sequence[tuple[int, bytes, str]]) -> bool:
    """Write (n, vector, hash of the text) unless another process was first; empty bytes say that it had its turn.

    Rows that left memory meanwhile are passed over.
    """
    if last(tx.conn, model) != before or not rows:
        return False
    numbers = [n for n, _, _ in rows]
    query = sa.select(memories.c.n).where(memories.c.n.in_(numbers), memories.c.text != "")
    there = {int(n) for (n,) in tx.conn.execute(query)}
    given = [{"model": model, "n": n, "vector": vector, "hash": said} for n, vector, said in rows if n in there]
    if given:
        Driver(tx.conn).many(_insert, given)
    return bool(given)


def after(conn: sa.Connection, model: str, n: int, piece: int = 4_096) -> Iterator[Sequence[Any]]:
    """(n, vector) of rows above a number, in their order, in pieces; without those that only had their turn."""
    while True:
        rows = reading(conn).all(_after, {"model": model, "after": n, "piece": piece})
        if rows:
            yield rows
        if len(rows) < piece:
            return
        n = rows[-1][0]


def between(conn: sa.Connection, model: str, low: int, high: int) -> list[Any]:
    """(n, vector) of rows from one number to another, both included."""
    query = sa.select(embeddings.c.n, embeddings.c.vector).where(embeddings.c.model == model)
    return [*conn.execute(query.where(embeddings.c.n.between(low, high)).order_by(embeddings.c.n))]
