"""The console's way to what is kept: retention, snapshots, erasures, and what a decision knew; it holds no rule."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from soloist.app import App
from soloist.flows import keeping as flow
from soloist.flows.erasing import Erasing, Preview
from soloist.flows.keeping import Keeping
from soloist.insight import erasures, keeping, knew, timetravel
from soloist.kernel.errors import BadInput
from soloist.kernel.hashing import sha256
from soloist.stages.memory.steps import read_book


class Kept:
    """One App's keeping as the pages ask for it."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app, self._desk = app, app.desk

    async def page(self, tried: Mapping[str, int] | None = None) -> keeping.Page:
        """Everything about how long what is kept; ``tried`` are days to look at before they are in force (BadInput)."""
        keeper = Keeping.of(self._desk)
        found = await keeper.preview(tried)
        version, days = await self._desk.store.read(keeper.rules)
        shown = {**days, **(tried or {})}
        return await self._desk.store.read(lambda conn: keeping.page(conn, version, shown, found))

    async def put(self, rules: Mapping[str, int], who: str, why: str) -> None:
        """A new version of the policy (BadInput)."""
        await Keeping.of(self._desk).put(rules, who=who, why=why)

    async def collect(self, who: str) -> None:
        """Carry the policy out."""
        await Keeping.of(self._desk).collect(who=who)

    async def snapshot(self, label: str, who: str) -> None:
        """Name this instant (BadInput)."""
        await flow.snapshot(self._desk.store, label, who=who)

    async def verified(self, ident: str) -> dict[str, Any]:
        """A snapshot compared with now (NotFound)."""
        return await self._desk.store.read(lambda conn: timetravel.verified(conn, ident))

    async def preview(self, who: str, also: list[str]) -> Preview:
        """What an erasure would find (NotFound, BadInput)."""
        return await Erasing.of(self._desk).preview(who, also)

    async def erase(self, given: Mapping[str, str], also: list[str], who: str) -> str:
        """Erase after the name was typed again (BadInput); the id of the erasure."""
        erasing = Erasing.of(self._desk)
        seen = await erasing.preview(given["who"], also)
        if given.get("confirm", "").strip() != seen.word:
            raise BadInput(f"Type the name exactly as it stands: {seen.word}. Nothing was erased.", field="confirm")
        done = await erasing.erase(given["who"], who=who, why=given.get("why", ""), also=also)
        return str(done["id"])

    async def erasure(self, ident: str) -> dict[str, Any]:
        """One erasure with its proof (NotFound)."""
        return await self._desk.store.read(lambda conn: erasures.row(conn, ident))

    async def knew(self, ident: str) -> knew.KnewPage:
        """What it knew when it did this (NotFound)."""
        book = self._desk.home.path(self._desk.settings.intake.house_book)
        digest = await asyncio.to_thread(_digest, book)
        return await self._desk.store.read(lambda conn: knew.page(conn, ident, digest))

    async def replay(self, retrieval: str) -> Mapping[str, Any]:
        """Look the same up again (NotFound)."""
        return await self._desk.memory.replay(retrieval)


def _digest(book: Any) -> str:
    return sha256(read_book(book))
