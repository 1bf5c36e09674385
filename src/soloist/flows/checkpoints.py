"""Checkpoints: signed ends of the journal leave the database as lines of text, so that a rewritten journal shows."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from soloist.config import Home
from soloist.engine import stopping
from soloist.engine.recovery import home_id
from soloist.engine.store import journal
from soloist.engine.store.store import Store
from soloist.engine.vault import Vault
from soloist.flows.desk import Desk
from soloist.kernel.errors import BadInput, SoloistError

FILE = "checkpoints.log"
"""In the home; a backup holds it too."""
LOOK_EVERY = 15.0


class Marks:
    """Writes each new checkpoint to a file in the home and to one in the configured folder."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._store, self._home = desk.store, desk.home
        self._folder = desk.settings.backup.checkpoints
        self._last: dict[Path, int] = {}

    async def follow(self) -> None:
        """Look for new ones as long as the server runs; a folder that is away is told once and tried again."""
        told = ""
        while True:
            try:
                await self.export()
                told = ""
            except (SoloistError, OSError) as error:
                if told != str(error):
                    logging.getLogger("soloist.checkpoints").warning("a checkpoint could not leave: %s", error)
                told = str(error)
            await asyncio.sleep(LOOK_EVERY)

    async def export(self) -> int:
        """Append what is new to every file. Answers how many lines were written; OSError when one cannot be."""
        written, trouble = 0, None
        for path in await asyncio.to_thread(self.files):
            try:
                written += await self._to(path)
            except OSError as error:
                trouble = error
        if trouble:
            raise trouble
        return written

    def files(self) -> list[Path]:
        """Where checkpoints go."""
        found = [self._home.root / FILE]
        if self._folder:
            name = home_id(Vault(self._home.keys).install_key())
            since = self._store.read_now(stopping.cut).get("since", "")[:10]
            after = f"-restored-{since}" if since else ""  # its journal goes another way than the one before it
            found.append(self._home.path(self._folder) / f"soloist-{name}{after}-{FILE}")
        return found

    async def _to(self, path: Path) -> int:
        """One file."""
        if path not in self._last:
            self._last[path] = max((mark.seq for mark in await asyncio.to_thread(read, path)), default=0)
        new = await self._store.read(lambda conn: journal.marks_after(conn, self._last[path]))
        if new:
            await asyncio.to_thread(_append, path, [mark.line() for mark in new])
            self._last[path] = new[-1].seq
        return len(new)


def _append(path: Path, lines: Iterable[str]) -> None:
    """Add lines and wait for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> list[journal.Mark]:
    """The checkpoints in a file, or in every file of a folder; none when there is nothing."""
    paths = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path] if path.exists() else []
    return [mark for one in paths for mark in journal.read_marks(one.read_text(encoding="utf-8", errors="replace"))]


def verified(
    store: Store, home: Home, check: Callable[[bytes, bytes], bool], given: Path | None = None
) -> journal.Report:
    """Check the journal against itself, against the home's own file, and against checkpoints kept elsewhere.

    BadInput when ``given`` holds none: nothing would be compared.
    """
    marks = read(home.root / FILE)
    if given is not None:
        found = read(given)
        if not found:
            raise BadInput(f"There are no checkpoints in {given}; nothing was compared.", field="checkpoints")
        marks += found
    return store.read_now(lambda conn: journal.verify(conn, check, marks))
