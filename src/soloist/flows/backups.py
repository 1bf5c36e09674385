"""Backups: made and tried by the clock, copied to a second folder; how it went is kept for people to see."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soloist.config import Home, Settings, seconds
from soloist.engine.store import settings as switches
from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.engine.vault import Vault
from soloist.kernel.errors import NotFound, SoloistError

if TYPE_CHECKING:
    from soloist.engine import backup

LAST, DRILLED, SHEET = "backup.last", "backup.drill", "backup.sheet"
"""Settings: how the last backup went, how the last drill went (JSON), when a recovery sheet was made."""
FIRST_LOOK = 600.0
"""Seconds after a start in which the machine has better things to do."""
LOOK_EVERY = 60.0


def sheet_made(store: Store) -> None:
    """Remember that a recovery sheet was made; an event says so."""

    def work(tx: Tx) -> None:
        switches.put(tx, SHEET, tx.now)
        tx.append("recovery_sheet.made", actor="operator")

    store.write_now(work)


@dataclass(frozen=True)
class Backups:
    """The backups of one home."""

    store: Store
    home: Home
    settings: Settings

    async def make(self, to: Path | None = None) -> dict[str, Any]:
        """Make one now, copy it to the second folder, remove old ones. Answers how it went; OSError, SoloistError."""
        module, house = await asyncio.to_thread(self._house)
        made = await asyncio.to_thread(module.make, house, to or self.home.backups)
        told = {
            "at": made.at,
            "path": str(made.path),
            "size": made.size,
            "seconds": round(made.seconds, 2),
            "cut_seq": made.cut_seq,
            "files": made.files,
            "copied": "",
            "fault": "",
        }
        if to is None:
            told |= await asyncio.to_thread(self._second, module, house, made.path)
        await self._keep(LAST, told, "backup.made")
        return told

    def _second(self, module: Any, house: Any, path: Path) -> dict[str, str]:
        """Copy it, then remove the oldest in both folders; a second folder that is away is told and hinders nothing."""
        chosen = self.settings.backup
        module.prune(house, self.home.backups, chosen.keep)
        if not chosen.to:
            return {}
        folder = self.home.path(chosen.to)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            draft = folder / f"{path.name}.part"
            shutil.copyfile(path, draft)
            draft.replace(folder / path.name)
            module.prune(house, folder, chosen.keep)
        except OSError as error:
            return {"fault": f"{folder} could not be written: {error.strerror or error}"}
        return {"copied": str(folder / path.name)}

    async def drill(self, path: Path | None = None) -> dict[str, Any]:
        """Try a backup, the newest when none is named: restored beside, looked at, removed (NotFound without one)."""
        module, house = await asyncio.to_thread(self._house)
        if path is None:
            found = await asyncio.to_thread(module.listed, self.home.backups)
            if not found:
                raise NotFound("There is no backup yet. Make one with: soloist backup")
            path = found[0]["path"]
        tried: backup.Drill = await asyncio.to_thread(module.drill, house, path)
        told = {
            "at": iso(self.store.clock()),
            "path": str(path),
            "of": tried.at,
            "ok": not tried.faults,
            "seconds": round(tried.seconds, 2),
            "cut_seq": tried.cut_seq,
            "files": tried.files,
            "rows": tried.rows,
            "events": tried.events,
            "assets": tried.assets,
            "secrets": tried.secrets,
            "opened": tried.opened,
            "faults": tried.faults[:20],
        }
        await self._keep(DRILLED, told, "backup.tried")
        return told

    def _house(self) -> tuple[Any, Any]:
        """Archives and compression are loaded when the first backup is made, not when the server starts."""
        module = importlib.import_module("soloist.engine.backup")
        return module, module.House(self.home, self.store.url, Vault(self.home.keys))

    async def _keep(self, key: str, told: dict[str, Any], kind: str) -> None:
        """How it went, as a setting and as an event."""

        def work(tx: Tx) -> None:
            switches.put(tx, key, json.dumps(told, sort_keys=True))
            tx.append(kind, payload={name: told[name] for name in told if name not in ("path", "copied")})

        await self.store.write(work)

    async def follow(self) -> None:
        """Make and try them when they are due, for as long as the server runs."""
        await asyncio.sleep(FIRST_LOOK)
        while True:
            try:
                await self.look()
            except (SoloistError, OSError) as error:
                logging.getLogger("soloist.backup").warning("no backup could be made: %s", error)
                await self._failed(str(error))
                await asyncio.sleep(30 * LOOK_EVERY)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> str:
        """Do what is due: "made", "tried" or "" for nothing."""
        if await self._due(LAST, self.settings.backup.every):
            await self.make()
            return "made"
        if await self._due(DRILLED, self.settings.backup.drill):
            await self.drill()
            return "tried"
        return ""

    async def _due(self, key: str, every: str) -> bool:
        """Whether the pause since the last time is over."""
        pause = seconds(every)
        text = await self.store.read(lambda conn: switches.value(conn, key))
        if not pause or not text:
            return bool(pause)
        at = json.loads(text)["at"]
        return not at or (self.store.clock() - from_iso(at)).total_seconds() >= pause

    async def _failed(self, why: str) -> None:
        """Keep why the last one failed beside what is known of the one before it."""

        def work(tx: Tx) -> None:
            known = json.loads(switches.value(tx.conn, LAST) or "{}")
            switches.put(tx, LAST, json.dumps({"at": "", **known, "fault": why}, sort_keys=True))

        try:
            await self.store.write(work, full=False)
        except SoloistError as error:
            logging.getLogger("soloist.backup").warning("that could not be kept either: %s", error)
