"""The console's way to records that may be one; it holds no rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.app import App
from soloist.flows.merging import Merging
from soloist.insight import merging as views
from soloist.kernel.errors import BadInput


class Merges:
    """One App's pairs as pages ask for them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._store, self._own = app.desk.store, Merging(app.desk)

    async def page(self) -> views.MergesPage:
        """Pairs to decide, done and kept apart."""
        return await self._store.read(views.page)

    async def standing(self, record: str) -> views.Standing:
        """What the page of one record says about merges (NotFound)."""
        return await self._store.read(lambda conn: views.standing(conn, record))

    async def merge(self, kept: str, other: str, choices: Mapping[str, str], who: str) -> dict[str, Any]:
        """Let two records be one (BadInput, Conflict, NotFound)."""
        return await self._own.merge(kept, other, choices, who=who)

    async def undo(self, card: str, who: str) -> str:
        """Take back what was decided on a card about a pair, in words; "" when the card is about something else."""
        return await self._own.undo(card, who=who)

    async def decide(self, ident: str, option: str, who: str) -> dict[str, Any]:
        """An option of a pair: merge, swap (the other one is kept), apart, unmerge (BadInput, Conflict, NotFound)."""
        if option == "unmerge":
            return await self._own.unmerge(ident, who=who)
        if option == "apart":
            return await self._own.keep_apart(ident, who=who)
        if option not in ("merge", "swap"):
            raise BadInput("option: one of merge, swap, apart, unmerge.", field="option")
        row = await self._store.read(lambda conn: views.row(conn, ident))
        kept, other = (row["kept"], row["other"]) if option == "merge" else (row["other"], row["kept"])
        return await self._own.merge(kept, other, {}, who=who)
