"""The console's way to memory: what is held, about whom, what was looked up and why it ranked; it holds no rule."""

from __future__ import annotations

from soloist.app import App
from soloist.insight import memory
from soloist.insight.memory import Wanted


class Remembering:
    """One App's memory as the pages ask for it."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app, self._desk, self._store = app, app.desk, app.store

    @property
    def _now(self) -> str:
        return self._store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    async def overview(self) -> memory.Overview:
        """The first page."""
        now = self._now
        return await self._store.read(lambda conn: memory.overview(conn, now))

    async def whom(self, query: str = "", after: str = "") -> memory.WhomPage:
        """Whom memory is about, by name."""
        return await self._store.read(lambda conn: memory.whom(conn, query=query, after=after))

    async def items(self, wanted: Wanted, before: int = 0) -> memory.ItemsPage:
        """Items that last, by pages."""
        now = self._now
        return await self._store.read(lambda conn: memory.items(conn, wanted, now, before=before))

    async def item(self, ident: str) -> memory.ItemPage:
        """One item whole (NotFound)."""
        return await self._store.read(lambda conn: memory.item(conn, ident))
