"""The console's way to working sessions and to what ways of working led to; it holds no rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.app import App
from soloist.flows.sessions import Sessions
from soloist.insight import working


class Work:
    """One App's working sessions as the pages ask for them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._store, self._sessions = app.store, Sessions(app.desk)

    async def page(self) -> working.WorkPage:
        """Sessions, ways of working, results, the cost of memory."""
        return await self._store.read(working.page)

    async def begin(self, given: Mapping[str, Any], who: str) -> None:
        """Open a session (BadInput, NotFound)."""
        await self._sessions.begin(given, who=who)

    async def end(self, ident: str, how: str, who: str) -> None:
        """Close a session into its summary, or carry it over into a new one (NotFound, Conflict)."""
        if how == "carried":
            await self._sessions.carry_over(ident, {}, who=who)
        else:
            await self._sessions.close(ident, who=who)
