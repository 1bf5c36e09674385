"""The door to agents and skills for console, API and command line: reads through insight, acts through flows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from soloist.app import App
from soloist.config import Home
from soloist.flows.publishing import Publishing
from soloist.insight import roles, suggesting, telemetry
from soloist.stages.runtime import contracts


class Registered:
    """The agents and skills of one App."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app, self._store = app, app.desk.store
        self._roster = app.desk.runtime.roster
        self.publishing = Publishing(app.desk)

    async def agents(self) -> roles.AgentsPage:
        """Every agent."""
        await self._store.read(self._roster.refresh)
        roster = self._roster
        lines = await self._store.read(lambda conn: roles.agents(conn, roster.specs, roster.states))
        now = self._store.clock()
        said = await self._store.read(lambda conn: suggesting.suggestion(conn, now, roster.specs, roster.states))
        return roles.AgentsPage(tuple(lines), tuple(roster.troubles), said)

    async def agent(self, name: str) -> roles.AgentPage:
        """One agent (NotFound)."""
        await self._store.read(self._roster.refresh)
        spec, content = self._roster.get(name), self._roster.contents[name]
        line = next(line for line in (await self.agents()).lines if line.name == name)
        return await self._store.read(lambda conn: roles.agent(conn, line, spec, content))

    async def telemetry(self) -> telemetry.TelemetryPage:
        """How agents and workflows do, and where cost arises."""
        chosen, home = self._app.settings, self._app.home
        month = self._store.clock().astimezone(chosen.business.zone).strftime("%Y-%m")
        currency, stored = self._app.desk.spend.currency, await asyncio.to_thread(_stored, home)
        return await self._store.read(lambda conn: telemetry.page(conn, month=month, currency=currency, stored=stored))

    async def compare(self, kind: str, name: str, old: str, new: str) -> roles.Comparison:
        """Two versions (NotFound)."""
        return await self._store.read(lambda conn: roles.compare(conn, kind, name, old, new))

    async def skills(self) -> list[roles.SkillLine]:
        """Every skill."""
        specs = list(self._roster.specs.values())
        return await self._store.read(lambda conn: roles.skills(conn, self._roster.skills, specs))

    def troubles(self) -> tuple[str, ...]:
        """What was not loaded, promises less than before, or is not run since its code was changed."""
        amiss = self._app.desk.packages.amiss().values()
        return (*self._app.registry.troubles, *self._roster.troubles, *amiss)

    async def skill(self, name: str) -> roles.SkillPage:
        """One skill (NotFound; BadConfig when its file of examples is wrong)."""
        told = contracts.named(self._roster.skills, name)
        file = (await asyncio.to_thread(contracts.of, told)).model_dump(mode="json")
        line = next(line for line in await self.skills() if line.name == name)
        return await self._store.read(lambda conn: roles.skill(conn, line, told, file))

    async def test(self, name: str) -> Sequence[contracts.Result]:
        """Run the examples of a skill, and keep how they went with its version."""
        return await self.publishing.test(self._app.worker, name)

    async def try_skill(self, name: str, value: Mapping[str, Any], blob: bytes = b"") -> dict[str, Any]:
        """Run a skill on an input of one's own, in the limited process; nothing is kept (NotFound, BadInput)."""
        told = contracts.named(self._roster.skills, name)
        return await self._app.worker.call(told.name, dict(value), blob)


def _stored(home: Home) -> dict[str, int]:
    """Bytes on the disk by what they are."""
    places = {"database": [home.database], "large files": _files(home.assets), "backups": _files(home.backups)}
    return {name: sum(path.stat().st_size for path in paths if path.is_file()) for name, paths in places.items()}


def _files(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))
