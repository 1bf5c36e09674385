"""How attempts and look-ups end: the next state, what follows for its bundle, and the card where a person is needed.

Everything happens inside the caller's transaction; nothing here calls the outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Any

from soloist.engine.store import effects, proposals, sagas, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, Conflict, StaleHash
from soloist.kernel.ids import derived
from soloist.sdk import Absent, CannotTell, Done, Found, Lookup, Outcome
from soloist.stages.effects import cards, decide, waiting

WAY_BACK = "way back"
"""Kind of subject of the card about a way back that failed."""
OUTCOMES = {"happened": "resolved_done", "did_not_happen": "resolved_not_done", "send_again": "intended"}
WRITTEN = "follow_up"
"""Answer of a person that leaves it open what became of a mail and writes another one."""


class Ends:
    """What follows from answers. ``page`` finds the provider's own page about an effect, "" for none."""

    def __init__(self, page: Callable[[Any, str], str]) -> None:
        """Cards say the time in ``zone``."""
        self._page = page
        self.zone: tzinfo = UTC

    # ----- answers

    def answered(self, tx: Tx, effect: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
        """Keep the answer of an attempt and go on from it."""
        earlier = effects.attempts_of(tx.conn, effect["id"])[:-1]
        counted = sum(attempt["outcome"] not in decide.UNCOUNTED for attempt in earlier) + 1
        doubt = effect["class"] == "A" and any(attempt["outcome"] == "unknown" for attempt in earlier)
        found = decide.after(outcome, counted, doubt=doubt)
        evidence = getattr(outcome, "evidence", "") or found.note
        effects.end_attempt(tx, effect["id"], effect["attempts"], found.kind, evidence)
        values = {"provider_ref": outcome.receipt.provider_ref} if isinstance(outcome, Done) else {}
        waits = effect["waits"] if found.kind == "slowed" else ""
        row = effects.move(tx, effect, found.state, note=found.note, waits=waits, **values)
        if not found.stop and found.kind != "slowed":
            waiting.works(tx, row["connector"])
        return self._go_on(tx, row, found, evidence)

    def _go_on(self, tx: Tx, row: dict[str, Any], found: decide.After, evidence: str) -> dict[str, Any]:
        """The move that follows from the state after an answer."""
        if found.stop:
            waiting.shut_out(tx, row, found.note)
        if found.state == "refused":
            if found.stop:
                return waiting.wait_for_sign_in(tx, row)
            if found.retry_in is None:
                return self.failed(tx, row, found.note, evidence)
            due = later(tx.now, found.retry_in)
            return effects.move(tx, row, "intended", note="will be tried again", not_before=due)
        if found.state == "unknown" and found.tell:
            return self.ask(tx, row, found.note)
        if found.state == "unknown" and row["class"] == "A":
            due = later(tx.now, found.retry_in or decide.backoff(row["attempts"]))
            effects.touch(tx, row, "waits before the same key is tried again", not_before=due)
        elif found.state == "succeeded":
            self._done(tx, row)
        return row

    def failed(self, tx: Tx, row: dict[str, Any], why: str, answer: str = "") -> dict[str, Any]:
        """Certainly not done, and trying again would not help: a card with what can be done."""
        row = effects.move(tx, row, "failed", note=why)
        if row["undoes"]:
            self._not_taken_back(tx, row, why)
            return row
        self._tell(tx, row, why, answer)
        return row

    def stood_down(self, tx: Tx, effect: dict[str, Any], why: str) -> dict[str, Any]:
        """Nothing is sent. Before a first attempt the flow proposes it again; after one a person is told."""
        if effect["state"] == "unknown":
            return self.ask(tx, effect, f"It was not tried again. {why}")
        if effect["state"] == "refused":
            effect = effects.move(tx, effect, "intended", note="goes on")
        trial = effect["waits"] == decide.TRIAL
        row = effects.move(tx, effect, "resolved_not_done", note=f"Not sent. {why}", waits="")
        if trial:
            waiting.works(tx, row["connector"])
        if row["undoes"]:
            self._not_taken_back(tx, row, why)
        elif effect["attempts"]:
            self._tell(tx, row, why)
        else:
            waiting.wake_bundle(tx, proposals.get(tx.conn, row["proposal"]))
        return row

    def _tell(self, tx: Tx, row: dict[str, Any], why: str, answer: str = "") -> None:
        """The card of something that was not done; later parts of its bundle wait for what is said on it."""
        proposal = proposals.get(tx.conn, row["proposal"])
        rest = len(waiting.later_parts(tx.conn, proposal))
        values = cards.failed(row, proposal, why, answer=answer, rest=rest)
        self._card(tx, derived("failed", row["id"]), row, values, type_="failure")
        waiting.wake_bundle(tx, proposal)

    def _done(self, tx: Tx, row: Mapping[str, Any]) -> None:
        """It happened: what it takes back is taken back, and its bundle goes on."""
        if row["undoes"]:
            origin = effects.get(tx.conn, row["undoes"])
            if origin["state"] == "compensating":
                effects.move(tx, origin, "compensated", note="taken back")
            row = origin
        waiting.wake_bundle(tx, proposals.get(tx.conn, row["proposal"]))

    def _not_taken_back(self, tx: Tx, row: Mapping[str, Any], why: str) -> None:
        """A way back came to nothing: a card of its own, unless a saga stops at it and tells the whole."""
        origin = effects.get(tx.conn, row["undoes"])
        if origin["state"] == "compensating":
            self.not_taken_back(tx, origin, why)

    def not_taken_back(self, tx: Tx, origin: dict[str, Any], why: str) -> None:
        """The same for the effect that stays as it is."""
        origin = effects.move(tx, origin, "compensation_failed", note=why)
        proposal = proposals.get(tx.conn, origin["proposal"])
        if any(saga["state"] == "running" for saga in sagas.of_bundle(tx.conn, proposal["bundle"])):
            waiting.wake_bundle(tx, proposal)
            return
        values = cards.not_taken_back(origin, proposal, why, {"not_done": [cards.short(proposal)]})
        ident = derived("not taken back", origin["id"], origin["version"])
        self._card(tx, ident, origin, values, type_="failure", kind=WAY_BACK)

    # ----- doubts

    def looked(self, tx: Tx, row: dict[str, Any], found: Lookup, lag: float) -> dict[str, Any]:
        """Go on after a look-up; what was seen, and when, stays with the effect."""
        move = decide.after_look(row, found, lag)
        if isinstance(found, Found):
            seen = f"looked up: {found.receipt.detail or 'it is there'}{self._slow(row)}"
            row = effects.move(tx, row, "succeeded", note=seen, provider_ref=found.receipt.provider_ref, waits="")
            self._done(tx, row)
            return row
        due = later(tx.now, move.seconds)
        effects.touch(tx, row, _seen(found), lookups=row["lookups"] + 1, not_before=due)
        row = effects.get(tx.conn, row["id"])
        if move.do == "attempt":
            note = f"looked up {decide.LOOK_UPS} times and it was not there"
            row = effects.move(tx, row, "intended", note=note, not_before=tx.now)
        elif move.do == "ask":
            row = self.ask(tx, row, move.why)
        return row

    @staticmethod
    def _slow(row: Mapping[str, Any]) -> str:
        """A remark when a write showed later than an earlier look; then the declared lag is too short."""
        return (
            "; an earlier look did not see it, so its look-up is slower than declared" if decide.looks(row)[0] else ""
        )

    def ask(self, tx: Tx, row: dict[str, Any], why: str) -> dict[str, Any]:
        """An uncertain outcome becomes the operator's question."""
        row = effects.move(tx, row, "needs_human", note=why, waits="")
        proposal = proposals.get(tx.conn, row["proposal"])
        tried = effects.attempts_of(tx.conn, row["id"])
        page = self._page(tx.conn, row["id"])
        values = cards.unknown(row, proposal, tried, why=why, zone=self.zone, page=page)
        self._card(tx, derived("unknown", row["id"], row["attempts"]), row, values, type_="unknown_outcome")
        waiting.wake_bundle(tx, proposal)
        return row

    def said(self, tx: Tx, effect_id: str, outcome: str, digest: str, *, who: str) -> dict[str, Any]:
        """A person's word on an uncertain outcome; StaleHash when it was given on other content."""
        if outcome not in OUTCOMES and outcome != WRITTEN:
            raise BadInput("outcome: happened, did_not_happen or send_again.", field="outcome")
        target = OUTCOMES.get(outcome, "resolved_not_done")
        row = effects.get(tx.conn, effect_id)
        if digest != row["payload_hash"]:
            raise StaleHash(
                "Your payload_hash is not that of this effect.", field="payload_hash", current=row["payload_hash"]
            )
        if row["state"] == target:
            return {"id": effect_id, "state": row["state"]}
        if row["state"] != "needs_human":
            raise Conflict(f"This effect is {row['state']}; there is nothing to resolve.")
        note = f"your word: {outcome}" if outcome != WRITTEN else "not known; you wrote a follow-up instead"
        extra = {"not_before": tx.now} if outcome == "send_again" else {}
        row = effects.move(tx, row, target, actor=who, note=note, **extra)
        if card := tasks.open_for(tx.conn, effect_id):
            tasks.close(tx, card["id"], "done", {"option": outcome}, actor=who)
        if target == "resolved_done":
            self._done(tx, row)
        elif target == "resolved_not_done" and row["undoes"]:
            self._not_taken_back(tx, row, "You said that it was not taken back.")
        elif target == "resolved_not_done":
            waiting.wake_bundle(tx, proposals.get(tx.conn, row["proposal"]))
        tx.send(row["run"], waiting.EFFECT, {"state": row["state"]})
        return {"id": effect_id, "state": row["state"]}

    @staticmethod
    def _card(
        tx: Tx,
        ident: str,
        effect: Mapping[str, Any],
        values: dict[str, Any],
        *,
        type_: str,
        kind: str = "effect",
    ) -> None:
        """A card about an effect."""
        proposal = proposals.get(tx.conn, effect["proposal"])
        tasks.open_card(
            tx,
            ident,
            type_,
            values.pop("title"),
            subject=effect["id"],
            subject_kind=kind,
            record=proposal["record"],
            conversation=proposal["conversation"],
            run=effect["run"],
            value_minor=proposal["amount_minor"],
            currency=proposal["currency"],
            deadline=later(tx.now, 30 * 86400),
            at_expiry="Nothing is sent; it stays listed as not known.",
            **values,
        )


def _seen(found: Absent | CannotTell) -> str:
    """What a look-up saw, as evidence."""
    return f"{decide.ABSENT}{found.proof}" if isinstance(found, Absent) else f"{decide.FAILED}{found.reason}"
