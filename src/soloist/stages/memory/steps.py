"""Steps of memory: remember, look up, replay, and freeze what the agent is about to see."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from soloist.config import Home, Settings
from soloist.engine.recall.door import Recall
from soloist.engine.store import (
    assets,
    contexts,
    conversations,
    embeddings,
    facts,
    journal,
    memories,
    records,
    retrievals,
)
from soloist.engine.store.base import Connection
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import SoloistError
from soloist.kernel.hashing import sha256
from soloist.kernel.memory import NewMemory
from soloist.kernel.origin import OPERATOR
from soloist.stages.memory import decide, packing, reach
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
        self.worker = worker
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

    async def keep_index(self, *, now: bool = False) -> bool:
        """Write the index to its sidecar when much is new, or ``now``; whether it was written."""
        if not self.recalling.opened:
            return False
        return await self._store.read(lambda conn: self.recalling.save(conn, now=now))

    async def forget(self) -> None:
        """After rows were erased or collected: nothing of them stays in the index or in its sidecar."""
        await self._store.read(self.recalling.cleansed)

    def close(self) -> None:
        """Write what the next start need not make anew."""
        if self.recalling.opened:
            self._store.read_now(lambda conn: self.recalling.save(conn, now=True))
        self.recalling.close()

    # ----- contexts

    async def recall(
        self, run: str, message_id: str, people: list[str], reads: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Look up what is known, choose what fits, and freeze it; answers {context, house_book} (id and asset hash).

        ``reads`` are the places that the contract of whoever is given it lists: the rest is counted, and not in it.
        """
        book = read_book(self._home.path(self._settings.intake.house_book))
        path = assets.write_file(self._home.assets, book)
        listed = None if reads is None else tuple(reads)
        found = await self._found(run, message_id, people, listed)
        given = (book, path, found)
        return await self._store.write(lambda tx: self._freeze(tx, run, message_id, people, book=given, reads=listed))

    async def _found(
        self, run: str, message_id: str, people: list[str], reads: tuple[str, ...] | None
    ) -> Retrieval | None:
        """What a message is answered with: a logged look-up in what is remembered of its people or thread."""
        message = await self._store.read(lambda conn: conversations.message(conn, message_id))
        idents = await self._store.read(lambda conn: [one for who in people if who for one in facts.family(conn, who)])
        query = packing.question(message)
        whose = {"records": tuple(idents)} if idents else {"threads": (message["conversation"],)}
        try:
            more: dict[str, Any] = {"run": run, "step": "recall", "actor": "soloist", "reads": reads}
            asked = Search(query, packing.MOST_ANSWERING, **more, **whose)
            return await self.search(asked)
        except SoloistError:  # a message of no words, an index that is being rebuilt: the thread itself is there
            return None

    def _freeze(
        self,
        tx: Tx,
        run: str,
        message_id: str,
        people: list[str],
        *,
        book: tuple[bytes, str, Retrieval | None],
        reads: tuple[str, ...] | None,
    ) -> dict[str, Any]:
        """Write the context row with the slices that were packed into it, once."""
        message = conversations.message(tx.conn, message_id)
        thread = conversations.of(tx.conn, message["conversation"], decide.MESSAGES)
        rows = [records.get(tx.conn, ident) for ident in people if ident]
        found, given = book[2], {"message": message_id}
        idents = [one for who in people if who for one in facts.family(tx.conn, who)]
        begun = time.perf_counter()
        known = contexts.held(tx.conn, idents, tx.now)
        thread, known, withheld = _reached(tx.conn, message_id, thread, known, found=found, reads=reads)
        row = decide.context_row(rows, thread, sha256(book[0]), journal.head(tx.conn))
        packed = packing.pack(
            known,
            found.items if found else (),
            whole=contexts.history_size(tx.conn, idents, message["conversation"]),
            leave=[f"message:{one['id']}" for one in thread],
            message=f"message:{message_id}",
            withheld=withheld,
        )
        spent = {"ms": round((time.perf_counter() - begun) * 1000, 2), "mode": found.mode if found else "nothing asked"}

        def work() -> dict[str, Any]:
            assets.keep(tx, book[0], "text/markdown", book[1], origin=OPERATOR)
            ident = found.id if found else ""
            frozen = {**row, "run": run, "retrieval": ident, "packed": packed.row(**spent)}
            made = contexts.add(tx, frozen, [piece.row(ident) for piece in packed.slices])
            return {"context": made, "house_book": row["house_book"]}

        shown = {"records": row["records"], "messages": row["messages"], "memory": packed.row(**spent)}
        return dict(once(tx, run, "recall", work, given=given, detail=shown))


def _reached(
    conn: Connection,
    message_id: str,
    thread: list[dict[str, Any]],
    known: list[dict[str, Any]],
    *,
    found: Retrieval | None,
    reads: tuple[str, ...] | None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, int]]:
    """Earlier letters and statements that may be given, and how much of everything may not, by the missing place.

    The message that is answered is the work itself and no memory.
    """
    withheld, own = reach.Withheld(), f"message:{message_id}"
    told = {own, *(f"fact:{one['id']}" for one in known if one["ref"] == own)}
    for place, refs in (found.withheld if found else {}).items():
        if others := [ref for ref in refs if ref not in told]:
            withheld.add(place, *others)
    letters = [() if one["id"] == message_id else (reach.LETTERS,) for one in thread]
    thread = reach.sifted(reads, [(f"message:{one['id']}", one) for one in thread], letters, withheld)
    known = [one for one in known if one["ref"] != own]
    stated = [(f"fact:{one['id']}", one) for one in known]
    return thread, reach.sifted(reads, stated, reach.facts(conn, known), withheld), withheld.counts()


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
