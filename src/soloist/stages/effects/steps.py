"""Steps of effects: intend, attempt, look up, ask, resolve, undo; what is committed before what is the whole point."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from soloist.config import Settings
from soloist.engine import failpoint
from soloist.engine.keyring import Keyring
from soloist.engine.outbound import Door
from soloist.engine.store import conversations, effects, proposals, settings, workers
from soloist.engine.store.clock import from_iso, later
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotAllowed, SoloistError, StoreTrouble
from soloist.kernel.hashing import keyed, payload_hash, sha256
from soloist.kernel.ids import derived
from soloist.kernel.proposal import SEAL, UNDOING, OperationFacts, sealed_text
from soloist.sdk import Operation, Outcome, Plan, Receipt, Registry
from soloist.stages.effects import decide, undoing, waiting
from soloist.stages.effects.ends import Ends
from soloist.stages.effects.waiting import EFFECT

DRAINING = 1.0
"""Seconds between two looks of a run while nothing may leave this process: it is being ended, or its lock is lost."""
PATIENCE = 1.0
"""Seconds between two tries to write down an answer that came while the database was away."""
DAY = 86400.0

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
        self.boot = boot
        self.connect = door.connect
        self.halt = door.halt
        door.last_look = self._last_look
        self.ends = Ends(self._page)
        self._at: set[str] = set()
        """Effects that a step of this process is at, each by one."""
        self._called: set[tuple[str, int]] = set()
        """Attempts, by effect and version, whose call may have left and whose answer is not kept."""
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
                if proposal["source"] == UNDOING:
                    return {"effects": self._take_back(tx, proposal)}
                operation = self._door.operation(proposal["connector"], proposal["operation"])
                parts = decide.groups(proposal["payload"], operation.split)
                for name, payload in parts:
                    self._insert(tx, proposal, name, plan=self._recipe(proposal, name, payload, operation, now=tx.now))
                return {"effects": len(parts)}

            return dict(once(tx, run, "intend", make, given={"proposal": proposal_id}))

        made = await self._store.write(work)
        failpoint.hit("intended")
        return made

    def _insert(self, tx: Tx, proposal: Mapping[str, Any], group: str, **other: Any) -> str:
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
            "not_before": later(tx.now, proposal["hold_ms"] / 1000),
            "undoes": "",
            "undo_plan": other.pop("plan", None),
            "evidence": [],
            **other,
        }
        effects.insert(tx, row, actor="soloist")
        tx.start(row["run"], "effect", ident, subject=ident, parent=f"proposal:{proposal['id']}")
        return ident

    def _recipe(
        self, proposal: Mapping[str, Any], group: str, payload: Mapping[str, Any], operation: Operation, *, now: str
    ) -> dict[str, Any]:
        """The way back as it is declared now, to be stored before the effect leaves."""
        if operation.undo not in ("exact", "offset"):
            return undoing.recipe(operation, None)
        key = self._provider_key(derived("effect", proposal["id"], group))
        forward = self._door.prepare(proposal["connector"], proposal["operation"], payload, key, now)
        return undoing.recipe(operation, self._door.undo(proposal["connector"], forward, Receipt(undoing.SOME_REF)))

    def key_of(self, effect: str) -> str:
        """The key that an effect of this id has or would have outside."""
        return self._provider_key(effect)

    def _provider_key(self, effect: str) -> str:
        """26 characters of base32 from the keyed hash of the effect's id: fit for headers, paths and Message-IDs."""
        digest = hmac.new(self._key, effect.encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:16]).decode().rstrip("=").lower()

    async def look(self, run: str, effect_id: str) -> dict[str, Any]:
        """What to do next with an effect: {do, seconds, why}. Not remembered as a step of its own on the run page."""

        def read(conn: Any) -> dict[str, Any]:
            effect = effects.get(conn, effect_id)
            if self._never_called(effect):
                return {"do": "attempt", "seconds": 0.0, "why": "", "state": effect["state"]}
            move = self._next(conn, effect, self._store.clock())
            return {"do": move.do, "seconds": move.seconds, "why": move.why, "state": effect["state"]}

        return await self._store.read(read)

    # ----- the attempt

    async def attempt(self, run: str, effect_id: str) -> dict[str, Any]:
        """Commit "attempting", call once, commit the answer. Answers {state}.

        Whether an attempt is due is decided again in the transaction that begins it, so a step that runs again after
        a crash finds what the dead process left and touches nothing outside.
        """
        if effect_id in self._at:
            return {"state": "attempting"}
        if self._held_back():
            await asyncio.sleep(DRAINING)
        self._at.add(effect_id)
        try:
            failpoint.hit("before attempting")
            effect, plan = await self._store.write(lambda tx: self._begin(tx, effect_id))
            if plan is None:
                return {"state": effect["state"]}
            failpoint.hit("attempting")
            self._called.add((effect_id, effect["version"]))
            outcome = await self._door.execute(effect["connector"], plan, urgent=bool(effect.get("urgent")))
            failpoint.hit("called")
            answer = await self._keep(effect, outcome)
            self._called.discard((effect_id, effect["version"]))
            failpoint.hit("answered")
            return answer
        finally:
            self._at.discard(effect_id)

    def _never_called(self, effect: Mapping[str, Any]) -> bool:
        """Whether this process began an attempt and is not at it: the database kept it and did not say so."""
        return effect["id"] not in self._at and self._only_begun(effect)

    def _only_begun(self, effect: Mapping[str, Any]) -> bool:
        """Whether an attempt stands in the row that this process began and did not call for."""
        ours = effect["state"] == "attempting" and effect["boot"] == self._boot
        return ours and (effect["id"], effect["version"]) not in self._called

    def _taken_back(self, tx: Tx, effect: dict[str, Any]) -> dict[str, Any]:
        """An attempt of ours that never called is certainly not done; only the one that is at the effect may say so."""
        if not self._only_begun(effect):
            return effect
        note = "The database did not say that it had kept this; nothing was sent."
        effects.end_attempt(tx, effect["id"], effect["attempts"], "refused", note)
        refused = effects.move(tx, effect, "refused", note=note)
        return effects.move(tx, refused, "intended", note="will be tried again", not_before=tx.now)

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
        row = self.ends.answered(tx, effect, outcome)
        return {"state": row["state"], "wait": decide.backoff(row["attempts"])}

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
            if not self._at:
                return
            await asyncio.sleep(0.05)

    def _plan(self, conn: Any, effect_id: str) -> Plan:
        """The exact request of an effect, rendered from stored values alone."""
        effect = effects.get(conn, effect_id)
        if not effect["undoes"]:
            return self._forward_plan(conn, effect)
        origin = effects.get(conn, effect["undoes"])
        return self._way_back(conn, origin, origin["provider_ref"])

    def _forward_plan(self, conn: Any, effect: Mapping[str, Any]) -> Plan:
        """The plan of the operation itself."""
        proposal = proposals.get(conn, effect["proposal"])
        split = self._door.operation(effect["connector"], effect["operation"]).split
        payloads = dict(decide.groups(proposal["payload"], split))
        payload = self.fill(proposal, payloads.get(effect["group"], proposal["payload"]))
        return self._door.prepare(effect["connector"], effect["operation"], payload, effect["key"], effect["created"])

    def _way_back(self, conn: Any, origin: Mapping[str, Any], ref: str) -> Plan:
        """The plan that takes an effect back, for the provider's id of it (Conflict when there is none by now)."""
        plan = self._door.undo(origin["connector"], self._forward_plan(conn, origin), Receipt(ref))
        if plan is None:
            raise Conflict(f"{origin['connector']}.{origin['operation']} has no way back.")
        return plan

    def _page(self, conn: Any, effect_id: str) -> str:
        """The provider's own page about an effect, "" when the connector names none."""
        try:
            return str(self._plan(conn, effect_id).data.get("page") or "")
        except SoloistError:
            return ""

    def _begin(self, tx: Tx, effect_id: str) -> tuple[dict[str, Any], Plan | None]:
        """Re-read everything the approval rests on; only if nothing moved does the effect become attempting.

        The plan is rendered here, from the rows that were just checked; None when no attempt is due.
        """
        effect = self._taken_back(tx, effects.get(tx.conn, effect_id))
        proposal = proposals.get(tx.conn, effect["proposal"])
        now = from_iso(tx.now)
        if self._held_back() or not workers.lives(tx, self._boot) or self._next(tx.conn, effect, now).do != "attempt":
            return effect, None
        if moved := self._hindrance(tx, effect) or self._moved(tx, effect, proposal):
            return self.ends.stood_down(tx, effect, moved), None
        plan = self._plan(tx.conn, effect_id)
        if effect["state"] in ("unknown", "refused"):
            effect = effects.move(tx, effect, "intended", note="the same key again")
        effect = effects.move(tx, effect, "claimed", boot=self._boot, **self._trial(tx, effect))
        n, digest = effect["attempts"] + 1, sha256(plan.request)
        effects.begin_attempt(tx, effect_id, n, self._boot, digest)
        first = effect["first_attempt"] or tx.now
        values = {"attempts": n, "request_hash": digest, "first_attempt": first}
        effect = effects.move(tx, effect, "attempting", note=f"attempt {n}", **values)
        said = proposals.approvals_of(tx.conn, effect["proposal"])
        return {**effect, "urgent": bool(effect["undoes"]) or any(a["decision"] == "approve" for a in said)}, plan

    def _next(self, conn: Any, effect: Mapping[str, Any], now: datetime) -> decide.Move:
        """What is due for an effect at an instant."""
        operation = self._door.operation(effect["connector"], undoing.base(effect))
        stopped, held = bool(self.halt.pressed(conn)), waiting.held(conn, effect)
        return decide.next_move(effect, operation, now=now, stopped=stopped, held=held)

    @staticmethod
    def _hindrance(tx: Tx, effect: Mapping[str, Any]) -> str:
        """Why an attempt that is due does not begin for another reason than its content."""
        held = waiting.held(tx.conn, effect)
        if held == decide.OVER:
            return "An earlier part of its bundle was not done, or the bundle is being taken back."
        if held == decide.SIGN_IN:  # only a doubt comes here: it becomes a question instead of waiting in silence
            return f"{effect['connector']} does not let us in."
        return ""

    @staticmethod
    def _trial(tx: Tx, effect: Mapping[str, Any]) -> dict[str, str]:
        """A secret was renewed after a sign-in was refused: the first effect that goes is the trial for the others."""
        card = waiting.card_of(tx.conn, effect["connector"])
        return {"waits": waiting.renewed(tx, card)} if card else {}

    def _moved(self, tx: Tx, effect: Mapping[str, Any], proposal: Mapping[str, Any]) -> str:
        """What moved since the approval, in words; "" when nothing did.

        The bytes are compared before every attempt; what a first attempt has begun is not judged anew.
        """
        said = [a for a in proposals.approvals_of(tx.conn, proposal["id"]) if a["decision"] in ("approve", "allow")]
        if not said or not self._same_content(tx, effect, proposal, said[-1]):
            return "The content is not the one that was approved."
        if not self._sealed(said[-1]):
            return "The approval does not carry this server's seal."
        if effect["attempts"]:
            return ""
        if effect["undoes"]:
            if moved := self._recipe_moved(tx, effect):
                return moved
            if proposal["source"] != UNDOING:
                return ""  # an exact way back that the operator asked for: the asking was the word
        if proposal["state"] != "approved":
            return f"The proposal is {proposal['state']} by now."
        by_rule = said[-1]["decision"] == "allow"
        if why := self._allowed({**proposal, "approved_by": said[-1]["decision"], "tx": tx}):
            return why
        if by_rule and conversations.automatic_since(tx.conn, proposal["conversation"], later(tx.now, -DAY)):
            return "An automatic answer went out on this thread within a day; one more needs your word."
        if proposal["conversation"] and proposal["thread_head"]:
            head = conversations.get(tx.conn, proposal["conversation"])["head"]
            if head != proposal["thread_head"]:
                return "Something new came on this thread after you approved."
        return ""

    def _same_content(
        self, tx: Tx, effect: Mapping[str, Any], proposal: Mapping[str, Any], approval: Mapping[str, Any]
    ) -> bool:
        """Whether effect, proposal and approval speak of the same bytes, connection, operation, recipient and key."""
        digest = payload_hash(proposal["connector"], proposal["operation"], proposal["payload"])
        made = derived("effect", proposal["id"], effect["group"])
        if {approval["payload_hash"], proposal["payload_hash"]} != {digest}:
            return False
        if effect["id"] != made or effect["class"] != proposal["class"]:
            return False
        wanted = (proposal["connector"], proposal["operation"], digest)
        if effect["undoes"]:
            origin = effects.get(tx.conn, effect["undoes"])
            bound = undoing.digest(origin)
            if proposal["source"] != UNDOING:
                wanted = (origin["connector"], f"{origin['operation']}{decide.UNDO}", bound)
            elif (proposal["payload"].get("undoes"), proposal["payload"].get("bound_to")) != (origin["id"], bound):
                return False
        has = (effect["connector"], effect["operation"], effect["payload_hash"])
        return has == wanted and effect["key"] == self._provider_key(effect["id"])

    def _recipe_moved(self, tx: Tx, effect: Mapping[str, Any]) -> str:
        """Whether the declared way back is still the one that was stored before the effect left; "" when it is."""
        origin = effects.get(tx.conn, effect["undoes"])
        stored = (origin["undo_plan"] or {}).get("request", "")
        if stored and sha256(self._way_back(tx.conn, origin, undoing.SOME_REF).request) != stored:
            return "The declared way back is not the one that was stored when this was approved."
        return ""

    def _sealed(self, approval: Mapping[str, Any]) -> bool:
        """Whether an approval row was written by a holder of the install key."""
        seal = str(approval["seal"])
        return hmac.compare_digest(keyed(self._key, sealed_text(approval, seal)), seal.removeprefix(SEAL))

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
            # one look counts once, although the database may keep it and not say so
            if row["state"] != "reconciling" or row["version"] != effect["version"]:
                return {"state": row["state"]}
            return {"state": self.ends.looked(tx, row, found, plan.operation.lookup_lag)["state"]}

        return await self._store.write(keep)

    def _reconcile(self, tx: Tx, effect_id: str) -> tuple[dict[str, Any], bool]:
        """Mark that we look, if a look is due: a step that runs again must not count as a second look after the lag."""
        effect = effects.get(tx.conn, effect_id)
        if self._next(tx.conn, effect, from_iso(tx.now)).do != "look_up":
            return effect, False
        if effect["state"] == "unknown":
            effect = effects.move(tx, effect, "reconciling", note="looking it up", lookups=0)
        return effect, True

    async def ask(self, run: str, effect_id: str, why: str) -> dict[str, Any]:
        """Make an uncertain outcome the operator's question. Answers {state}."""

        def work(tx: Tx) -> dict[str, Any]:
            row = effects.get(tx.conn, effect_id)
            doubt = row["state"] in ("unknown", "reconciling")
            return {"state": (self.ends.ask(tx, row, why) if doubt else row)["state"]}

        return await self._store.write(work)

    # ----- what people do

    async def resolve(self, effect_id: str, outcome: str, digest: str, *, who: str) -> dict[str, Any]:
        """The operator's word on an uncertain outcome: happened, did_not_happen or send_again. Answers {id, state}."""
        return await self._store.write(lambda tx: self.resolve_in(tx, effect_id, outcome, digest, who=who))

    def resolve_in(self, tx: Tx, effect_id: str, outcome: str, digest: str, *, who: str) -> dict[str, Any]:
        """The same inside a transaction; StaleHash when the word was given on other content."""
        return self.ends.said(tx, effect_id, outcome, digest, who=who)

    def sign_in_in(self, tx: Tx, connector: str, *, again: bool, who: str) -> int:
        """Try a connector again that did not let us in, or give up what waits for it. Answers how many wait."""
        if not again:
            return waiting.give_up(tx, connector, who=who)
        self._door.breakers.reset(connector)
        return waiting.try_sign_in(tx, connector, who=who)

    def undo_in(self, tx: Tx, effect_id: str, *, who: str) -> dict[str, Any]:
        """Take an effect back: while it is held nothing leaves; afterwards by the way back that was stored with it.

        Answers {id, state, held, proposal, kind}. A kind other than "exact" has changed nothing yet: "offset" needs a
        proposal of its own, "apology" a letter. NotAllowed says why there is no way back.
        """
        row = effects.get(tx.conn, effect_id)
        answer = {"id": effect_id, "held": False, "proposal": row["proposal"], "kind": "exact"}
        if row["state"] in ("intended", "claimed") and not row["attempts"] and not row["undoes"]:
            row = effects.move(tx, row, "resolved_not_done", actor=who, note="undone while held; nothing was sent")
            tx.send(row["run"], EFFECT, {"state": row["state"]})
            return {**answer, "state": row["state"], "held": True}
        if row["state"] not in ("succeeded", "resolved_done", "compensation_failed") or row["undoes"]:
            raise Conflict(f"This effect is {row['state']}; there is nothing to undo.")
        operation = self._door.operation(row["connector"], row["operation"])
        kind = (row["undo_plan"] or {}).get("kind") or operation.undo
        if kind == "none":
            raise NotAllowed(f"{row['connector']}.{row['operation']} {operation.way_back}.")
        if kind != "exact":
            return {**answer, "state": row["state"], "kind": kind}
        self._insert_undo(tx, row, proposals.get(tx.conn, row["proposal"]), undoing.digest(row), who=who)
        return {**answer, "state": "compensating"}

    def _insert_undo(
        self, tx: Tx, origin: dict[str, Any], proposal: Mapping[str, Any], digest: str, *, who: str
    ) -> None:
        """The effect that takes another back: a row, a key, a hash and a run of its own."""
        group = undoing.group(origin, len(effects.undoing(tx.conn, origin["id"])))
        effects.move(tx, origin, "compensating", actor=who, note="being taken back")
        operation = f"{origin['operation']}{decide.UNDO}"
        self._insert(
            tx,
            proposal,
            group,
            undoes=origin["id"],
            operation=operation,
            payload_hash=digest,
            not_before=tx.now,
        )

    def _take_back(self, tx: Tx, proposal: Mapping[str, Any]) -> int:
        """Carry out an approved proposal to take an effect back; answers how many effects that makes."""
        origin = effects.get(tx.conn, str(proposal["payload"].get("undoes", "")))
        if origin["state"] not in ("succeeded", "resolved_done", "compensation_failed"):
            return 0
        self._insert_undo(tx, origin, proposal, proposal["payload_hash"], who="operator")
        return 1

    def refund(self, tx: Tx, effect_id: str) -> tuple[dict[str, Any], OperationFacts]:
        """Content and facts of the proposal that makes up for an effect by a counter-entry."""
        row = effects.get(tx.conn, effect_id)
        operation = self._door.operation(row["connector"], row["operation"])
        return undoing.payload(row, proposals.get(tx.conn, row["proposal"])), undoing.facts(operation)

    @staticmethod
    def look_again(tx: Tx, effect_id: str) -> None:
        """What depends on an effect in its bundle looks at where it stands now."""
        waiting.wake_bundle(tx, proposals.get(tx.conn, effects.get(tx.conn, effect_id)["proposal"]))

    def by_hand(self, tx: Tx, effect_id: str, *, who: str) -> None:
        """A person took back outside what our way back could not (Conflict for another state)."""
        row = effects.get(tx.conn, effect_id)
        effects.move(tx, row, "compensated", actor=who, note="your word: taken back by hand")

    # ----- the stop button and start-up

    async def stop(self, on: bool, *, who: str) -> None:
        """Press or release the stop button; what waits to leave stays where it is until it is released."""

        def work(tx: Tx) -> None:
            settings.put(tx, settings.STOP, tx.now if on else "")
            tx.append("outbound.stopped" if on else "outbound.released", actor=who)
            if not on:
                for row in effects.in_states(tx.conn, ["intended", "refused", "unknown"]):
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
