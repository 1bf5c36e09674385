"""Merging: what is decided about pairs of records that may be one, and the nightly look that only proposes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from soloist.engine.store import matching, merges, tasks
from soloist.engine.store import settings as switches
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.errors import SoloistError
from soloist.kernel.likeness import RULES
from soloist.stages.records import drifting, merging

__all__ = ["Merging"]

HOUR = 4
"""Local hour after which the look of a day is due."""
LOOK_EVERY = 60.0
AT_ONCE = 100
"""Records that are looked at between two breaths."""
DAY, PLACE, KEYS = "merges.day", "merges.place", "merges.keys"
"""Switches: the day looked at last, the change it got to, the rules and the record the keys were made by."""


class Merging:
    """Carries out what is decided about pairs, on cards, on the page and by programs."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process; cards about pairs are taken from now on."""
        self._store, self._zone = desk.store, desk.settings.business.timezone
        desk.takers[merging.SUBJECT] = self.take
        desk.takers[drifting.SUBJECT] = self.take_drift

    # ----- the nightly look

    async def follow(self) -> None:
        """Make keys that are missing, then look once a day after HOUR; a fault is logged and tried again."""
        while True:
            try:
                await self.fill()
                await self.nightly()
            except SoloistError as error:
                logging.getLogger("soloist.merging").warning("records could not be compared: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def nightly(self) -> dict[str, int] | None:
        """Look if today's look is due; what came of it."""
        now = self._store.clock().astimezone(ZoneInfo(self._zone))
        today = now.date().isoformat()
        last = await self._store.read(lambda conn: switches.value(conn, DAY))
        if now.hour < HOUR or last == today:
            return None
        told = await self.look()
        await self._store.write(lambda tx: switches.put(tx, DAY, today), full=False)
        return told

    async def fill(self) -> int:
        """Make the keys of every record by the rules of today, where that was not done yet; how many rounds it took."""
        rounds = 0
        while (place := await self._store.read(lambda conn: switches.value(conn, KEYS))) != RULES:
            after = place.removeprefix(f"{RULES}:") if place.startswith(f"{RULES}:") else ""

            def work(tx: Tx, after: str = after) -> None:
                last = matching.fill(tx, after)
                switches.put(tx, KEYS, f"{RULES}:{last}" if last else RULES)

            await self._store.write(work, full=False)
            rounds += 1
        return rounds

    async def look(self, *, everything: bool = False) -> dict[str, int]:
        """Compare what changed since the last look (or ``everything``) with all records: {looked, proposed, cards}.

        Nothing is merged. It goes on where it stopped, also after a restart.
        """
        await self.fill()
        looked = proposed = 0
        place = ("", "") if everything else await self._store.read(_place)
        while True:
            rows, pairs = await self._store.read(partial(_alike, after=place))
            if not rows:
                break
            place = (str(rows[-1]["updated"]), str(rows[-1]["id"]))
            proposed += await self._store.write(partial(_propose, pairs=pairs, place=place), full=False)
            looked += len(rows)
        cards = await self._store.write(merging.open_cards)
        return {"looked": looked, "proposed": proposed, "cards": cards}

    # ----- what is decided

    async def merge(
        self, kept: str, other: str, choices: Mapping[str, str] | None = None, *, who: str, why: str = ""
    ) -> dict[str, Any]:
        """Let two records be one; the row of the merge (BadInput, Conflict, NotFound)."""
        return await self._store.write(lambda tx: merging.merge(tx, kept, other, choices or {}, who=who, why=why))

    async def unmerge(self, ident: str, *, who: str, why: str = "") -> dict[str, Any]:
        """Take a merge back; its row (Conflict when it is not merged, NotFound)."""
        return await self._store.write(lambda tx: merging.unmerge(tx, ident, who=who, why=why))

    async def keep_apart(self, ident: str, *, who: str, why: str = "") -> dict[str, Any]:
        """Remember that a pair is two; its row."""
        return await self._store.write(lambda tx: merging.keep_apart(tx, ident, who=who, why=why))

    async def undo(self, card: str, *, who: str) -> str:
        """Take back what was decided on a card: a merge is unmerged. What was done, "" when there is no such card."""

        def work(tx: Tx) -> str:
            found = merges.card(tx.conn, card)
            if found is None or found["subject_kind"] != merging.SUBJECT or found["state"] != "done":
                return ""
            if merges.get(tx.conn, found["subject"])["state"] != "merged":
                return ""
            merging.unmerge(tx, found["subject"], who=who)
            return "Taken back. Both records are what they were."

        return await self._store.write(work)

    def take(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """An option of a card about a pair."""
        if option == "defer":
            return _later(tx, card, who)
        if option == "apart":
            return {"state": merging.keep_apart(tx, card["subject"], who=who)["state"]}
        detail = card["detail"] or {}
        row = merging.merge(tx, detail["kept"], detail["other"], {}, who=who)
        return {"state": row["state"], "merge": row["id"]}

    def take_drift(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """An option of a card about an address that signs as somebody else."""
        if option == "defer":
            return _later(tx, card, who)
        made = drifting.part(tx, card, who=who) if option == "other" else ""
        tasks.close(tx, card["id"], "done", {"option": option, "reason": "", "made": made}, actor=who)
        return {"state": "closed", "record": made}


def _later(tx: Tx, card: Mapping[str, Any], who: str) -> dict[str, Any]:
    tasks.snooze(tx, card["id"], later(tx.now, 16 * 3600), actor=who)
    return {"state": "waiting"}


def _place(conn: Any) -> tuple[str, str]:
    """The (updated, id) that the last look got to."""
    at, _, ident = switches.value(conn, PLACE).partition("~")
    return at, ident


def _alike(conn: Any, after: tuple[str, str]) -> tuple[list[dict[str, Any]], list[tuple[str, str, float]]]:
    """The next records that changed, and the pairs they may make."""
    rows = matching.changed(conn, after, AT_ONCE)
    return rows, [pair for row in rows for pair in merging.alike(conn, row)]


def _propose(tx: Tx, pairs: Sequence[tuple[str, str, float]], place: tuple[str, str]) -> int:
    """Note pairs that look alike, and how far the look got."""
    why = "The nightly look found that they look alike."
    made = [merging.propose(tx, one, two, why=why, margin=margin) for one, two, margin in pairs]
    switches.put(tx, PLACE, "~".join(place))
    return sum(map(bool, made))
