"""Links: the connections of a home as soloist.toml has them now; a changed file is taken over while the server runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from soloist import config
from soloist.engine import registry
from soloist.engine.connections import Connection, connections, context
from soloist.engine.keyring import Keyring
from soloist.engine.registry import ReadingHalf
from soloist.kernel.errors import BadConfig
from soloist.kernel.proposal import CHANGE_CONNECTOR, UNDOING
from soloist.sdk import Registry

LOOK_EVERY = 2.0
"""Seconds between two looks at the file's date."""


class Links:
    """``halves`` is one mapping for the life of the process, so that everyone who holds it sees what changes."""

    def __init__(self, home: config.Home, settings: config.Settings, plugins: Registry, keyring: Keyring) -> None:
        """Open every connection of the settings (BadConfig)."""
        self._home, self._plugins, self._keyring = home, plugins, keyring
        self.settings = settings
        self._known: dict[str, Connection] = {}
        self.halves: dict[str, ReadingHalf] = {}
        self.trouble = ""
        self._written = self._date()
        self._take(settings)

    def reread(self, again: str = "") -> bool:
        """Take over soloist.toml as it is now (BadConfig changes nothing); True when something changed.

        ``again`` names a connection that is opened afresh although its settings are the same (a new password).
        """
        settings = config.read(self._home.toml, strict=False)
        self._known.pop(again, None)
        self._written = self._date()
        return self._take(settings)

    async def follow(self, changed: Callable[[], None]) -> None:
        """Look at the file's date for as long as the server runs; a file with a fault is told and not taken over."""
        log = logging.getLogger("soloist.links")
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._date() == self._written:
                continue
            self._written = self._date()
            try:
                if await asyncio.to_thread(self.reread):
                    changed()
                self.trouble = ""
            except (BadConfig, OSError) as error:
                self.trouble = str(error)
                log.warning("soloist.toml was changed and not taken over: %s", error)

    def check_payload(self, row: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        """Whether a payload could be carried out at all (BadInput names the field)."""
        if row["connector"] != CHANGE_CONNECTOR and row.get("source") != UNDOING:
            self.halves[row["connector"]].check_payload(row["operation"], payload)

    def _take(self, settings: config.Settings) -> bool:
        """Open what is new or different, drop what is gone; the others stay the objects they were."""
        wanted = connections(settings)
        fresh = {name: link for name, link in wanted.items() if self._known.get(name) != link}
        make = partial(
            context,
            settings=settings,
            home=self._home.root,
            secrets=self._keyring.secret,
            renew=self._keyring.put,
        )
        opened = registry.reading_halves(fresh, self._plugins, make)
        gone = set(self._known) - set(wanted)
        for name in {*gone, *fresh}:
            self.halves.pop(name, None)
        self.halves.update(opened)
        asked = (settings.models, settings.budgets) != (self.settings.models, self.settings.budgets)
        self.settings, self._known = settings, wanted
        return bool(fresh or gone or asked)

    def _date(self) -> int:
        try:
            return self._home.toml.stat().st_mtime_ns
        except OSError:
            return 0
