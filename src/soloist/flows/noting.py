"""Noting: what the operator writes down about a client, kept beside the record and told in the journal."""

from __future__ import annotations

from soloist.engine.store import records, tasks
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput

MOST = 4000
"""Characters of a note."""
KIND = "note"


async def add(store: Store, record: str, text: str, *, who: str) -> bool:
    """Keep a note on a record (NotFound; BadInput when it is empty or too long).

    The words of the newest note sent once more, as by a second click, are kept once: False.
    """
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise BadInput("The note is empty; nothing was kept.", field="text")
    if len(text) > MOST:
        raise BadInput(f"The note has {len(text)} characters, {MOST} are the most; nothing was kept.", field="text")

    def work(tx: Tx) -> bool:
        records.get(tx.conn, record)
        newest = tasks.annotations_of(tx.conn, record)[-1:]
        if newest and newest[0]["body"] == text:
            return False
        tasks.annotate(tx, record, KIND, text, actor=who)
        tx.append("note.added", subject=record, payload={"characters": len(text)}, actor=who)
        return True

    return await store.write(work)
