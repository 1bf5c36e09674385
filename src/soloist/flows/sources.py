"""Sources: every stream of every connection is pulled for as long as the server runs; a fault pauses only itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from soloist.engine.registry import ReadingHalf
from soloist.engine.store import runs, tasks
from soloist.engine.store import streams as rows
from soloist.engine.store.clock import later
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import SoloistError
from soloist.kernel.ids import derived
from soloist.sdk import Page, Stream, Trouble
from soloist.stages.intake import Intake

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds before a stream that failed is asked again: doubled each time up to the longest."""
LOCKED_OUT = 900.0
"""Seconds after a refused sign-in: providers lock accounts that try too often."""
TELL_AFTER = 3600.0
"""Seconds a mailbox may be unreachable before a card says so; a laptop is often offline for a while."""


@dataclass
class Line:
    """One stream that is being followed."""

    half: ReadingHalf
    stream: Stream
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    down_for: float = 0.0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    over: bool = False
    """Said beside the cancelling, which a wait that ends at the same moment can swallow (``wait_for`` before 3.12)."""

    @property
    def name(self) -> str:
        """Connection and stream, for the log."""
        return f"{self.half.name}/{self.stream.name}"


class Sources:
    """One loop for each stream; ``troubles`` says in words what does not work now, by connection."""

    def __init__(self, intake: Intake, store: Store, connections: Mapping[str, ReadingHalf]) -> None:
        """``connections`` is the desk's own mapping: ``refresh`` looks at it again."""
        self._intake, self._store, self._connections = intake, store, connections
        self._lines: dict[tuple[str, str], Line] = {}
        self._running = False
        self.troubles: dict[str, str] = {}
        self._log = logging.getLogger("soloist.sources")

    def start(self) -> None:
        """Begin to pull."""
        self._running = True
        self.refresh()

    def refresh(self) -> None:
        """Follow the streams of connections that are new or changed, leave those that are gone."""
        if not self._running:
            return
        wanted = {(half.name, name): (half, s) for half in self._connections.values() for name, s in _streams(half)}
        for key in [key for key, line in self._lines.items() if wanted.get(key, (None,))[0] is not line.half]:
            self._end(self._lines.pop(key))
            self.troubles.pop(key[0], None)
        for key, (half, stream) in wanted.items():
            if key not in self._lines:
                self._lines[key] = self._begin(half, stream)

    def wake(self) -> None:
        """Pull every stream now (the machine woke, the operator asked)."""
        for line in self._lines.values():
            line.failures = 0
            line.wake.set()

    async def stop(self) -> None:
        """Stop; what was not committed is still where it came from."""
        self._running = False
        lines, self._lines = [*self._lines.values()], {}
        for line in lines:
            self._end(line)
        for line in lines:
            for task in line.tasks:
                while not task.done():
                    await asyncio.wait([task], timeout=5.0)
                    task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _begin(self, half: ReadingHalf, stream: Stream) -> Line:
        line = Line(half, stream)
        line.tasks = [asyncio.create_task(self._follow(line))]
        if stream.watched:
            line.tasks.append(asyncio.create_task(self._watch(line)))
        return line

    @staticmethod
    def _end(line: Line) -> None:
        line.over = True
        line.wake.set()
        for task in line.tasks:
            task.cancel()

    async def _follow(self, line: Line) -> None:
        """Pull again and again; a fault is told once and tried again after a pause. A past stream has an end."""
        while not line.over:
            line.wake.clear()
            try:
                finished = await self.pull_once(line.half, line.stream)
                await self._works(line)
                if finished and line.stream.past:
                    await self._store.write(lambda tx: self._read_back(tx, line.half))
                    return
                pause = line.stream.every
            except (SoloistError, Trouble, OSError, ValueError) as error:
                pause = await self._failed(line, error)
            except Exception as error:  # noqa: BLE001  # an adapter is someone else's code: its fault stops only its stream
                self._log.exception("source %s: its adapter failed", line.name)
                pause = await self._failed(line, error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(line.wake.wait(), pause)

    async def _watch(self, line: Line) -> None:
        """Turn hints of the other side into pulls; without hints the pulls by the clock go on."""
        pause = FIRST_PAUSE
        while not line.over:
            try:
                async for _hint in line.half.watch(line.stream.name):
                    pause = FIRST_PAUSE
                    line.wake.set()
            except (SoloistError, Trouble, OSError, ValueError) as error:
                self._log.info("source %s: watching ended: %s", line.name, error)
                if isinstance(error, Trouble) and error.fault == "auth":
                    pause = LOCKED_OUT
            except Exception:  # noqa: BLE001  # an adapter is someone else's code: its fault stops only its stream
                self._log.exception("source %s: its adapter failed while watching", line.name)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)  # after a refused sign-in, sooner again: by then it may be mended
            line.wake.set()  # what came while nobody listened

    async def pull_once(self, half: ReadingHalf, stream: Stream) -> bool:
        """Take in everything that waits. True at the end of it."""
        return await pull(self._intake, self._store, half, stream)

    @staticmethod
    def _read_back(tx: Tx, half: ReadingHalf) -> None:
        """When the last past stream of a connection has ended, what it says is put together for review, once."""
        past = [name for name, stream in _streams(half) if stream.past]
        done = all(rows.get(tx.conn, half.name, name)["state"] == "done" for name in past)
        run = f"takeover:{half.name}"
        if done and not runs.exists(tx.conn, run) and any(rows.get(tx.conn, half.name, n)["done"] for n in past):
            tx.start(run, "takeover", half.name, subject=half.name)

    # ----- when the other side does not answer

    async def _works(self, line: Line) -> None:
        """It works (again): said once, and a card about it is closed."""
        if line.failures:
            self._log.info("source %s works again", line.name)
            await self._store.write(lambda tx: self._mended(tx, line))
        line.failures, line.down_for = 0, 0.0
        self.troubles.pop(line.half.name, None)

    async def _failed(self, line: Line, error: Exception) -> float:
        """Write the fault down, tell the operator when it is theirs to mend; the pause before the next try."""
        said = str(error) or type(error).__name__
        fault = error.fault if isinstance(error, Trouble) else "unavailable"
        wait = error.retry_after if isinstance(error, Trouble) else None
        pause = LOCKED_OUT if fault == "auth" else min(FIRST_PAUSE * 2**line.failures, LONGEST_PAUSE)
        pause = max(pause, wait or 0.0)
        if self.troubles.get(line.half.name) != said:
            self._log.warning("source %s failed: %s", line.name, said)
        self.troubles[line.half.name] = said
        line.failures += 1
        line.down_for += pause
        tell = fault in ("auth", "forbidden", "protocol_drift", "bug") or line.down_for > TELL_AFTER
        with contextlib.suppress(SoloistError):
            await self._store.write(lambda tx: self._note(tx, line, said, tell), full=False)
        return pause

    @staticmethod
    def _note(tx: Tx, line: Line, said: str, tell: bool) -> None:
        """The stream's row, and one card for the connection."""
        name = line.half.name
        if rows.get(tx.conn, name, line.stream.name)["trouble"] != said:
            rows.put(tx, name, line.stream.name, trouble=said)
        if not tell or tasks.open_for(tx.conn, f"source:{name}"):
            return
        tasks.open_card(
            tx,
            derived("source", name, tx.now),
            "failure",
            f"{name} cannot be read",
            subject=f"source:{name}",
            subject_kind="connection",
            why=f"{said} Nothing is lost: it goes on where it stopped.",
            options=[
                {"name": "seen", "label": "I have seen it", "consequence": "The card is closed; it is tried on."},
                tasks.LATER,
            ],
            detail={"stream": line.stream.name, "command": f"soloist connect test {name}"},
            estimate=120,
            judgement=1,
            deadline=later(tx.now, 7 * 86400),
            at_expiry="The card closes; the mailbox is tried on.",
        )

    @staticmethod
    def _mended(tx: Tx, line: Line) -> None:
        """The card about a connection closes by itself when it works again."""
        rows.put(tx, line.half.name, line.stream.name, trouble="")
        if card := tasks.open_for(tx.conn, f"source:{line.half.name}"):
            tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": "it works again"}, actor="soloist")


async def pull(intake: Intake, store: Store, half: ReadingHalf, stream: Stream) -> bool:
    """Take in everything that waits in a stream; each arrival is put aside only after its commit. True at the end."""
    row = await store.read(lambda conn: rows.get(conn, half.name, stream.name))
    if stream.past and row["state"] == "done":
        return True
    take = intake.pages.get(half.kind) or (intake.observe_page if stream.past else intake.accept_page)
    async for page in half.pull(stream.name, row["cursor"]):
        if take == intake.accept_page and _says_nothing(page, row):
            continue
        row = {}
        await take(half.name, stream, page)
        for arrival in page.arrivals:
            await asyncio.to_thread(half.done_with, arrival)
    return True


def _says_nothing(page: Page, row: Mapping[str, Any]) -> bool:
    """Whether a page holds what its stream's row says already: folders are looked at twice a second, mostly in vain."""
    known = row and row["state"] and not row["trouble"] and page.cursor == row["cursor"]
    return bool(known) and not page.arrivals and not page.note


def _streams(half: ReadingHalf) -> list[tuple[str, Stream]]:
    """The streams of a connection; an adapter that cannot say them has none."""
    try:
        return list(half.streams().items())
    except (ValueError, KeyError):
        return []
