"""The console's way to connecting mailboxes: what was tested waits here, in memory, until the operator keeps it."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from soloist.app import App
from soloist.engine import oauth
from soloist.engine.discovery import Search
from soloist.flows.connect_advice import Advice
from soloist.flows.connecting import Connecting, Mailbox, Tried
from soloist.insight import mailboxes as figures
from soloist.insight.mailboxes import Known, MailboxLine
from soloist.kernel.errors import Conflict, NotFound
from soloist.sdk import Health

KEPT_FOR = 15 * 60.0
"""Seconds that a tested mailbox or an open sign-in waits; then its secrets are forgotten."""
MOST_WAITING = 20


@dataclass(frozen=True)
class Waiting:
    """A mailbox on its way: tested, or away at the provider's sign-in; seen by one session only."""

    session: str
    mailbox: Mailbox
    until: float
    tried: Tried | None = None
    client: oauth.Client | None = None
    begun: oauth.Begun | None = field(default=None, repr=False)
    client_secret: str = field(default="", repr=False)


class Mailboxes:
    """Mailboxes of one running App: found, tested, kept, allowed, removed."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app
        self.flow = Connecting(app.home, app.registry, app.keyring, app.store)
        self._waiting: dict[str, Waiting] = {}

    async def lines(self) -> tuple[MailboxLine, ...]:
        """Every mailbox with its figures."""
        known = await asyncio.to_thread(self._known)
        return await self._app.store.read(lambda conn: figures.lines(conn, known))

    async def find(self, address: str, *, ask_public: bool, allow_private: bool) -> Search:
        """Settings for an address (BadInput)."""
        return await self.flow.discover(address, ask_public=ask_public, allow_private=allow_private)

    async def test(self, session: str, mailbox: Mailbox, given: Mapping[str, str]) -> tuple[str, Tried]:
        """Test with secrets; the id under which it waits to be kept, "" when the test failed."""
        tried = await self.flow.test(mailbox, given)
        if not tried.ok:
            return "", tried
        return self._wait(Waiting(session, mailbox, _soon(), tried)), tried

    def begin(self, session: str, mailbox: Mailbox, client_secret: str, redirect: str) -> str:
        """The provider's link for a sign-in (BadInput names what is missing)."""
        client = mailbox.client(client_secret)
        begun = oauth.begin(client, redirect, mailbox.address)
        away = Waiting(session, mailbox, _soon(), client=client, begun=begun, client_secret=client_secret)
        self._wait(away)
        return begun.url

    async def finish(self, session: str, state: str, answer: str) -> tuple[str, Tried]:
        """The browser is back from the provider: tokens are fetched and tested (NotFound, NotAllowed, BadInput)."""
        for ident, away in list(self._waiting.items()):
            if away.begun is None or away.client is None or away.session != session:
                continue
            if hmac.compare_digest(away.begun.state.encode(), state.encode()):
                del self._waiting[ident]  # an answer counts once
                tokens = await oauth.finish(away.client, away.begun, answer, resolver=self.flow.resolver)
                names = away.mailbox.names()
                given = {names["refresh"]: tokens.refresh}
                given |= {names["client-secret"]: away.client_secret} if away.client_secret else {}
                return await self.test(session, away.mailbox, given)
        raise NotFound("This answer belongs to no sign-in that was begun here. Nothing was done; begin again.")

    def waiting(self, session: str, ident: str) -> Tried:
        """A tested mailbox that waits to be kept (NotFound after a while)."""
        self._forget_old()
        found = self._waiting.get(ident)
        if found is None or found.tried is None or found.session != session:
            raise NotFound("This test is no longer kept. Nothing was stored; begin again.")
        return found.tried

    async def keep(self, session: str, ident: str, *, who: str) -> str:
        """Store what was tested and begin to read; the name."""
        tried = self.waiting(session, ident)
        await asyncio.to_thread(self.flow.keep, tried, who=who)
        self._waiting.pop(ident, None)
        self._app.connect(tried.mailbox.name)
        return tried.mailbox.name

    async def allow(self, name: str, allowed: bool, *, who: str) -> None:
        """Let a mailbox send, or only read (NotFound)."""
        self._there(name)
        await self._app.desk.allow_sending(name, allowed, who=who)

    async def test_stored(self, name: str) -> tuple[Health, Advice]:
        """Test a mailbox as it is stored (NotFound)."""
        return await self.flow.test_stored(name)

    async def remove(self, name: str, *, who: str) -> None:
        """Disconnect a mailbox (NotFound)."""
        await asyncio.to_thread(self.flow.remove, name, who=who)
        self._app.connect()

    def _there(self, name: str) -> None:
        if name not in self.flow.mailboxes():
            raise NotFound(f"There is no mailbox {name!r}.")

    def _known(self) -> list[Known]:
        desk, troubles, found = self._app.desk, self._app.sources.troubles, []
        for name, part in self.flow.mailboxes().items():
            half = desk.connections.get(name)
            past = [stream for stream, about in half.streams().items() if about.past] if half else []
            trouble = troubles.get(name, "") if half else "It is not opened; soloist doctor says why."
            found.append(Known(name, part.address, part.imap_host, desk.observe_only(name), trouble, past))
        return found

    def _wait(self, waiting: Waiting) -> str:
        self._forget_old()
        if len(self._waiting) >= MOST_WAITING:
            raise Conflict("Too many mailboxes are being connected at once; wait a quarter of an hour.")
        ident = secrets.token_urlsafe(24)
        self._waiting[ident] = waiting
        return ident

    def _forget_old(self) -> None:
        now = time.monotonic()
        self._waiting = {ident: one for ident, one in self._waiting.items() if one.until > now}


def _soon() -> float:
    return time.monotonic() + KEPT_FOR
