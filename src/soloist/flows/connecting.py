"""Connecting a mailbox: discovered, tested, and only then stored; one flow for the command line and the console."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from soloist import config
from soloist.engine import connections, oauth
from soloist.engine.discovery import Discovery, Found, Search, checked_address
from soloist.engine.egress import Resolver, parse_url, system_resolver
from soloist.engine.keyring import Keyring
from soloist.engine.presets import SIGN_INS, Place
from soloist.engine.registry import ReadingHalf
from soloist.engine.store import settings as switches
from soloist.engine.store import streams
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.flows import connect_file
from soloist.flows.connect_advice import Advice, advise
from soloist.insight.mailboxes import connected_mark
from soloist.kernel.errors import BadInput, Conflict, NotFound, SoloistError
from soloist.sdk import Health, MaybeSent, NotSent, Registry, Trouble

KIND = "mail"
TEST_WITHIN = 90.0
"""Seconds a test of a mailbox may take."""
SUBJECTS = 5
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}\Z")
_SECRET_KEYS = ("password_secret", "client_secret", "refresh_secret")
_MANAGED = frozenset(
    "kind address provider username auth allow_private_network ca_file client_id authorize_url token_url scope "
    "imap_host imap_port imap_security smtp_host smtp_port smtp_security".split()
) | frozenset(_SECRET_KEYS)
"""Keys that connecting writes; all others of a mailbox are the operator's own."""
_TAKEN = frozenset({"mail-in", "drop"})


@dataclass(frozen=True)
class Mailbox:
    """The settings of one mailbox, as found or as the operator typed them; secrets are not among them."""

    name: str
    address: str
    imap: Place
    smtp: Place
    username: str
    provider: str = ""
    auth: Literal["password", "xoauth2"] = "password"
    keep_sent: Literal["auto", "yes", "no"] = "auto"
    allow_private: bool = False
    ca_file: str = ""
    client_id: str = ""
    authorize_url: str = ""
    token_url: str = ""
    device_url: str = ""
    scope: str = ""

    def names(self) -> dict[str, str]:
        """The names its secrets have in the vault."""
        return {key: f"{self.name}-{key}" for key in ("password", "client-secret", "refresh")}

    def table(self, secrets: Mapping[str, str]) -> dict[str, Any]:
        """What soloist.toml says about it; ``secrets`` are the ones there are, by their names in the vault."""
        names = self.names()
        values: dict[str, Any] = {
            "kind": KIND,
            "address": self.address,
            "provider": self.provider,
            "username": self.username,
            "imap_host": self.imap.host,
            "imap_port": self.imap.port,
            "imap_security": self.imap.security,
            "smtp_host": self.smtp.host,
            "smtp_port": self.smtp.port,
            "smtp_security": self.smtp.security,
            "auth": self.auth,
            "keep_sent": "" if self.keep_sent == "auto" else self.keep_sent,
            "allow_private_network": self.allow_private,
            "ca_file": self.ca_file,
        }
        if self.auth == "password":
            values["password_secret"] = names["password"]
        else:
            values |= {key: getattr(self, key) for key in ("client_id", "authorize_url", "token_url", "scope")}
            values["refresh_secret"] = names["refresh"]
            values["client_secret"] = names["client-secret"] if names["client-secret"] in secrets else ""
        return {key: value for key, value in values.items() if value not in ("", False)}

    def client(self, client_secret: str = "") -> oauth.Client:
        """The registration this mailbox signs in with (BadInput names what is missing)."""
        if not self.client_id:
            raise BadInput(
                "Signing in needs a client id of your own; the help says how to make one.", field="client_id"
            )
        for key in ("authorize_url", "token_url"):
            _sign_in_address(key, getattr(self, key), self.allow_private)
        sign_in = SIGN_INS.get(self.provider)
        return oauth.Client(
            client_id=self.client_id,
            client_secret=client_secret,
            authorize_url=self.authorize_url,
            token_url=self.token_url,
            scope=self.scope,
            device_url=self.device_url,
            extra=sign_in.extra if sign_in and sign_in.authorize_url == self.authorize_url else (),
            allow_private=self.allow_private,
        )


@dataclass(frozen=True)
class Tried:
    """A mailbox that was tested, with what the test said; ``secrets`` wait in memory to be stored."""

    mailbox: Mailbox
    health: Health
    advice: Advice
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether it may be stored."""
        return self.advice.why == "ok"


class Connecting:
    """Finds, tests, stores and removes the mailboxes of one home."""

    def __init__(
        self,
        home: config.Home,
        registry: Registry,
        keyring: Keyring,
        store: Store,
        *,
        resolver: Resolver = system_resolver,
    ) -> None:
        """``registry`` holds the adapter; file, vault and store are touched only by ``keep`` and ``remove``."""
        self._home, self._registry, self._keyring, self._store = home, registry, keyring, store
        self.resolver = resolver

    async def discover(self, address: str, *, ask_public: bool = False, allow_private: bool = False) -> Search:
        """Settings for an address (BadInput: not an address); the public database is asked only with consent."""
        discovery = Discovery(resolver=self.resolver, allow_private=allow_private)
        return await discovery.find(address, ask_public=ask_public)

    def mailboxes(self) -> dict[str, config.ConnectorPart]:
        """The mailboxes in soloist.toml, by name, as the file is now."""
        parts = config.read(self._home.toml).connectors
        return {name: part for name, part in parts.items() if part.kind == KIND}

    def check_name(self, name: str, address: str) -> str:
        """A name that may be used for this address (BadInput, Conflict)."""
        if not _NAME.match(name) or name in _TAKEN:
            raise BadInput(f"A mailbox cannot be called {name!r}: use small letters, digits and dashes.", field="name")
        part = config.read(self._home.toml).connectors.get(name)
        if part is not None and (part.kind != KIND or part.address.casefold() != address.casefold()):
            held = f"the mailbox {part.address}" if part.kind == KIND else f"a connector of the kind {part.kind}"
            raise Conflict(
                f"The name {name} is taken by {held}. Nothing was changed; choose another name.", field="name"
            )
        return name

    def free_name(self, address: str) -> str:
        """ "mailbox" while it is free or this very address has it, else with a number."""
        parts = config.read(self._home.toml).connectors
        for name in ("mailbox", *(f"mailbox-{number}" for number in range(2, 1000))):
            if name not in parts or parts[name].address.casefold() == address.casefold():
                return name
        raise Conflict("There are too many mailboxes.")

    async def test(self, mailbox: Mailbox, secrets: Mapping[str, str]) -> Tried:
        """Sign in with these settings and secrets (by their names in the vault); nothing is stored anywhere."""
        checked_address(mailbox.address)
        self.check_name(mailbox.name, mailbox.address)
        text = self._text(mailbox.name, mailbox.table(secrets))
        settings = config.parse(tomllib.loads(text))
        kept = dict(secrets)
        health = await self._check(mailbox.name, settings, partial(_look_up, kept), kept.__setitem__)
        said = advise(health.state, health.detail, provider=mailbox.provider, auth=mailbox.auth)
        return Tried(mailbox, health, said, kept)

    async def test_stored(self, name: str) -> tuple[Health, Advice]:
        """Test a mailbox as it is stored (NotFound)."""
        settings = config.read(self._home.toml)
        part = settings.connectors.get(name)
        if part is None or part.kind != KIND:
            raise NotFound(_unknown(name, self.mailboxes()), field="name")
        health = await self._check(name, settings, self._keyring.secret, self._keyring.put)
        return health, advise(health.state, health.detail, provider=part.provider, auth=str(part.auth))

    async def _check(self, name: str, settings: config.Settings, secrets: Any, renew: Any) -> Health:
        """The adapter's own check with a Ctx made for the moment; a fault is a health, not an error."""
        adapter = self._registry.connectors.get(KIND)
        if adapter is None:
            raise NotFound("This installation has no adapter for mailboxes. Nothing was stored.")
        link = connections.connections(settings)[name]
        ctx = connections.context(
            link,
            adapter.manifest,
            settings=settings,
            home=self._home.root,
            secrets=secrets,
            renew=renew,
            resolver=self.resolver,
        )
        try:
            async with asyncio.timeout(TEST_WITHIN):
                return await ReadingHalf(link, adapter, ctx).check()
        except Trouble as error:
            return Health("auth" if error.fault in ("auth", "forbidden") else "down", error.reason)
        except (NotSent, MaybeSent, OSError) as error:
            return Health("down", str(error) or "the connection failed")
        except SoloistError as error:
            return Health("auth", error.detail)

    def keep(self, tried: Tried, *, who: str) -> None:
        """Store a tested mailbox: secrets into the vault, then settings into the file (Conflict when not tested).

        A mailbox that is new only reads until the operator allows more; one that is connected again keeps its leave.
        """
        if not tried.ok:
            raise Conflict(f"This mailbox was not stored: {tried.advice.sentence}")
        mailbox = tried.mailbox
        self.check_name(mailbox.name, mailbox.address)
        before = self.mailboxes().get(mailbox.name)
        named = _fresh_names(tried.secrets, _secrets_of(before) if before else set())
        given = {named[name]: value for name, value in tried.secrets.items()}
        values = mailbox.table(tried.secrets)
        values |= {key: named.get(values[key], values[key]) for key in _SECRET_KEYS if key in values}
        text = self._text(mailbox.name, values)
        for name, value in given.items():
            self._keyring.put(name, value)
        self._store.write_now(lambda tx: _connected(tx, mailbox, before is None, who))
        connect_file.change(self._home.toml, lambda: text)
        self._forget(_secrets_of(before) if before else set())

    def remove(self, name: str, *, who: str) -> None:
        """Take a mailbox out of soloist.toml and its secrets out of the vault; what was read from it stays."""
        part = self.mailboxes().get(name)
        if part is None:
            raise NotFound(_unknown(name, self.mailboxes()), field="name")
        connect_file.change(self._home.toml, partial(connect_file.without_connector, self._home.toml, name))
        self._forget(_secrets_of(part))
        self._store.write_now(lambda tx: _removed(tx, name, who))

    def _text(self, name: str, values: Mapping[str, Any]) -> str:
        """The file with this mailbox in it; what the operator set by hand for it stays."""
        return connect_file.with_connector(self._home.toml, name, values, managed=_MANAGED)

    def _forget(self, secrets: set[str]) -> None:
        """Delete secrets that no connector names any more."""
        still = {name for part in config.read(self._home.toml).connectors.values() for name in _secrets_of(part)}
        for name in sorted(secrets - still):
            self._keyring.remove(name)


def from_found(found: Found, name: str, *, client_id: str = "", allow_private: bool = False) -> Mailbox:
    """A mailbox made of discovered settings; with a client id it signs in instead of using a password."""
    sign_in = SIGN_INS.get(found.oauth)
    uses_token = found.auth == "xoauth2" or bool(client_id and sign_in)
    return Mailbox(
        name=name,
        address=found.address,
        imap=found.imap,
        smtp=found.smtp,
        username=found.username,
        provider=found.provider,
        auth="xoauth2" if uses_token else "password",
        keep_sent=found.keep_sent,
        allow_private=allow_private or found.local,
        client_id=client_id,
        authorize_url=sign_in.authorize_url if sign_in and uses_token else "",
        token_url=sign_in.token_url if sign_in and uses_token else "",
        device_url=sign_in.device_url if sign_in and uses_token else "",
        scope=sign_in.scope if sign_in and uses_token else "",
    )


def _sign_in_address(key: str, url: str, allow_private: bool) -> None:
    """An address of a sign-in must be there and use TLS, unless it is a server of the operator's own (BadInput)."""
    if not url:
        raise BadInput(f"Signing in needs the {key} of the provider.", field=key)
    try:
        plain = parse_url(url).scheme == "http"
    except NotSent as error:
        raise BadInput(f"{key}: {error}", field=key) from error
    if plain and not allow_private:
        raise BadInput(f"{key} must begin with https://, because a secret goes there. Nothing was sent.", field=key)


def _connected(tx: Tx, mailbox: Mailbox, fresh: bool, who: str) -> None:
    """The event, and for a new mailbox a clean beginning: it may send nothing, and no cursor of another is left."""
    if fresh:
        switches.put(tx, f"sending.{mailbox.name}", "")
        switches.put(tx, connected_mark(mailbox.name), tx.now)
        streams.forget(tx, mailbox.name)
    facts = {"address": mailbox.address, "imap": mailbox.imap.host, "smtp": mailbox.smtp.host}
    tx.append("mailbox.connected", subject=mailbox.name, payload=facts, actor=who)


def _removed(tx: Tx, name: str, who: str) -> None:
    switches.put(tx, f"sending.{name}", "")
    streams.forget(tx, name)
    tx.append("mailbox.removed", subject=name, actor=who)


def _look_up(secrets: Mapping[str, str], name: str) -> str:
    """A secret that waits in memory; the sdk's look-up raises NotFound."""
    if name not in secrets:
        raise NotFound(f"The secret {name} was not given.", field=name)
    return secrets[name]


def _fresh_names(secrets: Mapping[str, str], used: set[str]) -> dict[str, str]:
    """Other names than those in use, so that a running server sees a change and the old secret stays until then."""
    taken = bool(used & set(secrets))
    return {name: f"{name}-2" if taken else name for name in secrets}


def _secrets_of(part: config.ConnectorPart) -> set[str]:
    return {name for key in _SECRET_KEYS if (name := str(getattr(part, key)))}


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    return f"There is no mailbox {name!r}. Known: {', '.join(sorted(known)) or 'none'}."
