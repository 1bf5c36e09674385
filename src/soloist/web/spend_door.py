"""The doors' way to models and money: figures, caps set and extended, a model checked; it holds no cap."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from soloist.app import App
from soloist.flows.modelling import Modelling
from soloist.flows.trying import CASES, Plan, Trying
from soloist.insight import spend, trying
from soloist.insight.spend import CapLine, ModelLine, SpendPage
from soloist.insight.trying import TrialOfModel
from soloist.kernel.errors import NotFound
from soloist.stages.spend import amount, cap_of


class Spending:
    """One App's models and money."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app

    async def page(self) -> SpendPage:
        """Caps, the month and where it went."""
        now = self._app.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        zone, ledger = self._app.settings.business.zone, self._app.desk.spend
        return await self._app.store.read(lambda conn: spend.page(conn, ledger, now, zone))

    async def caps(self) -> tuple[CapLine, ...]:
        """The caps in force."""
        return (await self.page()).caps

    async def models(self) -> list[ModelLine]:
        """The configured models; the list of prices is read on a thread."""
        return await asyncio.to_thread(Modelling(self._app.desk).lines)

    async def trials(self) -> list[TrialOfModel]:
        """Trials of models, the newest first."""
        return await self._app.store.read(trying.lines)

    async def plan(self, name: str, skill: str = "", most: int = CASES) -> Plan:
        """What a trial would ask and cost; nothing is asked (NotFound, BadInput, CapReached)."""
        return await Trying(self._app.desk).plan(name, skill, most)

    async def attempt(self, name: str, skill: str, most: int, who: str) -> TrialOfModel:
        """Begin a trial that the server carries out, after its estimate (NotFound, BadInput, CapReached)."""
        found = Trying(self._app.desk)
        ident = await found.begin(await found.plan(name, skill, most), who=who, engine=True)
        return await self._app.store.read(lambda conn: trying.one(conn, ident))

    async def check(self, name: str) -> str:
        """Ask a model for one word; what came, in a sentence (NotFound, ModelTrouble, CapReached)."""
        answer = await Modelling(self._app.desk).check(name)
        cost = amount("money", answer.cost_micro, answer.currency)
        return f"{answer.author} answered ({answer.tokens_in} tokens in, {answer.tokens_out} out, {cost})."

    async def set_cap(self, given: Mapping[str, str], who: str, why: str) -> str:
        """Put a cap in force (BadInput); its key."""
        ledger = self._app.desk.spend
        cap = cap_of(given, self._app.settings.budgets, ledger.currency)
        return await ledger.set_cap(cap, who=who, why=why)

    async def extend(self, key: str, who: str, percent: int = 0) -> None:
        """Extend a cap until its period is over (NotFound, BadInput)."""
        await self._app.desk.spend.extend(key, who=who, percent=percent)

    async def remove(self, key: str, who: str) -> None:
        """Take a cap that was set here out (NotFound, BadInput)."""
        await self._app.desk.spend.remove_cap(key, who=who)

    async def cap(self, key: str) -> CapLine:
        """One cap in force (NotFound)."""
        for line in await self.caps():
            if line.key == key:
                return line
        raise NotFound(f"There is no cap {key[:80]!r}.")
