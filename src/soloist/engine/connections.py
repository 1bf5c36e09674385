"""Connections: which connectors this home has, and the Ctx each is given; it calls none of them.

Three exist without configuration: ``mail`` (the outgoing maildir), ``mail-in`` and ``drop`` (where mail arrives).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soloist import config
from soloist.engine.egress import Egress, Resolver, system_resolver
from soloist.engine.files import FolderFiles
from soloist.kernel.errors import BadConfig
from soloist.sdk import Ctx, NotSent

_SECRET = re.compile(r"\{secret\.([A-Za-z0-9_.-]{1,100})\}")

Secrets = Callable[[str], str]
"""Looks a secret up by its name; NotFound or NotAllowed when it cannot be had."""


@dataclass(frozen=True)
class Connection:
    """A configured connector: its name, the kind of adapter and the adapter's settings (JSON values)."""

    name: str
    kind: str
    settings: Mapping[str, Any]


class Granted(Mapping[str, str]):
    """The secrets one connection names in its configuration, looked up only when they are used."""

    def __init__(self, names: frozenset[str], look_up: Secrets) -> None:
        """``names`` are the only ones that can be asked for."""
        self._names, self._look_up = names, look_up

    def __getitem__(self, name: str) -> str:
        """The secret; KeyError when it was not granted."""
        if name not in self._names:
            raise KeyError(name)
        return self._look_up(name)

    def __iter__(self) -> Iterator[str]:
        """The granted names."""
        return iter(sorted(self._names))

    def __len__(self) -> int:
        """How many are granted."""
        return len(self._names)


def connections(settings: config.Settings) -> dict[str, Connection]:
    """Every connection of this home by name; a configured ``mail`` takes the place of the built-in one."""
    mail = settings.mail
    common = {
        "sender": {"name": settings.business.owner or settings.business.name, "address": settings.business.email},
        "hold": config.seconds(mail.hold),
        "max_bytes": mail.max_bytes,
    }
    found = {
        "mail": Connection("mail", "maildir", {**common, "folder": mail.maildir_out, "direction": "out"}),
        "mail-in": Connection("mail-in", "maildir", {**common, "folder": mail.maildir_in, "direction": "in"}),
        "drop": Connection("drop", "dropfolder", {**common, "folder": mail.drop}),
    }
    for name, part in settings.connectors.items():
        own = part.model_dump(mode="json", by_alias=True)
        found[name] = Connection(name, part.kind, {**common, "direction": "out", **own})
    return found


def context(
    connection: Connection,
    *,
    settings: config.Settings,
    home: Path,
    secrets: Secrets,
    resolver: Resolver = system_resolver,
) -> Ctx:
    """The Ctx of one connection: http and dial for its host only, files below its folder only, its secrets only."""
    own = connection.settings
    egress = _egress(connection, resolver)
    return Ctx(
        name=connection.name,
        settings=own,
        http=egress if connection.kind == "http" else None,
        dial=egress if connection.kind == "smtp" else None,
        files=FolderFiles(home / Path(own["folder"]).expanduser())
        if connection.kind in {"maildir", "dropfolder"}
        else None,
        secrets=Granted(_named_secrets(own), secrets),
        home_domain=settings.business.email.rpartition("@")[2] or "localhost",
    )


def _egress(connection: Connection, resolver: Resolver) -> Egress | None:
    """The way out of this connection; BadConfig when its own address breaks the rules of egress."""
    own = connection.settings
    private = bool(own.get("allow_private_network", False))
    try:
        if own.get("base_url"):
            return Egress.for_url(own["base_url"], allow_private=private, resolver=resolver)
        if own.get("host"):
            return Egress(own["host"], own["port"], allow_private=private, resolver=resolver)
    except NotSent as error:
        place = f"connectors.{connection.name}." + ("base_url" if own.get("base_url") else "host")
        raise BadConfig(f"{place}: {error}", field=place) from error
    return None


def _named_secrets(value: Any) -> frozenset[str]:
    """Every secret that the settings name: ``{secret.NAME}`` in any text, and keys ending in ``_secret``."""
    names: set[str] = set()
    if isinstance(value, str):
        names.update(_SECRET.findall(value))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            names |= _named_secrets(inner)
            if str(key).endswith("_secret") and isinstance(inner, str) and inner:
                names.add(inner)
    elif isinstance(value, list):
        for inner in value:
            names |= _named_secrets(inner)
    return frozenset(names)
