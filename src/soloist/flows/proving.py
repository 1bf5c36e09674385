"""Proving: an effect that was found outside is moved along its declared life to done; nothing is called here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import effects, tasks
from soloist.engine.store.tx import Tx

WAYS: Mapping[str, tuple[str, ...]] = {
    "intended": ("claimed", "attempting", "succeeded"),
    "claimed": ("attempting", "succeeded"),
    "unknown": ("reconciling", "succeeded"),
    "reconciling": ("succeeded",),
    "needs_human": ("resolved_done",),
}
"""From each state that is not settled to the one that says that it happened. One that is being called is left alone."""
WAKE = "effect"
"""Topic on which the run of an effect hears that something changed."""


def proven(tx: Tx, effect_id: str, ref: str, why: str, *, actor: str = "soloist") -> bool:
    """Mark an effect as done with what was found; its question closes and its run goes on. False when it moved on."""
    row = effects.get(tx.conn, effect_id)
    if row["state"] not in WAYS or row["undoes"]:
        return False
    for state in (way := WAYS[row["state"]]):
        found = {"provider_ref": ref or row["provider_ref"]} if state == way[-1] else {}
        row = effects.move(tx, row, state, actor=actor, note=why, **found)
    _settle(tx, row, actor)
    return True


def _settle(tx: Tx, row: Mapping[str, Any], actor: str) -> None:
    card = tasks.open_for(tx.conn, row["id"])
    if card and card["type"] == "unknown_outcome":
        tasks.close(tx, card["id"], "done", {"option": "happened", "reason": "it was found outside"}, actor=actor)
    tx.send(row["run"], WAKE, {"state": row["state"]})
