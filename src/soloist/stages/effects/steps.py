"""Steps of effects: intend, attempt, look up, ask, resolve, undo; what is committed before what is the whole point."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from soloist.config import Settings
from soloist.engine import failpoint
from soloist.engine.keyring import Keyring
from soloist.engine.outbound import Door
from soloist.engine.store import conversations, effects, proposals, settings, tasks, workers
from soloist.engine.store.clock import from_iso, later
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, Conflict, NotAllowed, StaleHash, StoreTrouble
from soloist.kernel.hashing import keyed, payload_hash, sha256
from soloist.kernel.ids import derived
from soloist.sdk import Absent, Done, Found, Outcome, Plan, Receipt, Registry
from soloist.stages.effects import decide

DRAINING = 1.0
"""Seconds between two looks of a run while nothing may leave this process: it is being ended, or its lock is lost."""
PATIENCE = 1.0
"""Seconds between two tries to write down an answer that came while the database was away."""
DAY = 86400.0
EFFECT = "effect"
"""Topic on which the run of an effect hears that something changed."""

Allowed = Callable[[Mapping[str, Any]], str]
"""Whether policy still lets this proposal go: "" or the reason why not."""


def open_door(config: Settings, home: Path, registry: Registry, keyring: Keyring) -> Door:
    """The writing door; made here because only this stage may hold one."""
    return Door(config, home, registry, keyring.secret, keyring.put)


class Effects:
    """Owns effects. ``boot`` names this process, so that what a dead one left is known."""

    def __init__(self, store: Store, door: Door, *, boot: str, install_key: bytes, allowed: Allowed) -> None:
        """``allowed`` judges again, on the bytes about to leave."""
        self._store, self._door, self._boot, self._key, self._allowed = store, door, boot, install_key, allowed
        self.connect = door.connect
        self.halt = door.halt
        door.last_look = self._last_look
        self._calling = 0
        self._draining = False
        self.fenced: Callable[[], bool] = lambda: False
        """Whether this process has lost its lock, so that another may take it for dead."""
        self.fill: Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]] = lambda _proposal, given: given
        """Puts into a letter of ours what is stored nowhere: (proposal, payload) -> payload."""

    # ----- before the attempt

    async def intend(self, run: str, proposal_id: str) -> dict[str, Any]:
        """Make the effects of an approved proposal, with their keys, and ask for their runs. Answers {effects}."""

        def work(tx: Tx) -> dict[str, Any]:
            def make() -> dict[str, Any]:
                proposal = proposals.get(tx.conn, proposal_id)
                if proposal["state"] != "approved":
                    return {"effects": 0}
                split = self._door.operation(proposal["connector"], proposal["operation"]).split
                parts = decide.groups(proposal["payload"], split)
                for name, _payload in parts:
                    self._insert(tx, proposal, name)
                return {"effects": len(parts)}

            return dict(once(tx, run, "intend", make, given={"proposal": proposal_id}))

        made = await self._store.write(work)
        failpoint.hit("intended")
        return made

    def _insert(self, tx: Tx, proposal: Mapping[str, Any], group: str, *, undoes: str = "", plan: Any = None) -> str:
        """One intended effect; the key is made from its id and never changes between attempts."""
        ident = derived("effect", proposal["id"], group)
        row = {
            "id": ident,
            "proposal": proposal["id"],
            "group": group,
            "run": f"effect:{ident}",
            "source_ref": proposal["source_ref"],
            "connector": proposal["connector"],
            "operation": proposal["operation"],
            "class": proposal["class"],
            "key": self._provider_key(ident),
            "payload_hash": proposal["payload_hash"],
            "not_before": tx.now if undoes else later(tx.now, proposal["hold_ms"] / 1000),
            "undoes": undoes,
            "undo_plan": plan,
            "evidence": [],
        }
        effects.insert(tx, row, actor="soloist")
        tx.start(row["run"], "effect", ident, subject=ident, parent=f"proposal:{proposal['id']}")
        return ident

    def _provider_key(self, effect: str) -> str:
        """26 characters of base32 from the keyed hash of the effect's id: fit for headers, paths and Message-IDs."""
        digest = hmac.new(self._key, effect.encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:16]).decode().rstrip("=").lower()

    async def look(self, run: str, effect_id: str) -> dict[str, Any]:
        """What to do next with an effect: {do, seconds, why}. Not remembered as a step of its own on the run page."""

        def read(conn: Any) -> dict[str, Any]:
            effect = effects.get(conn, effect_id)
            operation = self._door.operation(effect["connector"], effect["operation"])
            move = decide.next_move(effect, operation, now=self._store.clock(), stopped=bool(self.halt.pressed(conn)))
            return {"do": move.do, "seconds": move.seconds, "why": move.why, "state": effect["state"]}

        return await self._store.read(read)

    # ----- the attempt

    async def attempt(self, run: str, effect_id: str) -> dict[str, Any]:
        """Commit "attempting", call once, commit the answer. Answers {state}.

        Whether an attempt is due is decided again in the transaction that begins it, so a step that runs again after
        a crash finds what the dead process left and touches nothing outside.
        """
        if self._held_back():
            await asyncio.sleep(DRAINING)
        self._calling += 1
        try:
            failpoint.hit("before attempting")
            effect, plan = await self._store.write(lambda tx: self._begin(tx, effect_id))
            if plan is None:
                return {"state": effect["state"]}
            failpoint.hit("attempting")
            outcome = await self._door.execute(effect["connector"], plan)
            failpoint.hit("called")
            answer = await self._keep(effect, outcome)
            failpoint.hit("answered")
            return answer
        finally:
            self._calling -= 1

    async def _keep(self, effect: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
        """Commit an answer although the disk is full or the database away for a while: it will not come again.

        What moved meanwhile stays as it is: a commit of ours whose end we did not hear, or a process that took this
        one for dead and made the attempt unknown.
        """
        while True:
            try:
                return await self._store.write(lambda tx: self._end_if_ours(tx, effect, outcome))
            except StoreTrouble:
                if self._draining:
                    raise
                await asyncio.sleep(PATIENCE)

    def _end_if_ours(self, tx: Tx, effect: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
        """Commit the answer of the attempt that holds the version; any other is only told the state."""
        now = effects.get(tx.conn, effect["id"])
        if now["version"] != effect["version"]:
            return {"state": now["state"], "wait": 0.0}
        return self._end(tx, effect, outcome)

    async def _last_look(self) -> str:
        """Why nothing may leave, asked in the last instant before a call: a rate limit may have held it up."""
        try:
            why = await self._store.read(self.halt.pressed)
        except Exception:  # noqa: BLE001  # whatever keeps the database from answering, without its word nothing leaves
            why = "The database did not say whether the stop button is pressed."
        return why or self.halt.at_once()

    def _held_back(self) -> bool:
        """Whether nothing may leave this process."""
        return self._draining or self.fenced()

    async def drain(self, seconds: float = 10.0) -> None:
        """Refuse new attempts and give open calls time to end, so that a stop makes nothing unknown."""
        self._draining = True
        for _ in range(int(seconds / 0.05)):
            if not self._calling:
                return
            await asyncio.sleep(0.05)

    def _plan(self, conn: Any, effect_id: str) -> Plan:
        """The exact request of an effect, rendered from stored values alone."""
        effect = effects.get(conn, effect_id)
        proposal = proposals.get(conn, effect["proposal"])
        forward = self._forward_plan(conn, effect, proposal)
        if not effect["undoes"]:
            return forward
        first = effects.get(conn, effect["undoes"])
        plan = self._door.undo(effect["connector"], forward, Receipt(first["provider_ref"]))
        if plan is None:
            raise Conflict(f"{effect['connector']}.{effect['operation']} has no way back.")
        return plan

    def _forward_plan(self, conn: Any, effect: Mapping[str, Any], proposal: Mapping[str, Any]) -> Plan:
        """The plan of the operation itself; an undo effect is planned from the effect that it undoes."""
        origin = effects.get(conn, effect["undoes"]) if effect["undoes"] else effect
        split = self._door.operation(effect["connector"], effect["operation"]).split
        payloads = dict(decide.groups(proposal["payload"], split))
        payload = self.fill(proposal, payloads.get(origin["group"], proposal["payload"]))
        return self._door.prepare(effect["connector"], effect["operation"], payload, origin["key"], origin["created"])

    def _begin(self, tx: Tx, effect_id: str) -> tuple[dict[str, Any], Plan | None]:
        """Re-read everything the approval rests on; only if nothing moved does the effect become attempting.

        The plan is rendered here, from the rows that were just checked; None when no attempt is due.
        """
        effect = effects.get(tx.conn, effect_id)
        proposal = proposals.get(tx.conn, effect["proposal"])
        if self._held_back() or not workers.lives(tx, self._boot) or self._next(tx, effect).do != "attempt":
            return effect, None
        if moved := self._moved(tx, effect, proposal):
            return self._stand_down(tx, effect, proposal, moved), None
        plan = self._plan(tx.conn, effect_id)
        if effect["state"] == "unknown":
            effect = effects.move(tx, effect, "intended", note="same key again, inside the provider's window")
        effect = effects.move(tx, effect, "claimed", boot=self._boot)
        n, digest = effect["attempts"] + 1, sha256(plan.request)
        effects.begin_attempt(tx, effect_id, n, self._boot, digest)
        first = effect["first_attempt"] or tx.now
        values = {"attempts": n, "request_hash": digest, "first_attempt": first}
        return effects.move(tx, effect, "attempting", note=f"attempt {n}", **values), plan

    def _next(self, tx: Tx, effect: Mapping[str, Any]) -> decide.Move:
        """What is due for an effect at the instant of this transaction."""
        operation = self._door.operation(effect["connector"], effect["operation"])
        return decide.next_move(effect, operation, now=from_iso(tx.now), stopped=bool(self.halt.pressed(tx.conn)))

    def _moved(self, tx: Tx, effect: Mapping[str, Any], proposal: Mapping[str, Any]) -> str:
        """What moved since the approval, in words; "" when nothing did.

        The bytes are compared before every attempt; what a first attempt has begun is not judged anew.
        """
        said = [a for a in proposals.approvals_of(tx.conn, proposal["id"]) if a["decision"] in ("approve", "allow")]
        if not said or not self._same_content(effect, proposal, said[-1]):
            return "The content is not the one that was approved."
        if not self._sealed(said[-1]):
            return "The approval does not carry this server's seal."
        if effect["undoes"] or effect["attempts"]:
            return ""
        if proposal["state"] != "approved":
            return f"The proposal is {proposal['state']} by now."
        by_rule = said[-1]["decision"] == "allow"
        if why := self._allowed({**proposal, "approved_by": said[-1]["decision"]}):
            return why
        if by_rule and conversations.automatic_since(tx.conn, proposal["conversation"], later(tx.now, -DAY)):
            return "An automatic answer went out on this thread within a day; one more needs your word."
        if proposal["conversation"] and proposal["thread_head"]:
            head = conversations.get(tx.conn, proposal["conversation"])["head"]
            if head != proposal["thread_head"]:
                return "Something new came on this thread after you approved."
        return ""

    def _same_content(
        self, effect: Mapping[str, Any], proposal: Mapping[str, Any], approval: Mapping[str, Any]
    ) -> bool:
        """Whether effect, proposal and approval speak of the same bytes, connection, operation and key."""
        digest = payload_hash(proposal["connector"], proposal["operation"], proposal["payload"])
        return (effect["connector"], effect["operation"], effect["key"], effect["payload_hash"]) == (
            proposal["connector"],
            proposal["operation"],
            self._provider_key(effect["id"]),
            digest,
        ) and approval["payload_hash"] == digest

    def _sealed(self, approval: Mapping[str, Any]) -> bool:
        """Whether an approval row was written by a holder of the install key."""
        text = "\x1f".join((approval["proposal"], approval["payload_hash"], approval["decision"], approval["at"]))
        return hmac.compare_digest(keyed(self._key, text), approval["seal"])

    def _stand_down(self, tx: Tx, effect: dict[str, Any], proposal: Mapping[str, Any], why: str) -> dict[str, Any]:
        """Nothing is sent. Before a first attempt the flow proposes it again; after one a person is told."""
        if effect["state"] == "unknown":
            return self._ask(tx, effect, f"It was not tried again. {why}")
        row = effects.move(tx, effect, "resolved_not_done", note=f"Not sent. {why}")
        if effect["attempts"]:
            card = decide.failed_card(row, proposal, why)
            self._card(tx, derived("failed", row["id"]), row, card, type_="failure")
        return row

    def _end(self, tx: Tx, effect: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
        """Commit the answer of an attempt; only the attempt that holds the version may."""
        found = decide.after(outcome, effect["attempts"], doubt=self._doubt(tx, effect))
        values: dict[str, Any] = {}
        if isinstance(outcome, Done):
            values["provider_ref"] = outcome.receipt.provider_ref
        evidence = getattr(outcome, "evidence", "") or found.note
        effects.end_attempt(tx, effect["id"], effect["attempts"], found.state, evidence)
        row = effects.move(tx, effect, found.state, note=found.note, **values)
        if found.state == "refused" and found.retry_in is not None:
            row = effects.move(
                tx, row, "intended", note="will be tried again", not_before=later(tx.now, found.retry_in)
            )
        elif found.state == "refused":
            row = self._fail(tx, row, found.note)
        elif found.state == "unknown" and found.tell:
            row = self._ask(tx, row, found.note)
        elif found.state == "unknown" and row["class"] == "A":
            pause = found.retry_in or decide.backoff(row["attempts"])
            effects.touch(tx, row, "waits before the same key is tried again", not_before=later(tx.now, pause))
        elif found.state == "succeeded" and row["undoes"]:
            self._undone(tx, row)
        return {"state": row["state"], "wait": decide.backoff(row["attempts"])}

    def _doubt(self, tx: Tx, effect: Mapping[str, Any]) -> bool:
        """Whether an earlier attempt of class A had no clear answer; the other classes settle that first."""
        earlier = effects.attempts_of(tx.conn, effect["id"])[:-1]
        return bool(effect["class"] == "A" and any(attempt["outcome"] == "unknown" for attempt in earlier))

    def _fail(self, tx: Tx, row: dict[str, Any], why: str) -> dict[str, Any]:
        """Certainly not done, and trying again would not help: a card with what can be done."""
        row = effects.move(tx, row, "failed", note=why)
        if row["undoes"]:
            origin = effects.get(tx.conn, row["undoes"])
            effects.move(tx, origin, "compensation_failed", note=why)
        proposal = proposals.get(tx.conn, row["proposal"])
        values = decide.failed_card(row, proposal, why)
        self._card(tx, derived("failed", row["id"]), row, values, type_="failure")
        return row

    def _undone(self, tx: Tx, row: Mapping[str, Any]) -> None:
        """The undo of an effect succeeded."""
        origin = effects.get(tx.conn, row["undoes"])
        effects.move(tx, origin, "compensated", note="taken back")

    def _card(self, tx: Tx, ident: str, effect: Mapping[str, Any], values: dict[str, Any], *, type_: str) -> None:
        """A card about an effect."""
        proposal = proposals.get(tx.conn, effect["proposal"])
        tasks.open_card(
            tx,
            ident,
            type_,
            values.pop("title"),
            subject=effect["id"],
            subject_kind="effect",
            record=proposal["record"],
            conversation=proposal["conversation"],
            run=effect["run"],
            deadline=later(tx.now, 30 * 86400),
            at_expiry="Nothing is sent; it stays listed as not known.",
            **values,
        )

    # ----- after an unknown outcome

    async def look_up(self, run: str, effect_id: str) -> dict[str, Any]:
        """Look our write up outside: found, absent often enough, or ask. Answers {state}."""
        plan = await self._store.read(lambda conn: self._plan(conn, effect_id))
        effect, due = await self._store.write(lambda tx: self._reconcile(tx, effect_id))
        if not due:
            return {"state": effect["state"]}
        found = await self._door.find(effect["connector"], plan)

        def keep(tx: Tx) -> dict[str, Any]:
            row = effects.get(tx.conn, effect_id)
            if row["state"] != "reconciling":
                return {"state": row["state"]}
            return self._after_look_up(tx, row, found, plan.operation.lookup_lag)

        return await self._store.write(keep)

    def _reconcile(self, tx: Tx, effect_id: str) -> tuple[dict[str, Any], bool]:
        """Mark that we look, if a look is due: a step that runs again must not count as a second look after the lag."""
        effect = effects.get(tx.conn, effect_id)
        if self._next(tx, effect).do != "look_up":
            return effect, False
        if effect["state"] == "unknown":
            effect = effects.move(tx, effect, "reconciling", note="looking it up", lookups=0)
        return effect, True

    def _after_look_up(self, tx: Tx, row: dict[str, Any], found: Any, lag: float) -> dict[str, Any]:
        """Found: done. Absent twice, a lag apart: certainly not done, so the same key may go again."""
        count = row["lookups"] + 1
        if isinstance(found, Found):
            row = effects.move(
                tx,
                row,
                "succeeded",
                note=f"looked up: {found.receipt.detail or 'it is there'}",
                provider_ref=found.receipt.provider_ref,
            )
            if row["undoes"]:
                self._undone(tx, row)
        elif isinstance(found, Absent) and count >= decide.LOOK_UPS and row["attempts"] < decide.MOST_ATTEMPTS:
            row = effects.move(tx, row, "intended", note=f"looked up {count} times: {found.proof}", not_before=tx.now)
        elif isinstance(found, Absent) and count < decide.LOOK_UPS:
            effects.touch(tx, row, f"not there: {found.proof}", lookups=count, not_before=later(tx.now, lag))
        elif count < decide.CANNOT_LOOK and not isinstance(found, Absent):
            effects.touch(
                tx,
                row,
                f"the look-up failed: {found.reason}",
                lookups=count if count > 1 else 1,
                not_before=later(tx.now, max(lag, decide.backoff(count + 2))),
            )
        else:
            row = self._ask(tx, row, "Looking it up gave no clear answer.")
        return {"state": row["state"]}

    async def ask(self, run: str, effect_id: str, why: str) -> dict[str, Any]:
        """Make an uncertain outcome the operator's question. Answers {state}."""

        def work(tx: Tx) -> dict[str, Any]:
            row = effects.get(tx.conn, effect_id)
            return {"state": (self._ask(tx, row, why) if row["state"] in ("unknown", "reconciling") else row)["state"]}

        return await self._store.write(work)

    def _ask(self, tx: Tx, row: dict[str, Any], why: str) -> dict[str, Any]:
        """needs_human, with the card."""
        row = effects.move(tx, row, "needs_human", note=why)
        proposal = proposals.get(tx.conn, row["proposal"])
        ident = derived("unknown", row["id"], row["attempts"])
        self._card(tx, ident, row, decide.unknown_card(row, proposal, why), type_="unknown_outcome")
        return row

    # ----- what people do

    async def resolve(self, effect_id: str, outcome: str, digest: str, *, who: str) -> dict[str, Any]:
        """The operator's word on an uncertain outcome: happened, did_not_happen or send_again. Answers {id, state}."""
        return await self._store.write(lambda tx: self.resolve_in(tx, effect_id, outcome, digest, who=who))

    def resolve_in(self, tx: Tx, effect_id: str, outcome: str, digest: str, *, who: str) -> dict[str, Any]:
        """The same inside a transaction; StaleHash when the word was given on other content."""
        targets = {"happened": "resolved_done", "did_not_happen": "resolved_not_done", "send_again": "intended"}
        if outcome not in targets:
            raise BadInput("outcome: happened, did_not_happen or send_again.", field="outcome")
        row = effects.get(tx.conn, effect_id)
        if digest != row["payload_hash"]:
            raise StaleHash(
                "Your payload_hash is not that of this effect.", field="payload_hash", current=row["payload_hash"]
            )
        if row["state"] == targets[outcome]:
            return {"id": effect_id, "state": row["state"]}
        if row["state"] != "needs_human":
            raise Conflict(f"This effect is {row['state']}; there is nothing to resolve.")
        extra = {"not_before": tx.now} if outcome == "send_again" else {}
        row = effects.move(tx, row, targets[outcome], actor=who, note=f"your word: {outcome}", **extra)
        if row["undoes"] and outcome == "happened":
            self._undone(tx, row)
        if card := tasks.open_for(tx.conn, effect_id):
            tasks.close(tx, card["id"], "done", {"option": outcome}, actor=who)
        tx.send(row["run"], EFFECT, {"state": row["state"]})
        return {"id": effect_id, "state": row["state"]}

    def undo_in(self, tx: Tx, effect_id: str, *, who: str) -> dict[str, Any]:
        """Take an effect back: while it is held nothing leaves; afterwards by the declared way back, if there is one.

        Answers {id, state, held}; NotAllowed says why there is no way back.
        """
        row = effects.get(tx.conn, effect_id)
        if row["state"] in ("intended", "claimed") and not row["attempts"]:
            row = effects.move(tx, row, "resolved_not_done", actor=who, note="undone while held; nothing was sent")
            tx.send(row["run"], EFFECT, {"state": row["state"]})
            return {"id": effect_id, "state": row["state"], "held": True, "proposal": row["proposal"]}
        if row["state"] not in ("succeeded", "resolved_done"):
            raise Conflict(f"This effect is {row['state']}; there is nothing to undo.")
        operation = self._door.operation(row["connector"], row["operation"])
        if operation.undo == "none":
            raise NotAllowed(f"{row['connector']}.{row['operation']} {operation.way_back}.")
        effects.move(tx, row, "compensating", actor=who, note="being taken back")
        proposal = proposals.get(tx.conn, row["proposal"])
        self._insert(tx, proposal, f"undo:{row['group']}", undoes=effect_id)
        return {"id": effect_id, "state": "compensating", "held": False, "proposal": row["proposal"]}

    # ----- the stop button and start-up

    async def stop(self, on: bool, *, who: str) -> None:
        """Press or release the stop button; what waits to leave stays where it is until it is released."""

        def work(tx: Tx) -> None:
            settings.put(tx, settings.STOP, tx.now if on else "")
            tx.append("outbound.stopped" if on else "outbound.released", actor=who)
            if not on:
                for row in effects.in_states(tx.conn, ["intended", "unknown"]):
                    tx.send(row["run"], EFFECT, {"state": "released"})

        await self._store.write(work)

    async def sweep(self) -> int:
        """Every attempt that a dead process left open is of unknown outcome. Answers how many."""
        return await self._store.write(self.sweep_in)

    def sweep_in(self, tx: Tx) -> int:
        """The same inside the transaction that marks the process as ended."""
        left = effects.left_open(tx.conn)
        for row in left:
            if row["state"] == "claimed":
                effects.move(tx, row, "intended", note="the process ended before it called")
                continue
            note = "the process died while calling"
            effects.end_attempt(tx, row["id"], row["attempts"], "unknown", note)
            effects.move(tx, row, "unknown", note=note)
            tx.send(row["run"], EFFECT, {"state": "unknown"})
        return len(left)
