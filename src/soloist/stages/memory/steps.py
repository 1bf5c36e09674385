"""Steps of memory: remember, look up, replay, and freeze what the agent is about to see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from soloist.config import Home, Settings
from soloist.engine.recall.door import Recall
from soloist.engine.store import assets, conversations, embeddings, journal, memories, records, retrievals
from soloist.engine.store.base import Connection
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tables import contexts
from soloist.engine.store.tx import Tx
from soloist.kernel.hashing import sha256
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import decide
from soloist.stages.memory.decide import Search
from soloist.stages.memory.looking import Embeds, Looking, Retrieval

MOST_BOOK = 1_000_000


class Memory:
    """Keeps and finds items; chooses and freezes contexts."""

    def __init__(self, store: Store, home: Home, settings: Settings, worker: Embeds | None = None) -> None:
        """The house book is read from the home at each context, so an edit counts from the next message on.

        Without a ``worker`` there are no vectors: what is remembered is found by words.
        """
        self._store, self._home, self._settings = store, home, settings
        self.recalling = Recall(home.root / "recall")
        self._looking = Looking(store, self.recalling, worker)

    # ----- items

    async def remember(self, items: Sequence[NewMemory], *, actor: str, run: str = "") -> list[str]:
        """Keep items; answers their ids in order after the commit (BadInput, TooLarge name the item and its field).

        They are found by words at once, and by meaning when ``watermark`` says that nothing is behind.
        """
        decide.checked(items)
        return await self._store.write(lambda tx: memories.add(tx, items, actor=actor, run=run))

    def remember_in(self, tx: Tx, items: Sequence[NewMemory], *, actor: str, run: str = "") -> list[str]:
        """The same inside a transaction."""
        decide.checked(items)
        return memories.add(tx, items, actor=actor, run=run)

    async def search(self, search: Search) -> Retrieval:
        """Answer a question and log it (BadInput, TooLarge)."""
        return await self._looking.search(search)

    async def replay(self, ident: str) -> dict[str, Any]:
        """Answer a logged question again: {retrieval, identical, how, why, expected, found} (NotFound)."""
        return await self._store.read(lambda conn: self._looking.replay(conn, ident))

    async def retrieval(self, ident: str) -> dict[str, Any]:
        """One row of the log with what of it was used in contexts (NotFound)."""
        return await self._store.read(
            lambda conn: {**retrievals.get(conn, ident), "used": retrievals.used(conn, ident)}
        )

    async def get(self, ident: str) -> dict[str, Any]:
        """One item with its ``version`` (NotFound)."""
        row = await self._store.read(lambda conn: memories.get(conn, ident))
        return {**row, "version": memories.version(row)}

    async def watermark(self) -> dict[str, Any]:
        """How far the vectors are: {behind, model, state, building, left, newest}."""
        return await self._store.read(_watermark)

    # ----- contexts

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


def _watermark(conn: Connection) -> dict[str, Any]:
    active, building = (embeddings.in_state(conn, state) for state in ("active", "building"))
    return {
        "behind": embeddings.behind(conn, active["id"] if active else ""),
        "model": active["id"] if active else "",
        "building": building["id"] if building else "",
        "left": embeddings.behind(conn, building["id"]) if building else 0,
        "newest": memories.newest(conn),
    }


def read_book(path: Path) -> bytes:
    """The house book, empty when there is none; more than a million bytes is cut."""
    try:
        return path.read_bytes()[:MOST_BOOK]
    except FileNotFoundError:
        return b""
