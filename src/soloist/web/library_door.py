"""The console's way to what is kept about clients: tables as CSV, search; it reads through insight, holds no rule."""

from __future__ import annotations

from soloist.app import App
from soloist.flows.indexing import Indexing
from soloist.insight import records, search

FRESH_WITHIN = 0.3
"""Seconds that a search waits for the index to catch up with what happened a moment ago."""


class Library:
    """One App's records as the pages ask for them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app
        self._indexing = Indexing(app.store)

    async def csv(
        self, kind: str, *, query: str = "", state: str = "", sort: str = "", direction: str = ""
    ) -> list[str]:
        """The whole filtered table in pieces, all from one moment."""
        asked = {"query": query, "state": state, "sort": sort, "direction": direction}
        return await self._app.store.read(lambda conn: list(records.csv_pieces(conn, kind, **asked)))

    async def search(self, text: str, *, only: str = "", before: int = 0) -> search.SearchPage:
        """What fits, in groups; what was written a moment ago is found as well."""
        await self._indexing.catch_up(FRESH_WITHIN)
        return await self._app.store.read(lambda conn: search.page(conn, text, only=only, before=before))
