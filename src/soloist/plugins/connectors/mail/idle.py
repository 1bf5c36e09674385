"""IMAP IDLE on a signed-in line, by the event loop and not by a thread; it says that something came, never what."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

from soloist.plugins.connectors.mail.imap import Line
from soloist.plugins.connectors.mail.words import short, trouble
from soloist.sdk import Trouble

AGAIN = 540.0
"""Seconds after which IDLE is begun anew: servers end one after half an hour, some routers after ten minutes."""
ANSWER = 30.0
"""Seconds a server has to begin or end IDLE."""
LONGEST = 1024 * 1024
"""Bytes without a line end that are borne."""


async def listen(line: Line) -> AsyncIterator[str]:
    """Why to look now: once when it listens, then at every arrival. Ends with Trouble when the line breaks.

    The line has a folder open and belongs to this function from now on.
    """
    talk = _Talk(line)
    try:
        first, number = True, 0
        while True:
            number += 1
            tag = f"W{number}".encode()
            talk.say(tag + b" IDLE\r\n")
            news = await talk.until(tag, b"+")
            if first or news:
                yield "listening" if first else "new mail"
            first = False
            end = talk.now() + AGAIN
            while (said := await talk.line(end - talk.now())) is not None:
                if arrival(said):
                    yield "new mail"
            talk.say(b"DONE\r\n")
            if await talk.until(tag, tag):
                yield "new mail"
    except OSError as error:
        raise trouble(line.server.host, error) from error


class _Talk:
    """Lines in and out over a non-blocking socket, TLS or not."""

    def __init__(self, line: Line) -> None:
        self._sock, self._host, self._rest = line.sock, line.server.host, b""
        self._sock.setblocking(False)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def say(self, words: bytes) -> None:
        self._sock.send(words)

    async def until(self, tag: bytes, start: bytes) -> bool:
        """Read up to a line that begins with ``start``; whether mail arrived meanwhile. Trouble when it says no."""
        arrived, end = False, self.now() + ANSWER
        while (said := await self.line(end - self.now())) is not None:
            arrived = arrived or arrival(said)
            if said.startswith(tag + b" ") and not said[len(tag) + 1 :].upper().startswith(b"OK"):
                raise Trouble("rejected", f"{self._host} refused to report new mail: {short(said)}")
            if said.startswith(start):
                return arrived
        raise TimeoutError

    async def line(self, timeout: float) -> bytes | None:
        """The next line, or None when ``timeout`` seconds pass without one."""
        end = self.now() + timeout
        while b"\r\n" not in self._rest and not self._receive():
            left = end - self.now()
            if left <= 0 or not await self._readable(left):
                return None
        said, _, self._rest = self._rest.partition(b"\r\n")
        if said.upper().startswith(b"* BYE"):
            raise Trouble("unavailable", f"{self._host} closed the line ({short(said[6:])}).", retry_after=60.0)
        return said

    def _receive(self) -> bool:
        """Take what is there; True when it holds a whole line."""
        while True:
            try:
                data = self._sock.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                return b"\r\n" in self._rest
            if not data:
                raise Trouble("unavailable", f"{self._host} closed the line.", retry_after=60.0)
            self._rest += data
            if len(self._rest) > LONGEST:
                raise Trouble("protocol_drift", f"{self._host} sent a line without an end.")

    async def _readable(self, timeout: float) -> bool:
        loop, number = asyncio.get_running_loop(), self._sock.fileno()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(number, lambda: None if ready.done() else ready.set_result(None))
        try:
            async with asyncio.timeout(timeout):
                await ready
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(number)
        return True


def arrival(said: bytes) -> bool:
    """``* 5 EXISTS`` or ``* 1 RECENT``."""
    words = said.upper().split()
    return len(words) == 3 and words[0] == b"*" and words[2] in (b"EXISTS", b"RECENT")
