"""Outgoing: no answer of any door holds a secret of the house, whatever it was put together from; it changes no other.

The last thing that looks at a page, an answer of the API, an error, a table or a live event before it leaves. Files
that somebody sent are theirs and go out as they came.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soloist.engine.vault import WHOLE, holds_secret, mask

Secrets = Callable[[], Awaitable[Sequence[str]]]
"""Answers every secret of the house in the clear."""

KNOWN_FOR = 1.0
"""Seconds for which the secrets that were read are taken as all there are."""
MOST_HELD = 8 * 1024 * 1024
"""Bytes of an answer that are held back to be looked at as one; a longer one is looked at piece by piece."""
TEXTS = ("text/", "application/json", "application/problem+json", "application/x-ndjson", "application/xml")
LIVE = "text/event-stream"
AS_THEY_ARE = ("/static/",)
_PLAIN_WORD = 12
"""Characters from which also one plain word is looked for."""


class Outgoing:
    """ASGI middleware behind the wall. ``secrets`` answers what may not leave."""

    def __init__(self, app: ASGIApp, secrets: Secrets) -> None:
        """Wrap ``app``."""
        self._app, self._secrets = app, secrets
        self._known: tuple[str, ...] = ()
        self._until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and look at what is answered."""
        if scope["type"] != "http" or str(scope["path"]).startswith(AS_THEY_ARE):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(send, self._all).take)

    async def _all(self) -> tuple[str, ...]:
        if (now := time.monotonic()) >= self._until:
            self._known = tuple(one for one in await self._secrets() if told_apart(one))
            self._until = now + KNOWN_FOR
        return self._known


class _Answer:
    """One answer on its way out."""

    def __init__(self, send: Send, secrets: Callable[[], Awaitable[tuple[str, ...]]]) -> None:
        self._send, self._secrets = send, secrets
        self._known: tuple[str, ...] = ()
        self._start: Message | None = None
        self._held: list[bytes] = []
        self._passes = self._live = False

    async def take(self, message: Message) -> None:
        """Hold the head back until the text behind it is known; anything that is no text passes at once."""
        if message["type"] == "http.response.start":
            self._known = await self._secrets()
            kind = Headers(raw=message["headers"]).get("content-type", "")
            self._head(message)
            self._live = kind.startswith(LIVE)
            self._passes = self._live or not self._known or not kind.startswith(TEXTS)
            if self._passes:
                await self._send(message)
            else:
                self._start = message
        elif message["type"] != "http.response.body":
            await self._send(message)
        elif self._passes:
            await self._send({**message, "body": self._clean(message.get("body", b""))} if self._live else message)
        else:
            await self._text(message)

    async def _text(self, message: Message) -> None:
        self._held.append(message.get("body", b""))
        more = message.get("more_body", False)
        if more and sum(map(len, self._held)) < MOST_HELD:
            return
        body, self._held = b"".join(self._held), []
        clean = self._clean(body)
        if self._start is not None:
            headers = MutableHeaders(raw=self._start["headers"])
            if clean is not body and "content-length" in headers:
                headers["content-length"] = str(len(clean))
            await self._send(self._start)
            self._start = None
        await self._send({"type": "http.response.body", "body": clean, "more_body": more})

    def _clean(self, body: bytes) -> bytes:
        """The same object unless it held a secret."""
        text = body.decode("utf-8", "surrogateescape")
        if not holds_secret(text, self._known):
            return body
        return mask(text, self._known).encode("utf-8", "surrogateescape")

    def _head(self, message: Message) -> None:
        """Where a redirect leads to may hold a sentence."""
        headers = MutableHeaders(raw=message["headers"])
        if "location" in headers and holds_secret(headers["location"], self._known):
            headers["location"] = mask(headers["location"], self._known)


def told_apart(secret: str) -> bool:
    """Whether a secret can be told from an ordinary word: one that cannot would take words out of every page."""
    word = secret.isalpha() and (secret.islower() or secret.istitle())
    return len(secret) >= _PLAIN_WORD or (len(secret) >= WHOLE and not word)
