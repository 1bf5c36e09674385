"""Merging: what is decided about pairs of records that may be one, and the nightly look that only proposes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.stages.records import merging

__all__ = ["Merging"]


class Merging:
    """Carries out what is decided about pairs, on cards, on the page and by programs."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process; cards about pairs are taken from now on."""
        self._store = desk.store
        desk.takers[merging.SUBJECT] = self.take
        desk.takers[merging.DRIFT] = self.take_drift

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
        made = merging.part(tx, card, who=who) if option == "other" else ""
        tasks.close(tx, card["id"], "done", {"option": option, "reason": "", "made": made}, actor=who)
        return {"state": "closed", "record": made}


def _later(tx: Tx, card: Mapping[str, Any], who: str) -> dict[str, Any]:
    tasks.snooze(tx, card["id"], later(tx.now, 16 * 3600), actor=who)
    return {"state": "waiting"}
