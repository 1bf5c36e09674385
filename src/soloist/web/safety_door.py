"""The console's way to safety: what is halted, backups made and tried, the end of safe mode; no key passes it."""

from __future__ import annotations

import asyncio
from typing import Any

from soloist.app import App
from soloist.config import seconds
from soloist.flows.backups import Backups
from soloist.flows.checkpoints import Marks
from soloist.flows.restoring import Restoring
from soloist.insight import safety


class Safety:
    """One App's safety as the page asks for it."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._desk = app.desk
        self._backups = Backups(app.store, app.home, app.settings)
        self._one_by_one = asyncio.Lock()

    async def page(self) -> safety.SafetyPage:
        """Everything of the page."""
        desk, chosen = self._desk, self._desk.settings.backup
        files = await asyncio.to_thread(Marks(desk).files)
        told: dict[str, Any] = {
            "every": seconds(chosen.every),
            "text": chosen.every,
            "keep": chosen.keep,
            "to": str(desk.home.path(chosen.to)) if chosen.to else "",
            "home": str(desk.home.backups),
            "files": [str(path) for path in files],
        }
        now, halt = desk.store.clock().isoformat(), desk.effects.halt
        return await desk.store.read(lambda conn: safety.page(conn, halt, told, now))

    async def back_up(self) -> None:
        """Make a backup now (OSError, SoloistError)."""
        async with self._one_by_one:
            await self._backups.make()

    async def drill(self) -> None:
        """Try the newest backup now (NotFound without one)."""
        async with self._one_by_one:
            await self._backups.drill()

    async def look_outside(self) -> None:
        """Compare with the outside once more since the cut of the restored backup."""
        page = await self.page()
        if page.restored.restored:
            await Restoring(self._desk).look_outside({"cut_at": page.restored.cut_at})

    async def leave(self, who: str) -> None:
        """End safe mode (Conflict when there is none)."""
        await Restoring(self._desk).leave(who=who)
