"""Connections: which connectors this home has, and the Ctx each is given; it calls none of them.

Three exist without configuration: ``mail`` (the outgoing maildir), ``mail-in`` and ``drop`` (where mail arrives).
"""

from __future__ import annotations

import contextlib
import re
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from soloist import config
from soloist.engine.egress import Egress, Resolver, parse_url, plain_host, system_resolver
from soloist.engine.files import FolderFiles
from soloist.engine.rate import lines_of
from soloist.kernel.errors import BadConfig
from soloist.sdk import Ctx, HttpAnswer, Manifest, NotSent

_SECRET = re.compile(r"\{secret\.([A-Za-z0-9_.-]{1,100})\}")
_HANDLE = re.compile(r"\{\{secret:([A-Za-z0-9_.-]{1,100})\}\}")
"""The same handle as it is written in texts elsewhere; in the headers of a connector both are one."""

READS_WAIT = 10.0
"""Seconds that reading waits for its allowance; what is written goes first."""

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
    common: dict[str, Any] = {
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
        own = _handles(part.model_dump(mode="json", by_alias=True))
        if part.address:  # a mailbox sends as itself, whatever the business writes on its letters
            own["sender"] = {**common["sender"], "address": part.address}
        found[name] = Connection(name, part.kind, {**common, "direction": "out", **own, **own["settings"]})
    return found


def context(
    connection: Connection,
    manifest: Manifest,
    *,
    settings: config.Settings,
    home: Path,
    secrets: Secrets,
    renew: Callable[[str, str], None] | None = None,
    resolver: Resolver = system_resolver,
    gated: bool = True,
) -> Ctx:
    """The Ctx of one connection: exactly what its adapter's manifest asks for, below and within its own settings.

    ``gated``: every request waits for its allowance by itself; the door asks for it on its own.
    """
    own = connection.settings
    names = _named_secrets(own) | {str(own[key]) for key in manifest.secrets if own.get(key)}
    http = _ways(connection, manifest.urls, resolver)
    credential = credential_of(connection, manifest)
    http.listen(partial(_heard, home, credential), partial(_held_up, home, credential) if gated else None)
    dial = _lines(connection, manifest.dials, resolver)

    def keep(name: str, value: str) -> None:
        if name in names and renew is not None:
            renew(name, value)

    return Ctx(
        name=connection.name,
        settings=own,
        http=http if manifest.urls else None,
        dial=dial if manifest.dials else None,
        files=FolderFiles(home / Path(own[manifest.files]).expanduser()) if manifest.files else None,
        secrets=Granted(frozenset(names), secrets),
        home_domain=settings.business.email.rpartition("@")[2] or "localhost",
        renew=keep,
    )


def credential_of(connection: Connection, manifest: Manifest) -> str:
    """What an allowance belongs to: the host with the secrets that are shown there; two connections may share it."""
    own = connection.settings
    names = sorted(_named_secrets(own) | {str(own[key]) for key in manifest.secrets if own.get(key)})
    hosts = [str(own[key]) for key in manifest.urls if own.get(key)]
    place = hosts[0].partition("://")[2].partition("/")[0].lower() if hosts else connection.name
    return "|".join([place, *names])


def _heard(home: Path, credential: str, answer: HttpAnswer) -> None:
    lines_of(home).rates.heard(credential, answer.status, answer.headers)


async def _held_up(home: Path, credential: str) -> float:
    return await lines_of(home).rates.taken(credential, urgent=False, at_most=READS_WAIT)


class Ways:
    """Http and Dial for the hosts of one connection's settings, each with an egress of its own."""

    def __init__(self, egresses: Mapping[tuple[str, int], Egress]) -> None:
        """By host and port, as the settings have them."""
        self._egresses = dict(egresses)
        self._heard: Callable[[HttpAnswer], None] | None = None
        self._held_up: Callable[[], Awaitable[float]] | None = None

    def listen(self, heard: Callable[[HttpAnswer], None], held_up: Callable[[], Awaitable[float]] | None) -> None:
        """``heard`` is told every answer; ``held_up`` is awaited before a request and gives 0.0, or seconds to wait."""
        self._heard, self._held_up = heard, held_up

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,  # the sdk's signature
    ) -> HttpAnswer:
        """One request to one of the hosts; NotSent for any other."""
        target = parse_url(url)
        egress = self._for(target.host, target.port)
        if self._held_up and (wait := await self._held_up()):
            raise NotSent(f"The rate limit is used up for {wait:.0f} more seconds; nothing was sent.")
        answer = await egress.send(method, url, headers=headers, body=body, timeout=timeout)
        if self._heard:
            self._heard(answer)
        return answer

    async def resolve(self, host: str, port: int) -> str:
        """The checked address of one of the hosts; NotSent for any other."""
        return await self._for(host, port).resolve(host, port)

    def _for(self, host: str, port: int) -> Egress:
        egress = self._egresses.get((plain_host(f"[{host}]" if ":" in host else host), port))
        if egress is None:
            known = ", ".join(f"{name}:{number}" for name, number in self._egresses) or "no server"
            raise NotSent(f"This connector may reach {known} only, not {host}:{port}; nothing was sent.")
        return egress


def _ways(connection: Connection, keys: tuple[str, ...], resolver: Resolver) -> Ways:
    """Egresses for the settings that hold URLs; BadConfig when one breaks the rules of egress."""
    own, found = connection.settings, {}
    for key in keys:
        if not own.get(key):
            continue
        with _told_as(connection, key):
            target = parse_url(str(own[key]))
            found[target.host, target.port] = _egress(own, target.host, target.port, resolver)
    if found:
        for key, text in _further(own):
            with _told_as(connection, key):
                for target in (parse_url(f"{scheme}{text}") for scheme in ("http://", "https://")):
                    place = (target.host, target.port)
                    found.setdefault(place, _egress(own, *place, resolver))
    return Ways(found)


def _further(own: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Hosts besides those of the URLs: the declared ones on ports 80 and 443, and where a sign-in gives its tokens."""
    auth = own.get("auth")
    token = str(auth.get("token_url") or "") if isinstance(auth, Mapping) else ""
    further = [("hosts", str(host)) for host in own.get("hosts", ())]
    return [*further, ("auth.token_url", token.partition("://")[2].partition("/")[0])] if token else further


def _lines(connection: Connection, pairs: tuple[tuple[str, str], ...], resolver: Resolver) -> Ways:
    """Egresses for the settings that hold a host and a port."""
    own, found = connection.settings, {}
    for host_key, port_key in pairs:
        if not own.get(host_key):
            continue
        with _told_as(connection, host_key):
            host = str(own[host_key])
            host = plain_host(f"[{host}]" if ":" in host else host)
            found[host, int(own[port_key])] = _egress(own, host, int(own[port_key]), resolver)
    return Ways(found)


def _egress(own: Mapping[str, Any], host: str, port: int, resolver: Resolver) -> Egress:
    """The way to one server; a server of the operator's own may have a certificate authority of its own."""
    authority = own.get("ca_file")
    tls = ssl.create_default_context(cafile=str(Path(authority).expanduser())) if authority else None
    private = bool(own.get("allow_private_network", False))
    return Egress(host, port, allow_private=private, resolver=resolver, tls=tls)


@contextlib.contextmanager
def _told_as(connection: Connection, key: str) -> Iterator[None]:
    """A setting that breaks the rules of egress is the operator's matter: BadConfig with its place."""
    place = f"connectors.{connection.name}.{key}"
    try:
        yield
    except NotSent as error:
        raise BadConfig(f"{place}: {error}", field=place) from error
    except OSError as error:
        raise BadConfig(f"connectors.{connection.name}.ca_file: {error}", field=place) from error


def _handles(value: Any) -> Any:
    """Settings of a connector with every ``{{secret:NAME}}`` written as ``{secret.NAME}``."""
    if isinstance(value, str):
        return _HANDLE.sub(r"{secret.\1}", value)
    if isinstance(value, Mapping):
        return {key: _handles(inner) for key, inner in value.items()}
    return [_handles(inner) for inner in value] if isinstance(value, list) else value


def _named_secrets(value: Any) -> frozenset[str]:
    """Every secret that the settings name: ``{secret.NAME}`` in any text, and keys called ``secret`` or ending so."""
    names: set[str] = set()
    if isinstance(value, str):
        names.update(_SECRET.findall(value))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            names |= _named_secrets(inner)
            if (key == "secret" or str(key).endswith("_secret")) and isinstance(inner, str) and inner:
                names.add(inner)
    elif isinstance(value, list):
        for inner in value:
            names |= _named_secrets(inner)
    return frozenset(names)
