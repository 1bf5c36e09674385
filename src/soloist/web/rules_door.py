"""The doors' way to standing rules: said, tried, put in force, taken back; it reads no sentence itself."""

from __future__ import annotations

from typing import Any

from soloist.app import App
from soloist.flows.standing import Spoken, StandingRules
from soloist.insight import standing
from soloist.insight.standing import RulePage, RulesPage


class Rules:
    """One App's standing rules."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app

    @property
    def _rules(self) -> StandingRules:
        return StandingRules(self._app.desk)

    async def page(self) -> RulesPage:
        """Every rule."""
        return await self._app.store.read(standing.page)

    async def one(self, rule: str) -> RulePage:
        """One rule with its versions and where it applied (NotFound)."""
        return await self._app.store.read(lambda conn: standing.one(conn, rule))

    async def say(self, said: str, who: str, rule: str = "") -> Spoken:
        """Keep what was said as a rule, or as another version of one, not in force yet (BadInput, NotFound)."""
        return await self._rules.say(said, who=who, rule=rule)

    async def try_again(self, rule: str) -> dict[str, Any]:
        """Try a rule on the past as it is now (NotFound)."""
        return await self._rules.try_again(rule)

    async def use(self, rule: str, who: str) -> None:
        """Put the newest version in force (NotFound, Conflict)."""
        await self._rules.use(rule, who=who)

    async def end(self, rule: str, who: str, why: str = "") -> None:
        """Take a rule back (NotFound, Conflict)."""
        await self._rules.end(rule, who=who, why=why)
