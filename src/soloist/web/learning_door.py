"""The door to what was learnt: corrections, wordings and trials; reads through insight, acts through flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.app import App
from soloist.flows import corrections as flow
from soloist.flows.replaying import Asked, Replaying
from soloist.insight import corrections as insight


class Learning:
    """The corrections and trials of one App."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app, self._store = app, app.desk.store
        self._kept, self.replaying = flow.Kept(app.desk), Replaying(app.desk)

    async def page(self, before: str = "") -> insight.Page:
        """What was corrected, what is offered, whether it falls."""
        return await self._store.read(lambda conn: insight.page(conn, flow.offered(conn), before=before))

    async def say(self, given: Mapping[str, str], yes: bool, who: str) -> str:
        """Put an offered wording in force, or say no to it (NotFound, BadInput); its id."""
        return await self._kept.use(given, who=who, yes=yes)

    async def end_wording(self, ident: str, who: str) -> None:
        """Use a wording no more (NotFound, Conflict)."""
        await self._kept.end(ident, who=who)

    async def drop(self, ident: str, who: str) -> None:
        """A correction is neither example nor test any more (NotFound)."""
        await self._kept.drop(ident, who=who)

    async def trials(self, before: str = "", limit: int = insight.PAGE) -> list[insight.TrialLine]:
        """Trials, the newest first."""
        return await self._store.read(lambda conn: insight.trial_lines(conn, before=before, limit=limit))

    async def trial(self, ident: str, outcome: str = "", after: int = -1) -> insight.TrialPage:
        """One trial with its rows (NotFound)."""
        return await self._store.read(lambda conn: insight.trial_page(conn, ident, outcome=outcome, after=after))

    async def line(self, ident: str) -> insight.TrialLine:
        """One trial (NotFound)."""
        return (await self.trial(ident)).line

    async def begin(self, asked: Asked, who: str) -> str:
        """Begin a trial; the server carries it out. A single run is done at once (BadInput, BadConfig, NotFound)."""
        if asked.kind == "run" and asked.name:
            ident = await self.replaying.begin(asked, who=who)
            await self.replaying.through(ident)
            return ident
        return await self.replaying.begin(asked, who=who, engine=True)

    async def cancel(self, ident: str, who: str) -> None:
        """Stop a trial (NotFound, Conflict)."""
        await self.replaying.cancel(ident, who=who)

    def choices(self) -> dict[str, list[str]]:
        """What can be tried, by kind."""
        roster = self._app.desk.runtime.roster
        return {"agent": sorted(roster.specs), "skill": sorted(roster.skills), "model": [*self._app.desk.models.parts]}


def asked_of(given: Mapping[str, Any]) -> Asked:
    """A trial from the fields of a form: kind, what ("agent:intake"), version, text, since, corrected."""
    kind, _, name = str(given.get("what", "")).partition(":")
    kind = str(given.get("kind", "")) or kind
    return Asked(
        kind,
        name or str(given.get("name", ""))[:200],
        str(given.get("version", ""))[:40].strip(),
        str(given.get("text", ""))[:100_000],
        str(given.get("since", ""))[:40],
        str(given.get("corrected", "")) in ("1", "on", "true"),
    )
