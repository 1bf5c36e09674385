"""Desk: the stages of one process laid side by side, and the acts that need more than one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from soloist.config import Home, Settings
from soloist.engine.registry import ReadingHalf
from soloist.engine.store import (
    conversations,
    corrections,
    effects,
    labels,
    merges,
    proposals,
    records,
    runs,
    sagas,
    tasks,
)
from soloist.engine.store import settings as switches
from soloist.engine.store.clock import later
from soloist.engine.store.corrections import NewCorrection
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.flows.judging import Judging
from soloist.flows.packages import Packages
from soloist.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from soloist.kernel.proposal import CHANGE_CONNECTOR, CHANGE_FACTS, NewProposal, OperationFacts
from soloist.stages.approvals import Approvals, Decision
from soloist.stages.conversation import Conversation
from soloist.stages.effects import Effects, turn_of, wake_bundle
from soloist.stages.intake import Intake
from soloist.stages.memory import Memory
from soloist.stages.records import Records
from soloist.stages.runtime import Runtime
from soloist.stages.runtime.models import Models
from soloist.stages.spend import Spend
from soloist.stages.standing import Standing

MAIL_OPERATION = "mail.send"
MAILBOX = "mail"
"""The kind of connection that is the operator's own mailbox."""
KINDS_SAID = {"aside": "other"}
"""Options of a question card that are not the name of a kind."""


@dataclass(frozen=True)
class Desk:
    """Everything a flow or a door needs."""

    store: Store
    home: Home
    settings: Settings
    connections: Mapping[str, ReadingHalf]
    intake: Intake
    records: Records
    memory: Memory
    runtime: Runtime
    approvals: Approvals
    conversation: Conversation
    effects: Effects
    judging: Judging
    packages: Packages
    spend: Spend = None  # type: ignore[assignment]  # set by flows.spending before anybody sees the desk
    models: Models = None  # type: ignore[assignment]  # the same
    standing: Standing = field(default_factory=Standing)
    playbooks: Mapping[str, Path] = field(default_factory=dict)
    """Files that plugins brought, by the name of the playbook."""
    takers: dict[str, Callable[[Tx, Mapping[str, Any], str, str], dict[str, Any]]] = field(default_factory=dict)
    """Who carries out the options of cards about one kind of subject, or of one type ("audit card"):
    (tx, card, option, who) -> what was done."""

    # ----- connections

    def mail_out(self, channel: str = "") -> str:
        """The connection a mail leaves by: the one it is an answer on, the configured one, a mailbox, the folder."""
        half = self.connections.get(channel)
        if half is not None and half.kind == MAILBOX:
            return channel
        boxes = [name for name, half in self.connections.items() if half.kind == MAILBOX]
        return self.settings.mail.out or next(iter(boxes), "mail")

    def observe_only(self, connector: str) -> bool:
        """Whether a connection reads and may send nothing yet."""
        half = self.connections.get(connector)
        if half is None or not half.manifest.observes_first:
            return False
        return self.store.read_now(lambda conn: switches.value(conn, f"sending.{connector}")) != "allowed"

    async def allow_sending(self, connector: str, allowed: bool, *, who: str) -> None:
        """The operator lets a mailbox send, or takes that back (NotFound); an event says so."""
        if connector not in self.connections:
            raise NotFound(f"There is no connector {connector!r}.", field="connector")

        def work(tx: Tx) -> None:
            switches.put(tx, f"sending.{connector}", "allowed" if allowed else "")
            kind = "mailbox.may_send" if allowed else "mailbox.only_reads"
            tx.append(kind, subject=connector, payload={}, actor=who)

        await self.store.write(work)

    # ----- proposals

    def facts(self, connector: str, operation: str) -> OperationFacts:
        """What the connector declares about an operation (NotFound names the known ones)."""
        half = self.connections.get(connector)
        if half is None:
            known = ", ".join(sorted(self.connections)) or "none"
            raise NotFound(f"There is no connector {connector!r}. Known: {known}.", field="connector")
        known_operations = half.operations()
        if operation not in known_operations:
            listed = ", ".join(sorted(known_operations)) or "none"
            raise NotFound(f"{connector} has no operation {operation!r}. Known: {listed}.", field="operation")
        found = known_operations[operation]
        return OperationFacts(
            found.effect_class,
            found.risk,
            found.undo,
            found.way_back,
            hold=found.hold,
            split=found.split,
            primitive=found.primitive,
            audience=found.audience,
            amount=found.amount,
            currency=found.currency,
            recipients=found.recipients,
            control=found.control,
            words=found.words,
        )

    async def propose_over_api(self, new: NewProposal, *, actor: str) -> dict[str, Any]:
        """A proposal from a script, judged and committed: {id, state, new, payload_hash}. Its mail is not held."""
        if new.connector == CHANGE_CONNECTOR:
            facts, new = CHANGE_FACTS, replace(new, noun="change")
            await self.store.read(lambda conn: records.check_change(conn, new.operation, new.payload))
        else:
            facts = self.facts(new.connector, new.operation)
        facts = replace(facts, hold=0.0) if new.operation == MAIL_OPERATION else facts
        return await self.store.write(lambda tx: self.approvals.propose(tx, new, facts, actor=actor))

    # ----- what a proposal's own run does

    async def apply_change(self, run: str, proposal_id: str) -> dict[str, Any]:
        """Carry out an approved record change; one whose record moved comes back as a fresh card."""
        proposal, said = await self.store.read(
            lambda conn: (proposals.get(conn, proposal_id), proposals.approvals_of(conn, proposal_id))
        )
        if (turn := await self.store.read(lambda conn: turn_of(conn, proposal))) != "go":
            return await self._not_its_turn(proposal_id, turn)
        by_rule = bool(said) and said[-1]["decision"] == "allow"
        actor = proposal["agent"] or "soloist" if by_rule else "operator"
        done = await self.records.apply(run, proposal["payload"], actor=actor)
        if done["ok"]:
            if proposal["bundle"]:
                await self.store.write(lambda tx: wake_bundle(tx, proposal))
            return done

        def again(tx: Tx) -> dict[str, Any]:
            def work() -> dict[str, Any]:
                record = records.get(tx.conn, merges.root(tx.conn, proposal["payload"]["record"]))
                payload = {**proposal["payload"], "record": record["id"], "version": record["version"]}
                why = str(done["why"])
                copy = self.approvals.supersede(tx, proposal_id, actor="soloist", why=why, payload=payload)
                sagas.rejoin(tx, proposal, copy)
                return {"ok": False}

            return dict(runs.once(tx, run, "again", work))

        return await self.store.write(again)

    async def _not_its_turn(self, proposal_id: str, turn: str) -> dict[str, Any]:
        """A change waits for the earlier parts of its bundle, or is withdrawn when they were not done."""

        def withdraw(tx: Tx) -> dict[str, Any]:
            if proposals.get(tx.conn, proposal_id)["state"] == "approved":
                why = "An earlier part of its bundle was not done."
                self.approvals.withdraw(tx, proposal_id, actor="soloist", why=why)
            return {"ok": False}

        return {"ok": False, "wait": True} if turn == "wait" else await self.store.write(withdraw)

    async def came_back(self, run: str, effect_id: str) -> dict[str, Any]:
        """After an effect stood down before it was sent: its proposal comes back as a fresh card. Answers {again}."""

        def work(tx: Tx) -> dict[str, Any]:
            def again() -> dict[str, Any]:
                effect = effects.get(tx.conn, effect_id)
                proposal = proposals.get(tx.conn, effect["proposal"])
                if effect["attempts"] or proposal["state"] != "approved":
                    return {"again": ""}
                note = str((effect["evidence"] or [{}])[-1].get("note", ""))
                if turn_of(tx.conn, proposal) == "over":
                    proposals.move(tx, proposal["id"], "withdrawn", actor="soloist", why=note)
                    return {"again": ""}
                if newer := proposals.waiting_on(tx.conn, proposal["conversation"]):
                    other = newer[-1]["id"]
                    proposals.move(tx, proposal["id"], "superseded", actor="soloist", why=note, superseded_by=other)
                    return {"again": other}
                again = self.approvals.supersede(tx, proposal["id"], actor="soloist", why=note)
                sagas.rejoin(tx, proposal, again)
                return {"again": again}

            return dict(runs.once(tx, run, "came back", again))

        return await self.store.write(work)

    # ----- what a person does on a card

    async def decide_card(
        self,
        card_id: str,
        option: str,
        *,
        digest: str,
        who: str,
        via: str,
        edits: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> dict[str, Any]:
        """Carry out an option of a card; answers {card, option, state, ...}. BadInput names the options."""
        said: dict[str, Any] = {"digest": digest, "who": who, "via": via, "edits": edits, "reason": reason}
        return await self.store.write(lambda tx: self.decide_in(tx, card_id, option, **said))

    def decide_in(self, tx: Tx, card_id: str, option: str, **said: Any) -> dict[str, Any]:
        """The same inside a transaction."""
        card = tasks.get(tx.conn, card_id)
        names = [choice["name"] for choice in card["options"] or []]
        if option not in names:
            raise BadInput(f"option: one of {', '.join(names)}.", field="option")
        if card["state"] != "open" and card["subject_kind"] != "proposal":
            raise Conflict(f"This card is {card['state']} already; nothing was changed.")
        return {"card": card_id, "option": option, **self._carry_out(tx, card, option, **said)}

    def _carry_out(
        self,
        tx: Tx,
        card: Mapping[str, Any],
        option: str,
        *,
        digest: str,
        who: str,
        via: str,
        edits: Mapping[str, Any] | None,
        reason: str,
    ) -> dict[str, Any]:
        """One option of one card."""
        if card["subject_kind"] == "proposal" and card["type"] in ("proposal", "change"):
            decision = Decision(option, digest, who, via, edits, reason)
            return self.approvals.decide_in(tx, card["subject"], decision)
        if card["type"] == "unknown_outcome":
            done = self.effects.resolve_in(tx, card["subject"], option, digest, who=who)
            return {**done, **self.takers["effect"](tx, card, option, who)} if option == "follow_up" else done
        if taker := self.takers.get(f"{card['type']} card") or self.takers.get(card["subject_kind"]):
            return taker(tx, card, option, who)
        if option == tasks.LATER["name"]:
            tasks.snooze(tx, card["id"], later(tx.now, 16 * 3600), actor=who)
            return {"state": "waiting"}
        result = self._simple_option(tx, card, option, who)
        tasks.close(tx, card["id"], "done", {"option": option, "reason": reason}, actor=who)
        return result

    def _simple_option(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Options that lead to a fresh card, a fresh run, or nothing."""
        if option == "again":
            ident, only = card["subject"], ""
            if card["subject_kind"] == "effect" or "effect" in (card["detail"] or {}):
                effect = effects.get(tx.conn, (card["detail"] or {}).get("effect", ident))
                ident, only = effect["proposal"], "" if effect["group"] == "all" else effect["group"]
            why = "You asked for it again."
            return {"proposal": self.approvals.propose_again(tx, ident, actor=who, why=why, only=only)}
        if card["type"] == "question" and card["subject_kind"] == "message":
            self._learn(tx, card, option, who)
        if option in ("enquiry", "client"):
            tx.start(
                f"reply:{option}:{card['subject']}", "reply", f"{option}:{card['subject']}", subject=card["subject"]
            )
            return {"state": "drafting"}
        return {"state": "closed"}

    @staticmethod
    def _learn(tx: Tx, card: Mapping[str, Any], option: str, who: str) -> None:
        """The operator's word on what a message is; the local classifier learns from it."""
        message, kind = conversations.message(tx.conn, card["subject"]), KINDS_SAID.get(option, option)
        labels.add(tx, card["subject"], "kind", kind, was=message["kind"], source="card", who=who)
        if kind != message["kind"]:
            given, wanted = {"kind": message["kind"]}, {"kind": kind}
            about = {"run": card["run"], "sort": message["kind"], "language": message["language"]}
            new = NewCorrection("route", message["id"], given, wanted, 1000, who, skill="understand", **about)
            corrections.note(tx, new)

    async def undo(self, effect_id: str, *, who: str, bundle: bool = False) -> dict[str, Any]:
        """Take an effect back, or everything it was proposed together with.

        One that was still held comes back as a fresh waiting proposal; what cannot be as if it had not been leads to a
        ``proposal``: a counter-entry, or a letter.
        """

        return await self.store.write(lambda tx: self.undo_in(tx, effect_id, who=who, bundle=bundle))

    def undo_in(self, tx: Tx, effect_id: str, *, who: str, bundle: bool = False) -> dict[str, Any]:
        """The same inside a transaction; for the ladder of autonomy it is a correction."""
        self.approvals.corrected(tx, effects.get(tx.conn, effect_id)["proposal"], who=who)
        if bundle:
            return self.takers["undo"](tx, {"subject": effect_id}, "bundle", who)
        result = self.effects.undo_in(tx, effect_id, who=who)
        if result["kind"] != "exact":
            return self.takers["undo"](tx, {"subject": effect_id}, result["kind"], who)
        if not result["held"]:
            return result
        for other in effects.of_proposal(tx.conn, result["proposal"]):
            if other["state"] == "intended" and not other["attempts"]:
                self.effects.undo_in(tx, other["id"], who=who)
        if proposals.get(tx.conn, result["proposal"])["state"] == "approved":
            why = "You took it back before it was sent."
            result["again"] = self.approvals.supersede(tx, result["proposal"], actor=who, why=why)
        return result

    async def undo_proposal(self, proposal_id: str, *, who: str, bundle: bool = False) -> dict[str, Any]:
        """Take back an approved proposal: in its first seconds, by its effects, or a record change by its versions."""
        rows = await self.store.read(lambda conn: effects.of_proposal(conn, proposal_id))
        if bundle:
            return await self.undo(proposal_id, who=who, bundle=True)
        for row in [row for row in rows if row["state"] in ("succeeded", "resolved_done") and not row["undoes"]][1:]:
            await self.undo(row["id"], who=who)
        if rows:
            return await self.undo(_to_undo(rows)["id"], who=who)

        def work(tx: Tx) -> dict[str, Any]:
            proposal = proposals.get(tx.conn, proposal_id)
            if proposal["noun"] == "change" and proposal["state"] == "approved":
                self.approvals.corrected(tx, proposal_id, who=who)
                return self.records.take_back_in(tx, proposal["payload"], actor=who)
            if effects.of_proposal(tx.conn, proposal_id):
                raise NotAllowed("This is being carried out already.")
            why = "You took it back before it was sent."
            return {"again": self.approvals.supersede(tx, proposal_id, actor=who, why=why), "held": True}

        return await self.store.write(work)


def _to_undo(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The first effect of a proposal that can be taken back, else the first of all."""
    done = [row for row in rows if row["state"] in ("succeeded", "resolved_done") and not row["undoes"]]
    return (done or rows)[0]
