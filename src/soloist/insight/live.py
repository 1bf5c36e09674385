"""Live: tells open pages which of their parts are old, from the growth of the journal; it carries no data itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from soloist.engine.store import reading, tasks
from soloist.engine.store.clock import iso
from soloist.engine.store.store import Store
from soloist.kernel.errors import SoloistError

GLANCE = 1.0
"""Seconds between two looks at the journal's end, for rows that another process commits."""

PAUSE = 0.04
"""Seconds in which what follows a commit is gathered into one message."""

BEAT = 15.0
"""Seconds of silence after which a stream says that it is there."""

MOST = 4
"""Streams of one session; a browser gives a host six connections, and pages need some of them."""

TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("inbox", ("card.", "proposal.", "effect.", "outbound.", "run.", "mail.", "form.", "message.", "record.")),
    ("records", ("record.", "identity.", "card.", "proposal.", "effect.", "message.", "mail.", "form.")),
    ("runs", ("run.", "card.", "proposal.", "effect.", "message.", "mail.", "form.", "record.")),
    ("settings", ("session.", "token.", "password.", "outbound.", "mailbox.", "stream.")),
)
"""Parts of the console and the kinds of events that make them old; every event makes the activity old."""


@dataclass(frozen=True)
class News:
    """What grew: the journal's newest place and the topics that are old now; none when newer tabs took its place."""

    seq: int
    topics: tuple[str, ...]


def topics(kinds: Iterable[str]) -> tuple[str, ...]:
    """The parts of the console that events of these kinds make old."""
    seen = set(kinds)
    found = [name for name, starts in TOPICS if any(kind.startswith(starts) for kind in seen)]
    return (*found, "activity") if seen else ()


@dataclass(eq=False)
class Listener:
    """One open page: what it has not been told yet, gathered into one piece of news."""

    owner: str
    seq: int
    pending: set[str] = field(default_factory=set)
    ring: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    replaced: bool = False

    def tell(self, news: News) -> None:
        """Add to what is pending."""
        if news.topics:
            self.seq = max(self.seq, news.seq)
            self.pending |= set(news.topics)
            self.ring.set()

    def end(self) -> None:
        """End the stream of this page."""
        self.ended = True
        self.ring.set()


class Feed:
    """One reader of the journal for all open pages; it works only while a page is open."""

    def __init__(self, store: Store) -> None:
        """Hang onto the store's writer."""
        self._store = store
        self._listeners: list[Listener] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._grew = asyncio.Event()
        self._seq = 0
        self._wakes = ""
        store.writer.on_commit.append(self._heard)

    def _heard(self, _seq: int) -> None:
        """From the writer's thread: look now."""
        loop = self._loop
        if loop is not None and self._listeners:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed; nobody listens any more
                loop.call_soon_threadsafe(self._grew.set)

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        for listener in self._listeners:
            listener.end()

    async def listen(self, owner: str, after: int) -> AsyncIterator[News | None]:
        """News after a place in the journal, None every quarter of a minute without any.

        ``owner`` is the session; its oldest stream ends when it opens one more than it may have.
        """
        listener = Listener(owner, after)
        own = [one for one in self._listeners if one.owner == owner and not one.ended]
        for old in own[: max(0, len(own) - MOST + 1)]:
            old.replaced = True
            old.end()
        self._listeners.append(listener)
        try:
            await self._begin(listener, after)
            async for news in _told(listener):
                yield news
        finally:
            self._listeners.remove(listener)

    async def _begin(self, listener: Listener, after: int) -> None:
        """Say what this page has missed, and see that somebody reads on."""
        newest, kinds = await self._store.read(lambda conn: reading.kinds_after(conn, after))
        if newest < after:  # another journal than the page knew: everything it shows is old
            listener.seq, kinds = newest, ["card.", "record.", "session."]
        listener.tell(News(newest, topics(kinds)))
        if self._task is None or self._task.done():
            self._seq, self._loop = newest, asyncio.get_running_loop()
            self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        """Pass on what the journal says for as long as a page is open."""
        while self._listeners:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._grew.wait(), GLANCE)
                await asyncio.sleep(PAUSE)
            self._grew.clear()
            with contextlib.suppress(SoloistError):  # the next look finds what this one could not read
                news = await self._look()
                for listener in self._listeners if news.topics else ():
                    listener.tell(news)

    async def _look(self) -> News:
        """What came since the last look; cards that wake by themselves count too."""
        now = iso(self._store.clock())
        seq = self._seq
        newest, kinds = await self._store.read(lambda conn: reading.kinds_after(conn, seq))
        woken = "" < self._wakes <= now
        if kinds or woken or not self._wakes:
            self._wakes = await self._store.read(lambda conn: tasks.next_awake(conn, now)) or "9999"
            kinds = [*kinds, "card.woken"] if woken else kinds
        self._seq = newest
        return News(newest, topics(kinds))


async def _told(listener: Listener) -> AsyncIterator[News | None]:
    """What one page is told, until its stream is ended."""
    while True:
        try:
            await asyncio.wait_for(listener.ring.wait(), BEAT)
        except TimeoutError:
            yield None
            continue
        listener.ring.clear()
        if listener.replaced:
            yield News(listener.seq, ())
        if listener.ended:
            return
        found, listener.pending = tuple(sorted(listener.pending)), set()
        yield News(listener.seq, found)
