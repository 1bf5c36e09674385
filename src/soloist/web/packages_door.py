"""The door to skills with code of others: what is installed, its review, the walls; it decides nothing itself."""

from __future__ import annotations

import asyncio
from typing import Any

from soloist.app import App
from soloist.flows.replacing import Replacing
from soloist.insight import packages as views


class Packaged:
    """The packages of one App."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._store, self.acts, self.replacing = app.desk.store, app.desk.packages, Replacing(app.desk)

    async def page(self, *, again: bool = False) -> views.PackagesPage:
        """Every package, and what the self-test says (done ``again`` when asked for)."""
        tested = await self.acts.tested(again=again)
        amiss = await asyncio.to_thread(self.acts.amiss)
        lines = await self._store.read(lambda conn: views.lines(conn, amiss))
        attempts = tuple((one.what, one.refused, one.said) for one in tested.attempts)
        trusted = self.acts.sandbox.trusted
        return views.PackagesPage(tuple(lines), tested.level, tested.holds, trusted, tested.lacking, attempts)

    async def one(self, name: str, begins: str) -> views.PackagePage:
        """One content with its texts, and what differs from the one in use (NotFound)."""
        row, rows = await self._store.read(lambda conn: views.content(conn, name, begins))
        amiss = await asyncio.to_thread(self.acts.amiss)
        texts = await asyncio.to_thread(self._texts, row)
        live = next((one for one in rows if one["state"] == "accepted" and one["hash"] != row["hash"]), None)
        differs = views.compared(await asyncio.to_thread(self._texts, live), texts) if live and texts else ()
        others = tuple(views.line(one, amiss) for one in rows if one["hash"] != row["hash"])
        against = f"{live['version']} ({live['hash'][:12]})" if live else ""
        return views.PackagePage(views.line(row, amiss), tuple(texts.items()), against, differs, others)

    def _texts(self, row: dict[str, Any]) -> dict[str, str]:
        """The files as texts; none of a package whose files are gone."""
        found = {name: self.acts.text(row, name) for name in row["content"]["files"]}
        return found if any(found.values()) else {}
