"""Exports that are made beside other work and fetched afterwards: one at a time, kept for an hour, never in the home.

The file is not encrypted, so it lies in a folder of its own that goes away with the process.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from soloist.config import Home
from soloist.engine.store.clock import iso
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.engine.vault import Vault
from soloist.flows import exporting
from soloist.kernel.errors import Conflict, NotFound, SoloistError

KEPT = 3600.0
"""Seconds that a finished file waits to be fetched."""
MAKING, READY, FAILED = "making", "ready", "failed"
_BLOCK = 256 * 1024


@dataclass(frozen=True)
class Export:
    """One export: ``expires`` is when its file goes away, ``seq`` the last event in it; "" and 0 while it is made."""

    id: str
    state: str
    who: str
    at: str
    expires: str = ""
    bytes: int = 0
    sha256: str = ""
    rows: int = 0
    files: int = 0
    seq: int = 0
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class Exports:
    """Exports of one running home; they are forgotten when it stops."""

    def __init__(self, store: Store, home: Home, vault: Vault) -> None:
        """Nothing is made yet."""
        self._store, self._home, self._vault = store, home, vault
        self._known: dict[str, Export] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._held = ""
        self._work: asyncio.Task[None] | None = None
        self._until = 0.0

    async def begin(self, *, who: str) -> Export:
        """Have one made; the one made before it goes away (Conflict while one is being made)."""
        busy = next((one.id for one in self._known.values() if one.state == MAKING), "")
        if busy:
            raise Conflict(f"An export is being made already: {busy}. Nothing was begun.", field="id", export=busy)
        self._drop()
        ident = await note(self._store, who)
        found = Export(ident, MAKING, who, iso(self._store.clock()))
        self._known = {ident: found}
        self._folder, self._held = tempfile.TemporaryDirectory(prefix="soloist-export-"), ident
        self._work = asyncio.create_task(self._make(found, Path(self._folder.name) / "export.zip"))
        return found

    async def _make(self, export: Export, path: Path) -> None:
        """Write the file and note how it went."""
        try:
            done = await asyncio.to_thread(exporting.write, self._store, self._home, self._vault, path)
            size, digest = await asyncio.to_thread(_measured, path)
        except (OSError, SoloistError) as error:
            why = error.detail if isinstance(error, SoloistError) else f"It cannot be written: {error.strerror}."
            self._drop()
            self._known[export.id] = replace(export, state=FAILED, why=why)
            return
        expires = iso(self._store.clock() + timedelta(seconds=KEPT))
        ready = replace(export, state=READY, expires=expires, bytes=size, sha256=digest)
        self._known[export.id] = replace(ready, rows=done["rows"], files=done["files"], seq=done["seq"])
        self._until = time.monotonic() + KEPT
        asyncio.get_running_loop().call_later(KEPT + 1, self._expire)

    def listed(self) -> list[Export]:
        """Those that are known, the newest first."""
        self._expire()
        return list(reversed(self._known.values()))

    def get(self, ident: str) -> Export:
        """One of them (NotFound, also when its hour is over)."""
        self._expire()
        if ident not in self._known:
            raise NotFound(f"There is no export {ident} any more. Begin one with POST /exports.")
        return self._known[ident]

    def file(self, ident: str) -> Iterator[bytes]:
        """The bytes of a finished one in pieces (NotFound, Conflict while it is made or when it failed)."""
        export = self.get(ident)
        if export.state != READY or self._folder is None:
            raise Conflict(f"This export is {export.state}. {export.why or 'Ask again in a moment.'}", field="state")
        return _pieces((Path(self._folder.name) / "export.zip").open("rb"))

    def _expire(self) -> None:
        if self._held and self._until and time.monotonic() > self._until:
            self._known.pop(self._held, None)
            self._drop()

    def _drop(self) -> None:
        """Let the file go."""
        if self._folder is not None:
            self._folder.cleanup()
        self._folder, self._held, self._until = None, "", 0.0


async def note(store: Store, who: str) -> str:
    """Write into the journal that somebody takes everything out; answers the id of that."""

    def work(tx: Tx) -> str:
        ident = tx.new_id()
        tx.append("home.exported", subject=ident, payload={}, actor=who)
        return ident

    return await store.write(work)


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _pieces(source: Any) -> Iterator[bytes]:
    with source:
        while block := source.read(_BLOCK):
            yield block
