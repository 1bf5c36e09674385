"""Restoring: a home that was put back from a backup sends nothing until what happened after the cut is known.

The machine before it may have gone on for a while after the backup was made. What was ready to leave at the cut is
therefore taken as perhaps done: class A goes again with the same key while the provider still knows it, B and B' are
looked up, and about everything else a person is asked. That holds for good, not only while safe mode lasts.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from soloist.engine import stopping
from soloist.engine.store import effects, proposals
from soloist.engine.store import settings as switches
from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.reconciling import everything_since
from soloist.flows.safety import wake
from soloist.kernel.errors import Conflict, SoloistError

FOUND = "safe_mode.found"
"""Setting: what was found outside after the restore, JSON of reconciling's summary."""
LOOK_EVERY = 2.0
BEFORE = "before the restore"
"""Name of the process that may have made an attempt we know nothing of."""
READY = ("intended", "refused")
LOOKED_UP = ("A", "B", "B'")
OWN_FOLDER = "maildir"
"""Kind of connection whose outside lies in the home: it came back with the backup, so it proves nothing."""
_log = logging.getLogger("soloist.restoring")

Attempt = Callable[[str, str], Awaitable[dict[str, Any]]]


class Restoring:
    """What was ready to leave at the cut of a backup. A home that was never restored costs one question in all."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk
        self._cut: dict[str, Any] | None = None

    async def _known_cut(self) -> dict[str, Any]:
        if self._cut is None:
            self._cut = await self._desk.store.read(stopping.cut)
        return self._cut

    def unless_doubtful(self, attempt: Attempt) -> Attempt:
        """``attempt``, but what may have been sent after the cut is looked up or asked about first."""

        async def careful(run: str, effect_id: str) -> dict[str, Any]:
            cut = await self._known_cut()
            if cut:
                doubted = await self._desk.store.write(lambda tx: self._doubt_one(tx, effect_id, cut))
                if doubted:
                    return {"state": doubted}
            return await attempt(run, effect_id)

        return careful

    async def follow(self) -> None:
        """While safe mode lasts: look outside once, then doubt what becomes ready."""
        looked = False
        while safe := await self._desk.store.read(lambda conn: stopping.cut(conn, stopping.SAFE)):
            try:
                if not looked and not await self._desk.store.read(lambda conn: switches.value(conn, FOUND)):
                    await self.look_outside(safe)
                looked = True
                await self.doubt_all()
            except (SoloistError, OSError, ValueError) as error:
                _log.warning("what happened after the backup cannot be told yet: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def look_outside(self, cut: Mapping[str, Any]) -> dict[str, Any]:
        """Compare with the outside since the cut, and keep what was found for the page."""
        found = asdict(await everything_since(self._desk, from_iso(cut["cut_at"])))
        told = {**found, "at": iso(self._desk.store.clock()), "lines": found["lines"][:200]}
        await self._desk.store.write(lambda tx: switches.put(tx, FOUND, json.dumps(told, sort_keys=True)))
        return told

    async def doubt_all(self) -> int:
        """Everything ready that the cut found ready is taken as perhaps done. Answers how many."""
        cut = await self._known_cut()

        def work(tx: Tx) -> int:
            rows = effects.in_states(tx.conn, list(READY)) if cut else []
            return sum(bool(self._doubt_one(tx, row["id"], cut)) for row in rows)

        return await self._desk.store.write(work)

    def _doubt_one(self, tx: Tx, effect_id: str, cut: Mapping[str, Any]) -> str:
        """The state a doubtful effect is in from now on, "" for one that is not doubtful."""
        row = effects.get(tx.conn, effect_id)
        if row["state"] not in READY or not self._doubtful(tx, row, cut):
            return ""
        made = from_iso(cut["cut_at"]).astimezone(self._desk.settings.business.zone)
        why = f"This home was restored from a backup of {made:%d.%m.%Y, %H:%M}. Was it sent after the backup was made?"
        row = effects.move(tx, row, "intended", note=why) if row["state"] == "refused" else row
        n = row["attempts"] + 1
        effects.begin_attempt(tx, effect_id, n, BEFORE, "")
        effects.end_attempt(tx, effect_id, n, "unknown", "The machine before this one may have sent it.")
        row = effects.move(tx, row, "claimed", boot=BEFORE)
        first = row["first_attempt"] or cut["cut_at"]
        row = effects.move(tx, row, "attempting", note=why, attempts=n, first_attempt=first)
        row = effects.move(tx, row, "unknown", note=why)
        if row["undoes"] or row["class"] not in LOOKED_UP or self._in_home(row["connector"]):
            row = self._desk.effects.ends.ask(tx, row, why)
        else:
            tx.send(row["run"], "effect", {"state": "unknown"})
        return str(row["state"])

    def _doubtful(self, tx: Tx, row: Mapping[str, Any], cut: Mapping[str, Any]) -> bool:
        """Whether it was ready at the cut, or comes from a proposal that was there at the cut."""
        if row["updated"] <= cut["cut_at"]:
            return True
        return not row["attempts"] and bool(proposals.get(tx.conn, row["proposal"])["created"] <= cut["cut_at"])

    def _in_home(self, connector: str) -> bool:
        """Whether the outside of a connection came back with the backup."""
        half = self._desk.connections.get(connector)
        return half is not None and half.kind == OWN_FOLDER

    async def leave(self, *, who: str) -> dict[str, Any]:
        """End safe mode: what waits goes out (Conflict when there is none). Answers {left} effects that may go."""

        def work(tx: Tx) -> dict[str, Any]:
            if not switches.value(tx.conn, stopping.SAFE):
                raise Conflict("This home is not in safe mode; nothing was changed.")
            switches.put(tx, stopping.SAFE, "")
            ready = len(effects.in_states(tx.conn, list(READY)))
            tx.append("safe_mode.left", payload={"ready": ready}, actor=who)
            wake(tx)
            return {"left": ready}

        await self.doubt_all()
        return await self._desk.store.write(work)
