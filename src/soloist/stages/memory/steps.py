"""Step of memory: freeze what the agent is about to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from soloist.config import Home, Settings
from soloist.engine.store import assets, conversations, journal, records
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tables import contexts
from soloist.engine.store.tx import Tx
from soloist.kernel.hashing import sha256
from soloist.stages.memory import decide

MOST_BOOK = 1_000_000


class Memory:
    """Chooses and freezes contexts."""

    def __init__(self, store: Store, home: Home, settings: Settings) -> None:
        """The house book is read from the home at each context, so an edit counts from the next message on."""
        self._store, self._home, self._settings = store, home, settings

    async def recall(self, run: str, message_id: str, people: list[str]) -> dict[str, Any]:
        """Freeze the context for a message; answers {context, house_book} (id and asset hash)."""
        book = read_book(self._home.path(self._settings.intake.house_book))
        path = assets.write_file(self._home.assets, book)
        return await self._store.write(lambda tx: self._freeze(tx, run, message_id, people, book=(book, path)))

    def _freeze(
        self, tx: Tx, run: str, message_id: str, people: list[str], *, book: tuple[bytes, str]
    ) -> dict[str, Any]:
        """Write the context row, once."""
        message = conversations.message(tx.conn, message_id)
        thread = conversations.of(tx.conn, message["conversation"], decide.MESSAGES)
        rows = [records.get(tx.conn, ident) for ident in people if ident]
        seq = journal.head(tx.conn)
        row = decide.context_row(rows, thread, sha256(book[0]), seq)

        def work() -> dict[str, Any]:
            assets.keep(tx, book[0], "text/markdown", book[1])
            ident = tx.new_id()
            tx.run(contexts.insert(), {**row, "id": ident, "run": run, "at": tx.now})
            return {"context": ident, "house_book": row["house_book"]}

        shown = {"records": row["records"], "messages": row["messages"]}
        return dict(once(tx, run, "recall", work, given={"message": message_id}, detail=shown))


def read_book(path: Path) -> bytes:
    """The house book, empty when there is none; more than a million bytes is cut."""
    try:
        return path.read_bytes()[:MOST_BOOK]
    except FileNotFoundError:
        return b""
