"""The console's way to the operator's time: what is planned for it, measured of it, and decided in one sitting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from soloist.app import App
from soloist.flows import attention as flow
from soloist.flows import holding as interceding
from soloist.flows import together as deciding
from soloist.insight import alone, attention, holding, seeing, sitting, together, views


class Time:
    """One App's cards as the pages about the operator's time ask for them."""

    def __init__(self, app: App, offer: Callable[[views.Sheet], Awaitable[views.Sheet]]) -> None:
        """The App is given and only used; ``offer`` adds to a sheet what can be done with it besides deciding."""
        self._desk, self._offer = app.desk, offer

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

    async def before(self) -> sitting.Sitting:
        """What a sitting of each length would hold."""
        now, rules, zone = self._now, self._desk.settings.attention, self._desk.settings.business.timezone
        return await self._desk.store.read(lambda conn: sitting.before(conn, rules, zone, now))

    async def sit_down(self, minutes: int, who: str) -> int:
        """Begin a sitting; the number by which it is known (BadInput)."""
        return await flow.sit_down(self._desk, minutes, who=who)

    async def sitting(self, seq: int, card: str = "") -> sitting.Sitting:
        """Where a sitting stands, with its next card or the one asked for (NotFound)."""
        now, rules, zone = self._now, self._desk.settings.attention, self._desk.settings.business.timezone
        found = await self._desk.store.read(lambda conn: sitting.at(conn, seq, rules, zone, now=now, card=card))
        return replace(found, current=await self._offer(found.current)) if found.current else found

    async def alone(self) -> alone.AlonePage:
        """What ran alone and nobody has looked at."""
        now, rules = self._now, self._desk.settings.attention
        return await self._desk.store.read(lambda conn: alone.page(conn, rules, now))

    async def looked_at(self, proposals: Sequence[str], who: str) -> None:
        """Keep that these were looked at."""
        await flow.looked_at(self._desk, proposals, who=who)

    async def held(self, run: str) -> holding.HoldPage:
        """Whether a run is paused, and what of it has not left (NotFound)."""
        return await self._desk.store.read(lambda conn: holding.page(conn, run))

    async def hold(self, run: str, on: bool, who: str, why: str = "") -> None:
        """Pause a run, or let it go on (NotFound)."""
        if on:
            await interceding.hold(self._desk, run, who=who, why=why)
        else:
            await interceding.release(self._desk, run, who=who)

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
