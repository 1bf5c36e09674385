"""What an effect waits for beside its own time: a sign-in that works again, and the earlier parts of its bundle.

Everything here is read from rows inside the caller's transaction, so it holds for every process and after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from soloist.engine.store import effects, holds, proposals, sagas, secrets, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.kernel.ids import derived
from soloist.stages.effects import cards
from soloist.stages.effects.decide import BUNDLE, HELD, OVER, SIGN_IN, TRIAL

EFFECT = "effect"
"""Topic on which the run of an effect hears that something changed."""
CONNECTOR = "connector"
"""Kind of subject of the card about a connector that does not let us in."""
DONE = frozenset({"succeeded", "resolved_done"})
GONE = frozenset({"rejected", "denied", "expired", "withdrawn"})

Turn = Literal["go", "wait", "over"]


def held(conn: Any, effect: Mapping[str, Any]) -> str:
    """What an effect has to wait for now: "", a person's word, the sign-in of its connector, or its bundle."""
    if effect["state"] not in ("intended", "refused", "unknown"):
        return ""
    if holds.on(conn, effect):
        return HELD
    if shut(conn, effect):
        return SIGN_IN
    if effect["undoes"] or effect["attempts"]:
        return ""
    turn = turn_of(conn, proposals.get(conn, effect["proposal"]))
    return {"go": "", "wait": BUNDLE, "over": OVER}[turn]


# ----- a connector that does not let us in


def card_of(conn: Any, connector: str) -> dict[str, Any] | None:
    """The open card about the sign-in of a connector."""
    return tasks.open_for(conn, f"{CONNECTOR}:{connector}")


def shut(conn: Any, effect: Mapping[str, Any]) -> bool:
    """Whether an effect stays because its connector does not let us in; a renewed secret lets one try."""
    if effect["waits"] == TRIAL:
        return False
    if card := card_of(conn, effect["connector"]):
        return not secrets.renewed_since(conn, card["created"])
    return effect["waits"] == SIGN_IN and bool(effects.waiting(conn, effect["connector"], TRIAL))


def wait_for_sign_in(tx: Tx, effect: Mapping[str, Any]) -> dict[str, Any]:
    """An effect stays until its connector lets us in; no attempt is counted."""
    effects.touch(tx, effect, "waits until the sign-in works", waits=SIGN_IN)
    return effects.get(tx.conn, effect["id"])


def shut_out(tx: Tx, effect: Mapping[str, Any], why: str) -> None:
    """A sign-in was refused: one card for the connector says so, however many effects wait."""
    name = effect["connector"]
    if card_of(tx.conn, name) is not None:
        return
    values = cards.sign_in(name, why)
    tasks.open_card(
        tx,
        derived("sign-in", effect["id"], effect["attempts"]),
        "failure",
        values.pop("title"),
        subject=f"{CONNECTOR}:{name}",
        subject_kind=CONNECTOR,
        deadline=later(tx.now, 30 * 86400),
        at_expiry="Nothing is sent; what waits goes on waiting.",
        **values,
    )


def works(tx: Tx, connector: str) -> None:
    """A call got through, or nobody has to wait any more: the card closes and what waits goes on."""
    card = card_of(tx.conn, connector)
    if card is None and not effects.waiting(tx.conn, connector, SIGN_IN):
        return
    if card:
        tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": "it works again"}, actor="soloist")
    for row in effects.waiting(tx.conn, connector, SIGN_IN):
        wake(tx, row)


def wake(tx: Tx, effect: Mapping[str, Any], waits: str = "") -> None:
    """Let an effect go on now, as the trial of its connector or freely."""
    if effect["state"] == "refused":
        effect = effects.move(tx, effect, "intended", note="goes on", not_before=tx.now, waits=waits)
    else:
        effects.touch(tx, effect, "goes on", waits=waits)
    tx.send(effect["run"], EFFECT, {"state": "woken"})


def renewed(tx: Tx, card: Mapping[str, Any]) -> str:
    """A secret was stored after the refusal: the card closes, and the effect that goes now is the trial."""
    tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": "a secret was renewed"}, actor="soloist")
    return TRIAL


def try_sign_in(tx: Tx, connector: str, *, who: str) -> int:
    """One waiting effect goes ahead, the others follow when it gets through. Answers how many wait."""
    rows = effects.waiting(tx.conn, connector, SIGN_IN)
    if card := card_of(tx.conn, connector):
        tasks.close(tx, card["id"], "done", {"option": "try_again", "waiting": len(rows)}, actor=who)
    if rows:
        wake(tx, rows[0], TRIAL)
    return len(rows)


def give_up(tx: Tx, connector: str, *, who: str) -> int:
    """What waits for the sign-in is not sent, certainly; answers how many."""
    note = "You gave up; certainly nothing was sent."
    rows = effects.waiting(tx.conn, connector, SIGN_IN)
    for row in rows:
        state = "failed" if row["state"] == "refused" else "resolved_not_done"
        effects.move(tx, row, state, actor=who, note=note, waits="")
        proposal = proposals.get(tx.conn, row["proposal"])
        others = [e for e in effects.of_proposal(tx.conn, row["proposal"]) if e["state"] in ("intended", "refused")]
        if state == "resolved_not_done" and not others and proposal["state"] == "approved":
            proposals.move(tx, row["proposal"], "withdrawn", actor=who, why=note)
        tx.send(row["run"], EFFECT, {"state": state})
    if card := card_of(tx.conn, connector):
        tasks.close(tx, card["id"], "done", {"option": "give_up", "waiting": len(rows)}, actor=who)
    return len(rows)


# ----- bundles


def turn_of(conn: Any, proposal: Mapping[str, Any]) -> Turn:
    """Whether everything before a proposal in its bundle is done: "go", "wait", or "over" when it will not be."""
    name = proposal["bundle"]
    if not name:
        return "go"
    if any(saga["state"] in ("running", "stopped") for saga in sagas.of_bundle(conn, name)):
        return "over"
    places: dict[int, list[Turn]] = {}
    for row in sagas.bundle(conn, name):
        if row["place"] < proposal["place"]:
            places.setdefault(row["place"], []).append(_stands(conn, row))
    best = [min(found, key=("go", "wait", "over").index) for found in places.values()]
    return max(best, key=("go", "wait", "over").index, default="go")


def _stands(conn: Any, proposal: Mapping[str, Any]) -> Turn:
    """Where one earlier part stands: done ("go"), still open ("wait"), or over without having been done."""
    if proposal["state"] == "waiting":
        return "wait"
    if proposal["state"] != "approved":
        return "over"
    if proposal["noun"] == "change":
        return "go" if sagas.written_by(conn, f"proposal:{proposal['id']}") else "wait"
    made = [row for row in effects.of_proposal(conn, proposal["id"]) if not row["undoes"]]
    states = {row["state"] for row in made}
    if made and states <= DONE:
        return "go"
    if not made or states - DONE - {"failed", "resolved_not_done", "compensating", "compensated"}:
        return "wait"
    return "wait" if any(tasks.open_for(conn, row["id"]) for row in made) else "over"


def later_parts(conn: Any, proposal: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a bundle that come after one and are still to be done."""
    rows = sagas.bundle(conn, proposal["bundle"])
    return [row for row in rows if row["place"] > proposal["place"] and row["state"] in ("waiting", "approved")]


def wake_bundle(tx: Tx, proposal: Mapping[str, Any]) -> None:
    """Something of a bundle ended: its later parts and its way back look again."""
    for row in later_parts(tx.conn, proposal):
        tx.send(f"proposal:{row['id']}", BUNDLE, {"state": "look"})
        for effect in effects.of_proposal(tx.conn, row["id"]):
            tx.send(effect["run"], EFFECT, {"state": "look"})
    for saga in sagas.of_bundle(tx.conn, proposal["bundle"]):
        if saga["state"] == "running":
            tx.send(saga_run(saga), BUNDLE, {"state": "look"})


def saga_run(saga: Mapping[str, Any]) -> str:
    """The id of the run that takes a bundle back; a new one begins after each stop."""
    return f"saga:{saga['id']}:{sum(int(step.get('tries', 0)) for step in saga['steps'] or [])}"
