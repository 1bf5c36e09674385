"""The console's way to what is kept about clients: tables as CSV; it reads through insight and holds no rule."""

from __future__ import annotations

from soloist.app import App
from soloist.insight import records


class Library:
    """One App's records as the pages ask for them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app

    async def csv(
        self, kind: str, *, query: str = "", state: str = "", sort: str = "", direction: str = ""
    ) -> list[str]:
        """The whole filtered table in pieces, all from one moment."""
        asked = {"query": query, "state": state, "sort": sort, "direction": direction}
        return await self._app.store.read(lambda conn: list(records.csv_pieces(conn, kind, **asked)))
