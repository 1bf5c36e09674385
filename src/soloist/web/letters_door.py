"""The doors' way to one-time links and to handing a card to a person: look, decide by a link, hand over, take back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from soloist.app import App
from soloist.flows.deciding import Deciding, Look
from soloist.flows.delegating import Delegating, With
from soloist.insight.views import Sheet


class Letters:
    """One App as one-time links and delegation see it."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._settings = app.settings
        self._deciding, self._delegating = Deciding(app.desk), Delegating(app.desk)

    @property
    def business(self) -> tuple[str, str]:
        """The company's name and its time zone."""
        return self._settings.business.name, self._settings.business.timezone

    async def look(self, token: str) -> Look:
        """What a link shows; it uses nothing up."""
        return await self._deciding.look(token)

    async def press(self, token: str, option: str, reason: str) -> str:
        """Decide by a link, once; the card's title (NotFound, Conflict, StaleHash, NotAllowed)."""
        return await self._deciding.press(token, option, reason)

    async def comment(self, token: str, text: str) -> None:
        """Leave words on the card without deciding (NotFound, Conflict)."""
        await self._deciding.comment(token, text)

    def people(self) -> Sequence[tuple[str, str]]:
        """Whom a card may be handed to: short name and name."""
        return [(key, person.name) for key, person in sorted(self._settings.people.items())]

    async def offered(self, sheet: Sheet) -> Sheet:
        """An open card with whom it is with, or whom it may be handed to."""
        if not self._settings.people:
            return sheet
        held, may = await self._delegating.standing(sheet.id)
        if held is not None:
            return replace(sheet, held_by=held.name, held_until=held.until)
        return replace(sheet, people=tuple(self.people()) if may else ())

    async def hand_over(self, card: str, to: str, *, until: str, who: str, via: str) -> With:
        """Hand a card to a person (NotFound, Conflict, NotAllowed, BadInput)."""
        return await self._delegating.hand_over(card, to, until=until, who=who, via=via)

    async def take_back(self, card: str, *, who: str) -> None:
        """Take it back: her codes end (Conflict when it is with nobody)."""
        await self._delegating.take_back(card, who=who)
