"""Marking: differences that were found become rows; what no longer shows is closed, what comes back is open again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import effects, mismatches, proposals, tasks
from soloist.engine.store.tx import Tx
from soloist.flows.comparing import Drift, Found
from soloist.kernel.errors import NotFound
from soloist.kernel.ids import derived
from soloist.kernel.mismatch import DONE, IN_FLIGHT, KINDS, MISSING_OUTSIDE, OUTSIDE

MOST = 500
"""Differences of one kind that are written down at once; of more only the number is kept."""
LIVE = ("open", "fixing", "accepted")
_ENDED_BADLY = frozenset({"failed", "resolved_not_done"})


def ident(connector: str, operation: str, drift: Drift) -> str:
    """The id of a difference: the same one has the same id however often it is seen."""
    return derived("mismatch", connector, operation, drift.kind, drift.effect, drift.ref)


def mark(
    tx: Tx, connector: str, operation: str, found: Found, *, ours: Sequence[Mapping[str, Any]], whole: bool, since: str
) -> dict[str, int]:
    """Write down what a comparison found; answers {opened, closed}."""
    seen = {ident(connector, operation, drift): drift for drift in found.drifts}
    live = {row["id"] for row in mismatches.of(tx.conn, connector, LIVE)}
    room = dict.fromkeys(KINDS, MOST)
    opened = 0
    for key, drift in seen.items():
        room[drift.kind] -= 1
        if key in live or room[drift.kind] >= 0:
            opened += _one(tx, connector, key, drift)
    covered = {row["id"] for row in ours if row["state"] not in IN_FLIGHT}
    closed = 0
    for row in mismatches.of(tx.conn, connector, LIVE):
        mine = (row["inside"] or {}).get("operation") == operation
        if mine and row["id"] not in seen and _over(row, covered, whole=whole, since=since):
            mismatches.move(tx, row, "gone")
            _close_card(tx, row["id"])
            closed += 1
    return {"opened": opened, "closed": closed}


def _over(row: Mapping[str, Any], covered: set[str], *, whole: bool, since: str) -> bool:
    """Whether a difference that was not seen is really over: what it is about was looked at."""
    if row["effect"]:
        return row["effect"] in covered and (whole or row["kind"] == MISSING_OUTSIDE)
    return whole and str((row["outside"] or {}).get("at") or since) >= since


def _one(tx: Tx, connector: str, key: str, drift: Drift) -> bool:
    """One difference; whether it is open now and was not before."""
    shown = {
        "title": drift.title,
        "ref": drift.ref,
        "effect": drift.effect,
        "record": drift.record,
        "inside": dict(drift.inside),
        "outside": dict(drift.outside),
        "fields": [dict(line) for line in drift.fields],
    }
    row = mismatches.find(tx.conn, key)
    if row is None:
        mismatches.insert(tx, {"id": key, "connector": connector, "kind": drift.kind, "decision": None, **shown})
        return True
    before = digest(row)
    mismatches.see(tx, key, **shown)
    row = mismatches.get(tx.conn, key)
    if row["state"] == "fixing":
        return _still_fixing(tx, row)
    if row["state"] == "gone" and not _replaced(tx, row):
        mismatches.move(tx, row, "open")
        return True
    if row["state"] == "accepted" and digest(row) != (row["decision"] or {}).get("seen", before):
        mismatches.move(tx, row, "open")
        return True
    return False


def digest(row: Mapping[str, Any]) -> str:
    """What a difference looks like; an accepted one opens again when this changes."""
    outside = row["outside"] or {}
    return derived("seen", row["kind"], sorted((outside.get("fields") or {}).items(), key=str), row["fields"])


def _replaced(tx: Tx, row: Mapping[str, Any]) -> bool:
    """Whether what is missing was sent again, and that arrived: the new one is looked after on its own."""
    return row["kind"] == MISSING_OUTSIDE and _fate(tx, row) == "done"


def _still_fixing(tx: Tx, row: Mapping[str, Any]) -> bool:
    """A difference that is being mended and still shows: it waits, is settled, or is open again. True for open."""
    fate, decision = _fate(tx, row), row["decision"] or {}
    if fate == "waits":
        return False
    if fate == "done" and row["kind"] == MISSING_OUTSIDE:
        mismatches.move(tx, row, "gone")
        return False
    sides: Mapping[str, str] = decision.get("fields") or {}
    settled = bool(sides) and all(sides.get(line["field"]) == OUTSIDE for line in row["fields"] or [])
    mismatches.move(tx, row, "open")
    if settled:
        seen = {**decision, "seen": digest(row)}
        mismatches.move(tx, mismatches.get(tx.conn, row["id"]), "accepted", decision=seen)
    return not settled


def _fate(tx: Tx, row: Mapping[str, Any]) -> str:
    """What became of a fix: "waits", "done" or "over" (it came to nothing, or it is done and did not help)."""
    decision = row["decision"] or {}
    if card := decision.get("card"):
        try:
            return "waits" if tasks.get(tx.conn, card)["state"] == "open" else "over"
        except NotFound:
            return "over"
    states = _states(tx, decision)
    if not states:
        return "over"
    if any(state in _ENDED_BADLY for state in states):
        return "over"
    return "done" if all(state in DONE or state == "compensated" for state in states) else "waits"


def _states(tx: Tx, decision: Mapping[str, Any]) -> list[str]:
    """The states of the effects of a fix; a proposal that waits counts as one under way, a refused one as none."""
    if effect := decision.get("effect"):
        return _taken_back(tx, effects.get(tx.conn, effect)["state"], decision)
    proposal = proposals.find(tx.conn, str(decision.get("proposal") or ""))
    while proposal is not None and proposal["state"] == "superseded":
        proposal = proposals.find(tx.conn, proposal["superseded_by"])
    if proposal is None or proposal["state"] not in ("waiting", "approved"):
        return []
    made = [str(row["state"]) for row in effects.of_proposal(tx.conn, proposal["id"]) if not row["undoes"]]
    return made or ["waiting"]


def _taken_back(tx: Tx, state: str, decision: Mapping[str, Any]) -> list[str]:
    """What became of taking a second one back: a counter-entry may still wait for its word."""
    if state in ("compensated", "compensating"):
        return [state]
    counter = proposals.find(tx.conn, str(decision.get("proposal") or ""))
    return ["waiting"] if counter is not None and counter["state"] in ("waiting", "approved") else []


def _close_card(tx: Tx, mismatch: str) -> None:
    """The task for hands about a difference that is gone closes by itself."""
    if card := tasks.open_for(tx.conn, mismatch):
        tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": "it no longer shows"}, actor="soloist")
