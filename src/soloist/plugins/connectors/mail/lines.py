"""The open IMAP lines of every mailbox: one kept for each purpose, made anew when it broke; it knows no mail."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from soloist.plugins.connectors.mail.imap import Line
from soloist.plugins.connectors.mail.server import Credential, Server, password
from soloist.plugins.connectors.mail.tokens import Tokens
from soloist.plugins.connectors.mail.words import trouble
from soloist.sdk import Ctx, NotSent, Trouble

T = TypeVar("T")
Key = tuple[object, ...]

PROBE_AFTER = 20.0
"""Seconds of silence after which a kept line is asked whether it still lives."""
NOT_AGAIN = 240.0
"""Seconds for which a refused password is not shown again."""
KEEP = 600.0
"""Seconds an unused line is kept."""

_THREADS = ThreadPoolExecutor(16, thread_name_prefix="soloist-mail")


class _Door:
    """The way into one mailbox: who is signing in, and what was refused last."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()
        self._refused: tuple[Credential, float, Trouble] | None = None

    def turn(self) -> asyncio.Lock:
        """The lock of the running loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        return self._lock

    def recall(self, credential: Credential) -> None:
        """Raise again what this very credential met a moment ago."""
        if self._refused and self._refused[0] == credential and time.monotonic() - self._refused[1] < NOT_AGAIN:
            fault = self._refused[2]
            raise Trouble(fault.fault, fault.reason, retry_after=fault.retry_after)

    def note(self, credential: Credential, fault: Trouble) -> None:
        """Remember a refusal of the credential itself."""
        self._refused = (credential, time.monotonic(), fault) if fault.fault == "auth" else None


class Lines:
    """Hands out signed-in lines; every fault comes out as Trouble, and a line with a fault is never used again."""

    def __init__(self, tokens: Tokens) -> None:
        """``tokens`` are shared with the sending side."""
        self._tokens = tokens
        self._kept: dict[Key, Line] = {}
        self._doors: dict[Key, _Door] = {}
        self._guard = threading.Lock()

    async def use(self, ctx: Ctx, purpose: str, work: Callable[[Line], T]) -> T:
        """Do ``work`` in a thread on the line kept for a purpose; ``work`` may be done twice.

        A kept line can have ended unseen (the server was restarted, the computer slept), so then a new one is tried.
        """
        key = _key(ctx, purpose)
        line = await self._alive(key)
        if line is not None:
            try:
                return await self._kept_after(key, line, work)
            except Trouble as fault:
                if fault.fault != "unavailable":
                    raise
        return await self._kept_after(key, await self.fresh(ctx), work)

    async def _kept_after(self, key: Key, line: Line, work: Callable[[Line], T]) -> T:
        result = await in_thread(line, work)
        await self._keep(key, line)
        return result

    async def once(self, ctx: Ctx, work: Callable[[Line], T]) -> T:
        """Do ``work`` in a thread on a line made for it and left again, for a person who asks."""
        line = await self.fresh(ctx, insist=True)
        result = await in_thread(line, work)
        await in_thread(line, Line.leave)
        return result

    async def fresh(self, ctx: Ctx, *, insist: bool = False) -> Line:
        """A new signed-in line; a token from memory that is refused is fetched anew, once.

        One sign-in to a mailbox at a time, and none for a while with what was just refused: the streams of a mailbox
        together would have its account locked. ``insist`` tries all the same, for a person who asks.
        """
        server = Server.of(ctx.settings, "imap")
        door = self._doors.setdefault(_key(ctx, "door"), _Door())
        async with contextlib.nullcontext() if insist else door.turn():
            if ctx.settings.get("auth") != "xoauth2":
                credential, old = password(ctx, server.host), False
            else:
                credential, old = await self._tokens.credential(ctx)
            if not insist:
                door.recall(credential)
            try:
                return await _opened(ctx, server, lambda line: line.open(credential))
            except Trouble as fault:
                if fault.fault != "auth" or not old:
                    door.note(credential, fault)
                    raise
            credential, _ = await self._tokens.credential(ctx, fresh=True)
            return await _opened(ctx, server, lambda line: line.open(credential))

    async def close(self) -> None:
        """Leave every kept line."""
        with self._guard:
            lines, self._kept = list(self._kept.values()), {}
        for line in lines:
            await in_thread(line, Line.leave)

    async def _alive(self, key: Key) -> Line | None:
        with self._guard:
            line = self._kept.pop(key, None)
        if line is None or time.monotonic() - line.used < PROBE_AFTER:
            return line
        try:
            await in_thread(line, Line.noop)
        except Trouble:
            return None
        return line

    async def _keep(self, key: Key, line: Line) -> None:
        """Keep the line, unless another of the same purpose is kept; leave those nobody used for long."""
        line.used = time.monotonic()
        with self._guard:
            spare = line if key in self._kept else None
            self._kept.setdefault(key, line)
            old = [k for k, kept in self._kept.items() if line.used - kept.used > KEEP]
            too_many = [self._kept.pop(k) for k in old]
        for one in [*too_many, *([spare] if spare else [])]:
            await in_thread(one, Line.leave)


async def in_thread(line: Line, work: Callable[[Line], T]) -> T:
    """Run ``work`` in a thread; on any fault the line is dropped, and a cancelled task closes it at once."""
    future = asyncio.get_running_loop().run_in_executor(_THREADS, work, line)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        line.kill()
        future.add_done_callback(partial(_after, line))
        raise
    except Exception as error:  # a parser fed by a stranger may raise anything; it all becomes Trouble
        line.drop()
        raise trouble(line.server.host, error) from error


def _after(line: Line, done: asyncio.Future[T]) -> None:
    """Nobody waits for the thread any more: its fault is looked at, so that it is not reported as forgotten."""
    if not done.cancelled():
        done.exception()
    line.drop()


async def _opened(ctx: Ctx, server: Server, sign_in: Callable[[Line], None]) -> Line:
    try:
        sock = await server.dial(ctx)
    except NotSent as error:
        raise trouble(server.host, error) from error
    line = Line(server, sock)
    await in_thread(line, sign_in)
    return line


def _key(ctx: Ctx, purpose: str) -> Key:
    own = ctx.settings
    names = ("imap_host", "imap_port", "username", "password_secret", "refresh_secret")
    return (ctx.name, ctx.home_domain, purpose, *(own.get(name) for name in names))
