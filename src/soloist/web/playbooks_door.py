"""The door to playbooks and plans for console, API and command line: reads through insight, acts through flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.app import App
from soloist.flows.plans import Plans, Start, standings
from soloist.insight import playbooks, roles
from soloist.kernel.errors import NotFound
from soloist.kernel.origin import OUTSIDE


class Books:
    """The playbooks of one App."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._store, self._plans = app.store, Plans(app.desk)
        self.flow = self._plans.books

    async def page(self) -> playbooks.BooksPage:
        """All of them, and plans that could become one."""

        def read(conn: Any) -> playbooks.BooksPage:
            found, wrong = self.flow.in_use(conn)
            return playbooks.books(conn, found, wrong, playbooks.likely(conn, playbooks.titles(conn)))

        return await self._store.read(read)

    async def one(self, name: str) -> playbooks.BookPage:
        """One playbook (NotFound)."""

        def read(conn: Any) -> playbooks.BookPage:
            found, wrong = self.flow.in_use(conn)
            if name not in found:
                why = next((f" {text}" for text in wrong if name in text), "")
                raise NotFound(f"There is no playbook called {name[:80]!r}.{why}", field="name")
            return playbooks.one(conn, found[name], self.flow.text(conn, name))

        return await self._store.read(read)

    async def compare(self, name: str, old: str, new: str) -> roles.Comparison:
        """Two versions (NotFound)."""
        return await self._store.read(lambda conn: roles.compare(conn, playbooks.KIND, name, old, new))

    async def plan(self, ident: str) -> playbooks.PlanPage:
        """One plan (NotFound)."""

        def read(conn: Any) -> playbooks.PlanPage:
            row, book, given, stands = standings(conn, ident)
            return playbooks.plan(row, book, stands, given)

        return await self._store.read(read)

    async def run(
        self, name: str, values: Mapping[str, Any], *, who: str, ref: str = "", outside: bool = False
    ) -> dict[str, Any]:
        """Begin the plan of a playbook: {id, playbook, new} (NotFound, BadConfig, BadInput).

        What a message started is from outside whatever is said; ``outside`` says so of other values.
        """
        start = Start(values, ref=ref)
        if outside or "message" in values:
            start = Start(values, OUTSIDE, str(values.get("message", "")), ref=ref)
        return await self._plans.begin(name, start, who=who)
