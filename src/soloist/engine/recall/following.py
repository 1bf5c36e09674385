"""Following: brings an index in step with the store: new rows, rows that ended or left, vectors; reads only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import numpy as np

from soloist.engine.recall.arrays import Array
from soloist.engine.recall.index import FOREVER, Index, Row, short
from soloist.engine.recall.vectors import MOST_BLOCKS, SIZE, Vectors
from soloist.engine.store import clock, embeddings, memories


def catch_up(index: Index, conn: Any, model: str, spill: Callable[[Vectors], None]) -> bool:
    """Take over what is new on this connection's snapshot; the caller holds the lock of the index.

    ``spill`` is called when blocks of vectors are full, so that many of them need not lie in memory at once. Answers
    whether rows may have left: then what the sidecar holds should go as well.
    """
    head, gone = memories.journal_since(conn, index.seq)
    if head > index.seq:
        for rows in memories.after(conn, index.newest):
            index.add([as_row(row) for row in rows])
        index.end(memories.ended_after(conn, index.seq))
        if gone:
            reconcile(index, conn)
        index.seq = head
    if model:
        embed(index, conn, model, spill)
    return gone and head > 0


def embed(index: Index, conn: Any, model: str, spill: Callable[[Vectors], None]) -> None:
    """Take over the vectors of a model that are new."""
    room = index.vectors.get(model) or index.vectors.setdefault(model, Vectors(model))
    for rows in embeddings.after(conn, model, room.upto):
        whole = [(n, vector) for n, vector in rows if len(vector) == SIZE * 2]
        numbers = np.array([n for n, _ in whole], np.int64)
        index.embed(model, numbers, unpacked([vector for _, vector in whole]))
        room.upto = int(rows[-1][0])
        if len(room.changed) > MOST_BLOCKS:
            spill(room)


def unpacked(vectors: list[bytes]) -> Array:
    """Stored vectors as rows of 16-bit numbers, on machines of either byte order."""
    return np.frombuffer(b"".join(vectors), "<i2").astype(np.int16).reshape(-1, SIZE)


def reconcile(index: Index, conn: Any) -> None:
    """Forget rows that left the disk; those that say something else now are forgotten as well, words and all."""
    known = dict(memories.hashes(conn))
    numbers, hashes = index.columns["n"].view.tolist(), index.columns["hash"].view.tolist()
    alive = (index.columns["begun"].view < FOREVER).tolist()
    gone = [
        place
        for place, (n, digest, there) in enumerate(zip(numbers, hashes, alive, strict=True))
        if there and (n not in known or short(known[n]) != digest)
    ]
    index.forget(np.array(gone, np.int64))


def as_row(row: Any) -> Row:
    """A row of the store as the index takes it; what happened at no known time counts from when it was written."""
    return Row(
        n=int(row.n),
        begun=int(row.begun),
        ended=int(row.ended) or FOREVER,
        tier=row.tier,
        scope=row.scope,
        kind=row.kind,
        text=row.text,
        hash=row.hash,
        at=micros(row.at) // 1_000_000,
        actor=row.actor,
        thread=row.thread,
        ordinal=int(row.ordinal),
        record=row.record,
        expires=micros(row.expires) or FOREVER,
    )


def micros(text: str) -> int:
    """Millionths of a second since 1970 of an ISO instant; 0 for "" and for what is none."""
    if not text:
        return 0
    try:
        moment = clock.from_iso(text)
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
