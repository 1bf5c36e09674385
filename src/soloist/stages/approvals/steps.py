"""Steps of approvals: propose, decide, expire, withdraw; each is one transaction with its events and next work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from soloist.engine import failpoint
from soloist.engine.store import conversations, origins, proposals, runs, tasks
from soloist.engine.store.clock import from_iso, later
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, Conflict, NotAllowed, NotFound, StaleHash
from soloist.kernel.hashing import keyed, payload_hash
from soloist.kernel.ids import derived
from soloist.kernel.origin import OUTSIDE
from soloist.kernel.proposal import SEAL, NewProposal, OperationFacts, edited, sealed_text
from soloist.stages.approvals import decide

Judge = Callable[[Tx, Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]
"""Policy: (transaction, proposal row, payload) -> verdict with answer, rule, reason, policy_version, mode, trace,
grant, gates, flags."""
Learned = Callable[[Tx, Mapping[str, Any], str, str], None]
"""Hears of every word of a person: (transaction, proposal row, approved | edited | rejected | corrected, who)."""
Validate = Callable[[Mapping[str, Any], Mapping[str, Any]], None]
"""Whether a payload can be carried out at all: (proposal row, payload); BadInput names the field."""
DECIDED = "decision"
"""Topic on which the run of a proposal hears of its decision."""


@dataclass(frozen=True)
class Decision:
    """What a person said about a proposal: approve, reject or defer, bound to the bytes they saw."""

    decision: str
    payload_hash: str
    who: str
    via: str
    edits: Mapping[str, Any] | None = None
    reason: str = ""
    until: str = ""
    """When a deferred card comes back, "" for 16 hours from now."""


class Approvals:
    """Owns proposals, their cards and decisions."""

    def __init__(
        self,
        store: Store,
        judge: Judge,
        validate: Validate,
        install_key: bytes,
        hindered: Callable[[str], str] = lambda _connector: "",
    ) -> None:
        """``judge`` is policy as a pure function, ``validate`` the reading half of the way out.

        ``hindered`` says why nothing may leave by a connector although a person approves, "" when it may.
        """
        self._store, self._judge, self._validate, self._key = store, judge, validate, install_key
        self._hindered = hindered
        self.learned: Learned = lambda _tx, _proposal, _said, _who: None
        self.filtered: Callable[[Tx, NewProposal], NewProposal] = lambda _tx, new: new

    def propose(self, tx: Tx, new: NewProposal, facts: OperationFacts, *, actor: str) -> dict[str, Any]:
        """Store, judge and (for "ask") put on a card; the child run is asked for in the same commit.

        Answers {id, state, new, payload_hash}; the same id again answers what is there (Conflict for another payload).
        """
        new = self.filtered(tx, new)
        known = proposals.find(tx.conn, new.id)
        if known is not None:
            return self._again(tx, known, new)
        row = decide.row(new, facts, expires=later(tx.now, new.expires_in))
        row["evidence"] |= {"new_recipient": new.new_recipient, "thread_known": new.thread_known}
        row["origin"] = self._origin(tx, new)
        self._validate(row, row["payload"])
        verdict = self._judge(tx, row, row["payload"])
        row["origin"]["control"] = verdict.get("control") or []
        row["hold_ms"], row["flags"] = decide.held_for(row, verdict), verdict["flags"]
        proposals.insert(tx, {**row, "policy_version": verdict["policy_version"]}, actor=actor)
        proposals.add_verdict(tx, new.id, new.hash, verdict, "proposed")
        tx.start(f"proposal:{new.id}", "proposal", new.id, subject=new.id, parent=new.run)
        self._follow(tx, row, new, verdict)
        return {"id": new.id, "state": proposals.get(tx.conn, new.id)["state"], "new": True, "payload_hash": new.hash}

    @staticmethod
    def _origin(tx: Tx, new: NewProposal) -> dict[str, Any]:
        """Of what it was made from, of all its run has read, and of the thread it stands on; nobody's word is outside.

        A letter of ours to the operator carries what it is about; that it reaches nobody else is looked at elsewhere.
        """
        read = origins.of_run(tx.conn, new.run) | origins.of_context(tx.conn, new.context)
        whole = new.origin | read | origins.of_thread(tx.conn, new.conversation)
        return {**(whole if whole.labels else OUTSIDE).told(), "trusted": list(new.trusted)}

    def _again(self, tx: Tx, known: Mapping[str, Any], new: NewProposal) -> dict[str, Any]:
        """The same proposal a second time."""
        first = proposals.versions(tx.conn, new.id)[0]["payload_hash"]
        if first != new.hash:
            raise Conflict(
                f"This source_ref was used before for another payload (payload_hash {first}); nothing was stored.",
                field="source_ref",
                stored=first,
                offered=new.hash,
            )
        return {"id": new.id, "state": known["state"], "new": False, "payload_hash": known["payload_hash"]}

    def _follow(self, tx: Tx, row: Mapping[str, Any], new: NewProposal, verdict: Mapping[str, Any]) -> None:
        """What a verdict leads to: denied, approved by a rule, or a card."""
        if verdict["answer"] == "deny":
            proposals.move(tx, new.id, "denied", actor="policy", why=verdict["reason"])
        elif verdict["answer"] == "allow":
            self._approve(
                tx, row, row["payload_hash"], Decision("allow", row["payload_hash"], "policy", verdict["rule"])
            )
            if verdict["flags"]:
                what = f"{new.connector}: {new.operation}"
                values = decide.audit_card(row, verdict, what) | {"deadline": later(tx.now, 7 * 86400)}
                tasks.open_card(tx, derived("audit", new.id), "audit", f"Unusual, done: {new.title or what}", **values)
        else:
            title = new.title or f"{new.connector}: {new.operation}"
            values = decide.card_values(row, new, verdict["reason"])
            tasks.open_card(tx, card_id(new.id), "change" if new.noun == "change" else "proposal", title, **values)

    async def decide(self, proposal_id: str, decision: Decision) -> dict[str, Any]:
        """Carry out a person's decision; answers {id, state, payload_hash}.

        StaleHash when the content moved, Conflict when it is decided already, NotAllowed when policy denies an edit.
        """
        answer = await self._store.write(lambda tx: self.decide_in(tx, proposal_id, decision))
        failpoint.hit("decided")
        return answer

    def decide_in(self, tx: Tx, proposal_id: str, decision: Decision) -> dict[str, Any]:
        """The same inside a transaction."""
        if decision.decision not in ("approve", "reject", "defer"):
            raise BadInput("decision: approve, reject or defer.", field="decision")
        proposal = proposals.get(tx.conn, proposal_id)
        if same := self._said_before(tx, proposal, decision):
            return same
        if proposal["state"] != "waiting":
            raise Conflict(f"This proposal is {proposal['state']} already; nothing was changed.")
        if decision.payload_hash != proposal["payload_hash"]:
            raise StaleHash(
                "The content changed since you looked: your payload_hash is not the current one. "
                "Look at it again and decide on what it says now.",
                field="payload_hash",
                current=proposal["payload_hash"],
            )
        if decision.decision == "defer":
            return self._defer(tx, proposal, decision)
        if decision.decision == "reject":
            return self._reject(tx, proposal, decision)
        if why := self._hindered(proposal["connector"]):
            raise NotAllowed(why)
        digest = self._edit(tx, proposal, decision)
        self._approve(tx, proposal, digest, decision)
        edited = digest != proposal["payload_hash"]
        self.learned(tx, proposal, "edited" if edited else "approved", decision.who)
        return {"id": proposal_id, "state": "approved", "payload_hash": digest}

    def _said_before(self, tx: Tx, proposal: Mapping[str, Any], decision: Decision) -> dict[str, Any] | None:
        """The same decision on the same bytes twice is one decision."""
        wanted = {"approve": "approved", "reject": "rejected"}.get(decision.decision)
        if proposal["state"] != wanted or decision.edits:
            return None
        if decision.payload_hash != proposal["payload_hash"]:
            return None
        return {"id": proposal["id"], "state": proposal["state"], "payload_hash": proposal["payload_hash"]}

    def _edit(self, tx: Tx, proposal: dict[str, Any], decision: Decision) -> str:
        """Make the edited version current and have it judged again; the hash that is approved."""
        if not decision.edits:
            return str(proposal["payload_hash"])
        payload = edited(proposal["payload"], decision.edits)
        digest = payload_hash(proposal["connector"], proposal["operation"], payload)
        if digest == proposal["payload_hash"]:
            return digest
        self._validate(proposal, payload)
        verdict = self._judge(tx, proposal, payload)
        if verdict["answer"] == "deny":
            raise NotAllowed(f"Policy denies this edit: {verdict['reason']} Nothing was changed.", field="edits")
        figures = {**verdict.get("figures", {}), "origin": decide.steered(proposal["origin"], verdict, decision.edits)}
        proposals.edit(tx, proposal, payload, digest, actor=decision.who, **figures)
        proposals.add_verdict(tx, proposal["id"], digest, verdict, "edited")
        return digest

    def _approve(self, tx: Tx, proposal: Mapping[str, Any], digest: str, decision: Decision) -> None:
        """Approval row with its seal, proposal approved, card done, run woken."""
        self._keep(tx, proposal["id"], digest, decision)
        proposals.move(tx, proposal["id"], "approved", actor=decision.who, why=decision.reason)
        self._close_card(tx, proposal["id"], "done", decision)
        tx.send(f"proposal:{proposal['id']}", DECIDED, {"state": "approved"})

    def _reject(self, tx: Tx, proposal: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
        """Nothing is sent; the reason is kept with the proposal."""
        self._keep(tx, proposal["id"], decision.payload_hash, decision)
        proposals.move(tx, proposal["id"], "rejected", actor=decision.who, why=decision.reason)
        self._close_card(tx, proposal["id"], "done", decision)
        tx.send(f"proposal:{proposal['id']}", DECIDED, {"state": "rejected"})
        self.learned(tx, proposal, "rejected", decision.who)
        return {"id": proposal["id"], "state": "rejected", "payload_hash": proposal["payload_hash"]}

    def _defer(self, tx: Tx, proposal: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
        """The card sleeps until the instant that was chosen; its deadline stays."""
        self._keep(tx, proposal["id"], decision.payload_hash, decision)
        if card := tasks.open_for(tx.conn, proposal["id"]):
            until = decision.until or later(tx.now, 16 * 3600)
            tasks.snooze(tx, card["id"], until, actor=decision.who)
        return {"id": proposal["id"], "state": "waiting", "payload_hash": proposal["payload_hash"]}

    def _keep(self, tx: Tx, proposal: str, digest: str, decision: Decision) -> None:
        """The decision as a row, sealed with the server's key."""
        row = {
            "proposal": proposal,
            "payload_hash": digest,
            "decision": decision.decision,
            "who": decision.who,
            "via": decision.via,
            "reason": decision.reason,
            "edits": dict(decision.edits or {}),
            "until": "",
        }
        seal = SEAL + keyed(self._key, sealed_text({**row, "at": tx.now}))
        proposals.add_approval(tx, {**row, "seal": seal})

    def _close_card(self, tx: Tx, proposal: str, state: str, decision: Decision) -> None:
        """Close the card of a proposal, if it has one."""
        if card := tasks.open_for(tx.conn, proposal):
            said = {"option": decision.decision, "reason": decision.reason, "edited": bool(decision.edits)}
            tasks.close(tx, card["id"], state, said, actor=decision.who)

    async def await_state(self, run: str, proposal_id: str) -> dict[str, Any]:
        """Where a proposal stands, for its run; answers {state, noun, seconds} until its time box ends."""

        def work(tx: Tx) -> dict[str, Any]:
            proposal = proposals.get(tx.conn, proposal_id)
            waiting = proposal["state"] == "waiting"
            left = self._seconds_left(proposal["expires"], tx.now) if waiting else 0.0
            if waiting:
                runs.move(tx, run, "waiting", note=f"waits for your decision until {proposal['expires']}")
            return {"state": proposal["state"], "noun": proposal["noun"], "seconds": left}

        return await self._store.write(work, full=False)

    @staticmethod
    def _seconds_left(expires: str, now: str) -> float:
        """Seconds from now until an instant, never negative."""
        return max(0.0, (from_iso(expires) - from_iso(now)).total_seconds())

    async def expire(self, run: str, proposal_id: str) -> dict[str, Any]:
        """End a time box: nothing is sent, and the operator hears of it. Answers {state}."""

        def work(tx: Tx) -> dict[str, Any]:
            def end() -> dict[str, Any]:
                proposal = proposals.get(tx.conn, proposal_id)
                if proposal["state"] != "waiting":
                    return {"state": proposal["state"]}
                proposals.move(tx, proposal_id, "expired", actor="soloist", why=decide.AT_EXPIRY)
                if card := tasks.open_for(tx.conn, proposal_id):
                    tasks.close(tx, card["id"], "expired", {"option": "", "reason": "time over"}, actor="soloist")
                    self._tell_unanswered(tx, proposal, card)
                return {"state": "expired"}

            return dict(runs.once(tx, run, "expire", end, given={"proposal": proposal_id}))

        return await self._store.write(work)

    def _tell_unanswered(self, tx: Tx, proposal: Mapping[str, Any], card: Mapping[str, Any]) -> None:
        """An expired reply to a person is said once more, as a question, so that nobody is forgotten in silence."""
        if not proposal["conversation"]:
            return
        tasks.open_card(
            tx,
            derived("unanswered", proposal["id"]),
            "question",
            f"Not answered: {card['title']}",
            subject=proposal["id"],
            subject_kind="proposal",
            record=proposal["record"],
            conversation=proposal["conversation"],
            run=proposal["run"],
            why="The time for this card ended and nothing was sent.",
            options=[
                {"name": "again", "label": "Propose it again", "consequence": "The same draft comes back as a card."},
                {"name": "leave", "label": "Leave it", "consequence": "Nothing is sent; this card is closed."},
            ],
            estimate=20,
            deadline=later(tx.now, 14 * 86400),
            at_expiry="Nothing is sent.",
        )

    def withdraw(self, tx: Tx, proposal_id: str, *, actor: str, why: str) -> None:
        """What it rested on is over: nothing of it is sent, its card closes and its run ends.

        By a person it is a correction: they answered by other means.
        """
        self._corrected(tx, proposals.get(tx.conn, proposal_id), actor)
        proposals.move(tx, proposal_id, "withdrawn", actor=actor, why=why)
        self._close_card(tx, proposal_id, "withdrawn", Decision("", "", actor, "", reason=why))
        tx.send(f"proposal:{proposal_id}", DECIDED, {"state": "withdrawn"})

    def corrected(self, tx: Tx, proposal_id: str, *, who: str) -> None:
        """A person took back what had been carried out, or mended it by other means: trust falls at once."""
        self._corrected(tx, proposals.get(tx.conn, proposal_id), who)

    def _corrected(self, tx: Tx, proposal: Mapping[str, Any], who: str) -> None:
        """Tell of a correction, unless it was the house itself that withdrew."""
        if who != "soloist":
            self.learned(tx, proposal, "corrected", who)

    def supersede(self, tx: Tx, proposal_id: str, *, actor: str, why: str, payload: Any = None) -> str:
        """Replace a proposal by a fresh waiting copy with its own card and run; returns the copy's id.

        ``payload`` is given when what it rests on moved and the copy must say so.
        """
        old = proposals.get(tx.conn, proposal_id)
        if old["state"] == "approved":
            self._corrected(tx, old, actor)
        copy = derived("proposal", proposal_id, "again", old["version"], old["state"])
        proposals.move(tx, proposal_id, "superseded", actor=actor, why=why, superseded_by=copy)
        self._close_card(tx, proposal_id, "withdrawn", Decision("superseded", "", actor, "", reason=why))
        tx.send(f"proposal:{proposal_id}", DECIDED, {"state": "superseded"})
        if payload is not None:
            digest = payload_hash(old["connector"], old["operation"], payload)
            old = {**old, "payload": payload, "payload_hash": digest}
        self._copy(tx, old, copy, why=why, actor=actor)
        return copy

    def propose_again(self, tx: Tx, proposal_id: str, *, actor: str, why: str, only: str = "") -> str:
        """A fresh waiting copy of a proposal that came to nothing; returns the copy's id.

        ``only`` is the one recipient it is for, when the others of a split mail were served.
        """
        old = proposals.get(tx.conn, proposal_id)
        copy = derived("proposal", proposal_id, "again", old["version"], old["state"], only)
        if only:
            payload = decide.for_one(old["payload"], only)
            old |= {"payload": payload, "payload_hash": payload_hash(old["connector"], old["operation"], payload)}
        if proposals.find(tx.conn, copy) is None:
            self._copy(tx, old, copy, why=why, actor=actor)
        return copy

    def _copy(self, tx: Tx, old: Mapping[str, Any], copy: str, *, why: str, actor: str) -> None:
        """Always asks, whatever the rules say: a person looked at this one, and looks at what its thread says now."""
        evidence = {**(old["evidence"] or {}), "copy_of": old["id"]}
        row = {k: v for k, v in old.items() if k not in ("state", "version", "created", "updated", "superseded_by")}
        row |= {"id": copy, "source_ref": "", "evidence": evidence, "expires": later(tx.now, 2 * 86400), "bundle": ""}
        if old["thread_head"]:
            row["thread_head"] = conversations.get(tx.conn, old["conversation"])["head"]
        proposals.insert(tx, row, actor=actor)
        before = _card_of(tx, old["id"])
        new = NewProposal(
            id=copy,
            connector=old["connector"],
            operation=old["operation"],
            payload=old["payload"],
            reason=why,
            source=old["source"],
            questions=tuple(old["questions"] or ()),
            value_minor=before.get("value_minor", 0),
            currency=before.get("currency", ""),
        )
        verdict = self._judge(tx, row, row["payload"])
        proposals.add_verdict(tx, copy, old["payload_hash"], {**verdict, "answer": "ask"}, "proposed")
        title = before.get("title") or f"{old['connector']}: {old['operation']}"
        kind = "change" if old["noun"] == "change" else "proposal"
        tasks.open_card(tx, card_id(copy), kind, title, **decide.card_values({**row, "state": "waiting"}, new, ""))
        tx.start(f"proposal:{copy}", "proposal", copy, subject=copy, parent=old["run"])


def card_id(proposal: str) -> str:
    """The id of the card of a proposal."""
    return derived("card", proposal)


def _card_of(tx: Tx, proposal: str) -> dict[str, Any]:
    """The card that a proposal has or had, empty when policy never asked."""
    try:
        return tasks.get(tx.conn, card_id(proposal))
    except NotFound:
        return {}
