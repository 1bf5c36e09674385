"""Safety: the stop button pressed and released, and what follows the file in the home; what left is not undone."""

from __future__ import annotations

import asyncio
import logging

from soloist.engine import stopping
from soloist.engine.store import effects
from soloist.engine.store import settings as switches
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.errors import NotAllowed, SoloistError
from soloist.stages.effects.waiting import EFFECT

LOOK_EVERY = 0.5
"""Seconds between two looks for the file."""
SEEN = "stop.file"
"""Setting: since when the file was there at the last look of a server, so that its going is noticed after a restart."""
_log = logging.getLogger("soloist.safety")


async def press(desk: Desk, *, who: str, way: str) -> None:
    """Press the stop button. In this process nothing leaves from now on, also while the row is being written."""
    halt = desk.effects.halt
    halt.pressing()
    await desk.effects.stop(True, who=who)
    await desk.store.write(lambda tx: switches.put(tx, stopping.WAY, way))
    halt.pressed_down()


async def release(desk: Desk, *, who: str) -> None:
    """Release the button and take the file away; NotAllowed when the file cannot be removed. Safe mode stays."""
    halt = desk.effects.halt
    try:
        if halt.file is not None:
            halt.file.unlink(missing_ok=True)
    except OSError as error:
        raise NotAllowed(
            f"The file {halt.file} cannot be removed ({error.strerror}), so everything stays stopped. "
            "Remove it by hand."
        ) from error
    halt.pressed_down()
    await desk.effects.stop(False, who=who)


class StopFile:
    """Notices that the file came or went: an event says so, and what waited because of it is woken."""

    def __init__(self, desk: Desk, kind: str = "server") -> None:
        """Only a server asks whether the file was there when the last one ended."""
        self._desk, self._halt = desk, desk.effects.halt
        self._there = False
        self._noted: bool | None = None if kind == "server" else False

    async def follow(self) -> None:
        """Look for as long as the process lives."""
        while True:
            try:
                await self.look()
            except SoloistError as error:
                _log.warning("the file %s cannot be noted: %s", stopping.FILE, error)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """One look. A file that is there at two looks is noted; one that is gone wakes what waited."""
        if self._noted is None:
            self._noted = bool(await self._desk.store.read(lambda conn: switches.value(conn, SEEN)))
        there = self._halt.by_file()
        if there and self._there and not self._noted:
            await self._desk.store.write(self._note)
            self._noted = True
        elif not there and (self._halt.noticed or self._noted):
            self._halt.noticed = False
            await self._desk.store.write(self._gone)
            self._noted = False
        self._there = there

    def _note(self, tx: Tx) -> None:
        """An event, once."""
        if not switches.value(tx.conn, SEEN):
            switches.put(tx, SEEN, self._halt.file_since() or tx.now)
            tx.append("outbound.stopped", payload={"way": "file"}, actor="operator")

    @staticmethod
    def _gone(tx: Tx) -> None:
        """What waited because of the file goes on; a server that was off meanwhile notices it at its start."""
        if switches.value(tx.conn, SEEN):
            switches.put(tx, SEEN, "")
            tx.append("outbound.released", payload={"way": "file"}, actor="operator")
        wake(tx)


def wake(tx: Tx) -> None:
    """Have every effect that may wait for the end of a halt look again."""
    for row in effects.in_states(tx.conn, ["intended", "refused", "unknown"]):
        tx.send(row["run"], EFFECT, {"state": "released"})
