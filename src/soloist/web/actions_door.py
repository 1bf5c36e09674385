"""The console's way to the list of everything that can be done; it holds no rule."""

from __future__ import annotations

from typing import Protocol

from soloist.app import App
from soloist.engine.rate import Lines, lines_of
from soloist.insight import actions
from soloist.kernel.errors import NotFound


class ActionsDoor(Protocol):
    """What the pages of actions ask."""

    async def page(self, query: str) -> actions.ActionsPage:
        """Everything that fits a query, and how the connections are."""

    async def one(self, connector: str, operation: str) -> actions.ActionPage:
        """One operation (NotFound)."""

    def exposition(self) -> str:
        """The pace of every connection for watchers."""


class Actions:
    """The actions of one App."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._desk = app.desk

    async def lines(self) -> list[actions.ActionLine]:
        """Every operation."""
        desk = self._desk
        halves, agents, lags = list(desk.connections.values()), desk.runtime.agents.values(), self._pace.lags
        return await desk.store.read(lambda conn: actions.lines(conn, halves, agents, lags))

    async def page(self, query: str) -> actions.ActionsPage:
        """Everything that fits a query, and how the connections are."""
        return actions.page(await self.lines(), list(self._desk.connections.values()), self._pace, query)

    async def one(self, connector: str, operation: str) -> actions.ActionPage:
        """One operation (NotFound)."""
        named = (line for line in await self.lines() if (line.connector, line.name) == (connector, operation))
        line = next(named, None)
        if line is None:
            raise NotFound(f"There is no operation {operation[:100]!r} of {connector[:100]!r}.")
        half = self._desk.connections.get(connector)
        state = actions.connector_line(half, self._pace) if half else None
        now = self._desk.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return await self._desk.store.read(lambda conn: actions.one(conn, line, state, now))

    def exposition(self) -> str:
        """The pace of every connection for watchers."""
        return actions.exposition(self._pace)

    @property
    def _pace(self) -> Lines:
        return lines_of(self._desk.home.root)
