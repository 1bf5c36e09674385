"""Connecting a calendar by its address: read once as a test, and only then kept; the address goes into the vault."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from soloist import config
from soloist.engine import connections
from soloist.engine.egress import parse_url
from soloist.engine.keyring import Keyring
from soloist.engine.registry import ReadingHalf
from soloist.engine.store import streams
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.flows import connect_file
from soloist.flows.calendars import KIND
from soloist.kernel.errors import BadInput, Conflict, NotFound, SoloistError
from soloist.sdk import Health, MaybeSent, NotSent, Registry, Trouble

PACES: Mapping[str, str] = {"15m": "every 15 minutes", "hourly": "every hour", "by hand": "by hand"}
"""How fresh it is against how often the provider is asked."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}\Z")
_TAKEN = frozenset({"mail", "mail-in", "drop"})


@dataclass(frozen=True)
class Wanted:
    """A calendar as the operator named it; ``url`` is a secret."""

    name: str
    url: str
    every: str = "15m"
    allow_private: bool = False


class ConnectingCalendar:
    """Tests, stores and removes the calendars of one home."""

    def __init__(self, home: config.Home, registry: Registry, keyring: Keyring, store: Store) -> None:
        """File, vault and store are touched only by ``keep`` and ``remove``."""
        self._home, self._registry, self._keyring, self._store = home, registry, keyring, store

    def calendars(self) -> dict[str, config.ConnectorPart]:
        """The calendars in soloist.toml, by name."""
        parts = config.read(self._home.toml).connectors
        return {name: part for name, part in parts.items() if part.kind == KIND}

    def known(self) -> list[tuple[str, str, str]]:
        """(name, host, how often in words) of every calendar."""
        found = []
        for name, part in self.calendars().items():
            pace = PACES.get(str(part.settings.get("every", "15m")), PACES["15m"])
            found.append((name, urlsplit(part.base_url).hostname or "", pace))
        return found

    def free_name(self) -> str:
        """ "calendar", else with a number."""
        parts = config.read(self._home.toml).connectors
        return next(name for name in ("calendar", *(f"calendar-{n}" for n in range(2, 1000))) if name not in parts)

    async def test(self, wanted: Wanted) -> Health:
        """Read it once (BadInput names what is wrong with the address, Conflict a name that is taken)."""
        text = self._text(wanted)
        settings = config.parse(tomllib.loads(text))
        link = connections.connections(settings)[wanted.name]
        adapter = self._registry.connectors.get(KIND)
        if adapter is None:
            raise NotFound("This installation has no adapter for calendars. Nothing was stored.")
        given = {_secret(wanted.name): wanted.url}
        ctx = connections.context(
            link, adapter.manifest, settings=settings, home=self._home.root, secrets=partial(_look_up, given)
        )
        try:
            return await ReadingHalf(link, adapter, ctx).check()
        except (Trouble, SoloistError, NotSent, MaybeSent, OSError) as error:
            return Health("down", str(error) or type(error).__name__)

    async def keep(self, wanted: Wanted, *, who: str) -> Health:
        """Test, and store it when it is one (Conflict says why it was not)."""
        health = await self.test(wanted)
        if health.state != "ok":
            raise Conflict(f"{health.detail} Nothing was stored.", field="url")
        text = self._text(wanted)
        self._keyring.put(_secret(wanted.name), wanted.url.strip())

        def work(tx: Tx) -> None:
            streams.forget(tx, wanted.name)
            host = parse_url(_plain(wanted.url)).host
            tx.append("calendar.connected", subject=wanted.name, payload={"host": host}, actor=who)

        await self._store.write(work)
        connect_file.change(self._home.toml, lambda: text)
        return health

    def remove(self, name: str, *, who: str) -> None:
        """Take it out of soloist.toml and forget its address; appointments that were read stay (NotFound)."""
        if name not in self.calendars():
            known = ", ".join(sorted(self.calendars())) or "none"
            raise NotFound(f"There is no calendar {name!r}. Known: {known}.", field="name")
        connect_file.change(self._home.toml, partial(connect_file.without_connector, self._home.toml, name))
        self._keyring.remove(_secret(name))

        def work(tx: Tx) -> None:
            streams.forget(tx, name)
            tx.append("calendar.removed", subject=name, actor=who)

        self._store.write_now(work)

    def _text(self, wanted: Wanted) -> str:
        """The file with this calendar in it."""
        self._check(wanted)
        target = parse_url(_plain(wanted.url))
        values: dict[str, Any] = {
            "kind": KIND,
            "base_url": f"{target.scheme}://{target.authority.decode()}",
            "settings": {"url_secret": _secret(wanted.name), "every": wanted.every},
        }
        if wanted.allow_private:
            values["allow_private_network"] = True
        managed = ("base_url", "settings", "allow_private_network")
        return connect_file.with_connector(self._home.toml, wanted.name, values, managed=managed)

    def _check(self, wanted: Wanted) -> None:
        """BadInput and Conflict for what cannot be used."""
        if not _NAME.match(wanted.name) or wanted.name in _TAKEN:
            raise BadInput(
                f"A calendar cannot be called {wanted.name[:40]!r}: small letters, digits, dashes.", field="name"
            )
        held = config.read(self._home.toml).connectors.get(wanted.name)
        if held is not None and held.kind != KIND:
            raise Conflict(f"The name {wanted.name} is taken by a connector of the kind {held.kind}.", field="name")
        if wanted.every not in PACES:
            raise BadInput(f"every: one of {', '.join(PACES)}, not {wanted.every[:40]!r}.", field="every")
        try:
            target = parse_url(_plain(wanted.url))
        except NotSent as error:
            # the address is a secret: what is wrong with it is said without it
            raise BadInput(
                "This is no address of a calendar: it begins with https:// or webcal://. Nothing was stored.",
                field="url",
            ) from error
        if target.scheme == "http" and not wanted.allow_private:
            raise BadInput(
                "The address must begin with https://, because it is a secret. Nothing was stored.", field="url"
            )


def _plain(url: str) -> str:
    """webcal:// is https://."""
    scheme, sign, rest = url.strip().partition("://")
    return f"https://{rest}" if sign and scheme.lower() in ("webcal", "webcals") else url.strip()


def _secret(name: str) -> str:
    return f"{name}-address"


def _look_up(secrets: Mapping[str, str], name: str) -> str:
    if name not in secrets:
        raise NotFound(f"The secret {name} was not given.", field=name)
    return secrets[name]
