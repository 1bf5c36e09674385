"""The console's way to calendars: listed, connected by their address, read now, disconnected; it holds no rule."""

from __future__ import annotations

import asyncio

from soloist.app import App
from soloist.flows.connecting_calendar import PACES, ConnectingCalendar, Wanted
from soloist.insight import calendars as views
from soloist.kernel.errors import NotFound


class Calendars:
    """The calendars of one running App."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app
        self._flow = ConnectingCalendar(app.home, app.registry, app.keyring, app.store)
        self.paces = PACES

    async def lines(self) -> list[views.CalendarLine]:
        """Every calendar with when it was read."""
        known = await asyncio.to_thread(self._flow.known)
        troubles = dict(self._app.sources.troubles)
        return await self._app.store.read(lambda conn: views.lines(conn, known, troubles))

    async def connect(self, url: str, every: str, allow_private: bool, who: str) -> str:
        """Test and keep; the name (BadInput, Conflict)."""
        name = await asyncio.to_thread(self._flow.free_name)
        await self._flow.keep(Wanted(name, url, every, allow_private), who=who)
        self._app.connect(name)
        return name

    async def read_now(self, name: str) -> None:
        """Look at once, whatever its pace (NotFound)."""
        if name not in await asyncio.to_thread(self._flow.calendars):
            raise NotFound(f"There is no calendar {name!r}.")
        self._app.sources.wake()

    async def remove(self, name: str, who: str) -> None:
        """Disconnect it (NotFound)."""
        await asyncio.to_thread(self._flow.remove, name, who=who)
        self._app.connect()
