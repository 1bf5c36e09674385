"""The console's and the API's way to differences between inside and outside; it holds no rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from soloist.app import App
from soloist.flows.after_cut import listable
from soloist.flows.desk import Desk
from soloist.flows.fixing import Fixing
from soloist.flows.reconciling import Reconciling
from soloist.insight import reconcile as views


def linked(desk: Desk) -> list[views.Linked]:
    """Every connection with what can be listed of it."""
    return [_linked(half) for half in desk.connections.values()]


def _linked(half: Any) -> views.Linked:
    can = listable(half)
    try:
        known = half.operations()
    except (ValueError, KeyError):
        known = {}
    operations = tuple((one.name, one.effect_class, one.lookup_lag, one.name in can) for one in known.values())
    return views.Linked(half.name, half.kind, half.manifest.title, half.consistency, operations)


class Reconcile:
    """One App's differences as pages and programs ask for them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._home = app.home
        self._desk, self._fixing, self._own = app.desk, Fixing(app.desk), Reconciling(app.desk)

    async def page(self) -> views.ReconcilePage:
        """What was compared, and each difference."""
        links = linked(self._desk)
        return await self._desk.store.read(lambda conn: views.page(conn, links))

    async def domains(self) -> tuple[views.Domain, ...]:
        """The declared consistency domains."""
        links, newest = linked(self._desk), self._newest_backup()
        return await self._desk.store.read(lambda conn: views.domains(conn, links, backup=newest))

    async def compare(self, connector: str, who: str) -> str:
        """Compare a connection now; the id of the run (NotFound)."""
        return await self._own.ask(connector, who)

    async def decide(self, ident: str, option: str, fields: Mapping[str, str], who: str) -> dict[str, Any]:
        """Carry out an option of a difference (NotFound, BadInput, Conflict)."""
        return await self._fixing.decide(ident, option, who=who, fields=fields)

    def _newest_backup(self) -> str:
        """When the newest file in the folder of backups was written, in words."""
        try:
            times = [path.stat().st_mtime for path in self._home.backups.iterdir() if path.is_file()]
        except OSError:
            times = []
        return f"the newest is of {datetime.fromtimestamp(max(times), UTC):%Y-%m-%d %H:%M} UTC" if times else "none yet"
