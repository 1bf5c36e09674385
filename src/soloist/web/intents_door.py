"""The doors' way to intents: the list, keeping and ending one, telling what a message wants; it holds no rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.app import App
from soloist.flows.intents import LEADS, Intents
from soloist.insight import intents
from soloist.insight.intents import IntentsPage
from soloist.kernel.errors import NotFound


class Wanted:
    """One App's intents."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app, self._intents = app, Intents(app.desk)

    async def page(self) -> IntentsPage:
        """Everything about intents as it is now."""
        due = await self._intents.due()
        lines, known, lately = await self._app.store.read(
            lambda conn: (intents.lines(conn), intents.languages(conn), intents.lately(conn))
        )
        targets = tuple((lead, tuple(self._intents.targets(lead))) for lead in LEADS)
        return IntentsPage(tuple(lines), tuple(known), tuple(lately), targets, due)

    async def one(self, name: str) -> intents.IntentLine:
        """One intent (NotFound)."""
        for line in (await self.page()).intents:
            if line.name == name:
                return line
        raise NotFound(f"There is no intent called {name[:60]!r}.", field="name")

    async def keep(self, given: Mapping[str, Any], who: str) -> str:
        """Keep an intent (BadInput names the field); its name."""
        return await self._intents.keep(given, who=who)

    async def end(self, name: str, who: str) -> None:
        """Take one out of use (NotFound)."""
        await self._intents.end(name, who=who)

    async def tell(self, message: str, name: str, who: str) -> None:
        """What a message wants, by a person's word (NotFound)."""
        await self._intents.tell(message, name, who=who)

    async def fit(self) -> dict[str, Any]:
        """Learn the examples now (WorkerTrouble)."""
        return await self._intents.fit()
