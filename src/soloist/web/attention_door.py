"""The console's way to the operator's time: what is planned for it, measured of it, and decided in one sitting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.app import App
from soloist.flows import attention as flow
from soloist.flows import together as deciding
from soloist.insight import attention, seeing, together


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

    async def opened(self, card: str, who: str) -> together.Look:
        """What is beside a card that this operator has open now: the look is kept (NotFound)."""
        now = self._now
        changed, worth = await self._desk.store.read(lambda conn: seeing.changes(conn, card, who, now))
        if worth:
            await self._desk.store.write(lambda tx: seeing.look(tx, card, who), full=False)
        return together.Look(changed, await self._desk.store.read(lambda conn: together.beside(conn, card, now)))

    async def group(self, card: str, who: str) -> together.Group:
        """The cards that can be decided with one (NotFound); all of them are looked at by this."""
        now = self._now
        found = await self._desk.store.read(lambda conn: together.group(conn, card, now))
        idents = [sheet.id for sheet in found.sheets]
        await self._desk.store.write(lambda tx: seeing.look_at_all(tx, idents, who), full=False)
        return found

    async def decide(
        self, shown: Mapping[str, str], option: str, *, whole: bool, who: str, reason: str = ""
    ) -> list[deciding.Said]:
        """Decide cards by the hashes that were shown; ``whole``: a bundle, all or none (Conflict)."""
        act = deciding.whole if whole else deciding.each
        return await act(self._desk, shown, option, who=who, via="console", reason=reason)

    async def exposition(self) -> str:
        """The figures as watchers read them."""
        now = self._now
        return await self._desk.store.read(lambda conn: attention.exposition(conn, now))
