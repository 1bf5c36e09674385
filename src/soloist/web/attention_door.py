"""The console's way to the operator's time: what is planned for it, measured of it, and decided in one sitting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.app import App
from soloist.flows import attention as flow
from soloist.insight import attention


class Time:
    """One App's cards as the pages about the operator's time ask for them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._desk = app.desk

    @property
    def _now(self) -> str:
        return self._desk.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    async def page(self) -> attention.AttentionPage:
        """What is set, planned and measured."""
        now, rules, zone = self._now, self._desk.settings.attention, self._desk.settings.business.timezone
        return await self._desk.store.read(lambda conn: attention.page(conn, rules, zone, now))

    async def adjust(self, values: Mapping[str, Any], who: str) -> None:
        """Set minutes, windows, weekdays or the cap; nothing given: back to soloist.toml (BadConfig)."""
        await flow.adjust(self._desk, values, who=who)

    async def exposition(self) -> str:
        """The figures as watchers read them."""
        now = self._now
        return await self._desk.store.read(lambda conn: attention.exposition(conn, now))
