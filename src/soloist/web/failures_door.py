"""The console's way to the board of failures; it holds no rule."""

from __future__ import annotations

from typing import Any

from soloist.app import App
from soloist.insight import failures
from soloist.kernel.errors import Conflict


class Failures:
    """One App's failures as the pages ask for them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._desk = app.desk

    async def board(self) -> failures.Board:
        """What does not work."""
        return await self._desk.store.read(failures.board)

    async def choose(self, ident: str, option: str, who: str) -> dict[str, Any]:
        """Carry out an option of a failure (Conflict when it is over)."""
        card = await self._desk.store.read(lambda conn: failures.card_of(conn, ident))
        if not card:
            raise Conflict("This failure is over already; nothing was changed.")
        return await self._desk.decide_card(card, option, digest="", who=who, via="console")
