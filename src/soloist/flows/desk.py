"""Desk: the stages of one process laid side by side, and the acts that need more than one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from soloist.config import Home, Settings, seconds
from soloist.engine.registry import ReadingHalf
from soloist.engine.store import assets, conversations, effects, proposals, records, runs, tasks
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from soloist.kernel.identity import normal_address
from soloist.kernel.ids import derived
from soloist.kernel.proposal import (
    CHANGE_CONNECTOR,
    CHANGE_FACTS,
    CHANGE_OPERATION,
    NewProposal,
    OperationFacts,
    agent_proposal_id,
)
from soloist.stages.approvals import Approvals, Decision
from soloist.stages.conversation import Conversation
from soloist.stages.effects import Effects
from soloist.stages.intake import Intake
from soloist.stages.memory import Memory
from soloist.stages.records import Records
from soloist.stages.runtime import Runtime
from soloist.stages.runtime import decide as thinking
from soloist.stages.runtime.steps import Thought

MAIL_OPERATION = "mail.send"
RETURNED = 256 * 1024
"""How much of a bounce is looked through for the Message-ID of the mail that came back, in bytes."""


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
            found.effect_class, found.risk, found.undo, found.way_back, hold=found.hold, split=found.split
        )

    async def propose_over_api(self, new: NewProposal, *, actor: str) -> dict[str, Any]:
        """A proposal from a script, judged and committed: {id, state, new, payload_hash}. Its mail is not held."""
        facts = self.facts(new.connector, new.operation)
        facts = replace(facts, hold=0.0) if new.operation == MAIL_OPERATION else facts
        return await self.store.write(lambda tx: self.approvals.propose(tx, new, facts, actor=actor))

    # ----- thinking about a message and proposing an answer

    async def answer(self, run: str, message_id: str, who: Mapping[str, Any]) -> dict[str, Any]:
        """Context, thought, lead and proposals for one message, as one durable step; answers {proposals}."""
        people = [who["person"], who["company"]]
        context = await self.memory.recall(run, message_id, people)
        thought = await self.runtime.think(run, message_id, context["house_book"])
        if thought.understanding.kind == "enquiry":
            given = {
                "person": who["person"],
                "company": who["company"],
                "answers": [answer.model_dump() for answer in thought.answers],
                "verdict": thought.verdict,
            }
            await self.records.write_lead(run, message_id, given)
        return await self.store.write(lambda tx: self._propose_answer(tx, run, thought, who, context["context"]))

    def _propose_answer(
        self, tx: Tx, run: str, thought: Thought, who: Mapping[str, Any], context: str
    ) -> dict[str, Any]:
        """The reply, and the record change it suggests, each its own proposal; once."""

        def work() -> dict[str, Any]:
            self._withdraw_older(tx, thought.message["conversation"])
            made = [self._reply(tx, run, thought, who, context)]
            if who["change"]:
                made.append(self._change(tx, run, thought, who["change"]))
            return {"proposals": made}

        shown = {
            "agent": thought.agent,
            "verdict": thought.verdict,
            "template": thought.draft.template,
            "questions": [question.text for question in thought.draft.questions],
            "faults": thought.faults,
        }
        given = {"message": thought.message["id"], "context": context}
        return dict(runs.once(tx, run, "propose", work, given=given, detail=shown))

    def _withdraw_older(self, tx: Tx, conversation: str) -> None:
        """A newer message on the thread makes an older waiting reply stale; it is withdrawn, not sent."""
        for older in proposals.waiting_on(tx.conn, conversation):
            if older["operation"] != MAIL_OPERATION:
                continue
            proposals.move(tx, older["id"], "withdrawn", actor="soloist", why="a newer message came on this thread")
            if card := tasks.open_for(tx.conn, older["id"]):
                tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": "newer message"}, actor="soloist")
            tx.send(f"proposal:{older['id']}", "decision", {"state": "withdrawn"})

    def _reply(self, tx: Tx, run: str, thought: Thought, who: Mapping[str, Any], context: str) -> str:
        """The proposed reply; a draft with faults is kept from the card, and the card says why."""
        message, draft = thought.message, thought.draft
        self.runtime.agents["intake"].may_propose(MAIL_OPERATION)
        facts = self.facts(self.settings.mail.out, MAIL_OPERATION)
        evidence = thinking.evidence(thought.understanding, thought.answers, draft)
        if thought.faults:
            evidence["faults"] = thought.faults
        value, currency = thinking.value_of(thought.understanding)
        references = [*(message["references"] or [])]
        questions = [q.model_dump() for q in draft.questions]
        questions += [{"text": f"The draft was checked and has a fault: {fault}"} for fault in thought.faults]
        new = NewProposal(
            id=agent_proposal_id(run, "propose", 0),
            connector=self.settings.mail.out,
            operation=MAIL_OPERATION,
            payload=thinking.reply_payload(message, draft, references, thought.recipient),
            reason=thinking.why(thought.understanding, thought.answers, thought.known),
            source="agent:intake",
            run=run,
            agent=thought.agent,
            evidence=evidence,
            questions=tuple(questions),
            record=who["person"] or who["company"],
            conversation=message["conversation"],
            thread_head=conversations.get(tx.conn, message["conversation"])["head"],
            context=context,
            expires_in=seconds(self.settings.intake.reply_within),
            title=card_title(thought),
            value_minor=value,
            currency=currency,
            new_recipient=normal_address(thought.recipient) != normal_address(message["sender"]) or not thought.known,
            thread_known=thought.known,
        )
        return str(self.approvals.propose(tx, new, facts, actor=thought.agent)["id"])

    def _change(self, tx: Tx, run: str, thought: Thought, change: Mapping[str, Any]) -> str:
        """A record change that would overwrite something: a person decides."""
        names = ", ".join(sorted(change["fields"])).replace("_", " ")
        payload = {"record": change["record"], "version": change["version"], "fields": change["fields"]}
        new = NewProposal(
            id=agent_proposal_id(run, "propose", 1),
            connector=CHANGE_CONNECTOR,
            operation=CHANGE_OPERATION,
            payload=payload,
            noun="change",
            reason=f"Their message gives another {names} than the record has.",
            source="agent:intake",
            run=run,
            agent=thought.agent,
            evidence={"message": thought.message["id"]},
            record=change["record"],
            title=f"Change {change['title']}: {names}",
            expires_in=14 * 86400.0,
            new_recipient=False,
        )
        return str(self.approvals.propose(tx, new, CHANGE_FACTS, actor=thought.agent)["id"])

    async def set_aside(self, run: str, message_id: str, meaning: Mapping[str, Any]) -> dict[str, Any]:
        """Bulk, automatic and spam make no card; a bounce of our own mail does, since a client got nothing."""

        def work(tx: Tx) -> dict[str, Any]:
            def keep() -> dict[str, Any]:
                message = conversations.message(tx.conn, message_id)
                tasks.annotate(tx, message_id, "set aside", f"{meaning['kind']}: {meaning['rule']}")
                bounced = self._bounced(tx, message)
                if bounced:
                    self._bounce_card(tx, run, message, bounced)
                return {"kind": meaning["kind"], "bounce_of": bounced or ""}

            return dict(runs.once(tx, run, "set aside", keep, given={"message": message_id}))

        return await self.store.write(work)

    def _bounced(self, tx: Tx, message: Mapping[str, Any]) -> str | None:
        """The message of ours that a bounce is about, by a Message-ID it carries."""
        if not message["automatic"] or message["automatic"]["kind"] != "bounce":
            return None
        told = message["text"]
        if message["asset"]:  # the mail it is about comes along as a part of its own
            told += assets.load(tx.conn, self.home.assets, message["asset"])[:RETURNED].decode("latin-1")
        ids = [*(message["references"] or []), *re.findall(r"<([^<>@\s]{1,200}@[^<>@\s]{1,200})>", told)]
        for ident in list(dict.fromkeys(ids))[:100]:
            for row in conversations.ours(tx.conn, ident):
                return str(row)
        return None

    def _bounce_card(self, tx: Tx, run: str, message: Mapping[str, Any], bounced: str) -> None:
        """Tell that a mail of ours did not arrive."""
        ours = conversations.message(tx.conn, bounced)
        to = ", ".join(ours["recipients"] or [])
        record = conversations.get(tx.conn, ours["conversation"])["record"]
        tasks.open_card(
            tx,
            derived("bounce", bounced),
            "failure",
            f"Not delivered: {ours['subject']} to {to}",
            subject=bounced,
            subject_kind="message",
            conversation=ours["conversation"],
            record=record,
            run=run,
            why=f"A mail server says that your mail did not arrive: {message['text'][:300]}",
            options=[{"name": "seen", "label": "I have seen it", "consequence": "The card is closed."}],
            estimate=60,
            judgement=1,
        )

    async def ask_kind(self, run: str, message_id: str, meaning: Mapping[str, Any]) -> dict[str, Any]:
        """A message the rules are unsure about: a question instead of a guess. Answers {card}."""

        def work(tx: Tx) -> dict[str, Any]:
            def ask() -> dict[str, Any]:
                message = conversations.message(tx.conn, message_id)
                who = message["sender_name"] or message["sender"] or "an unknown sender"
                card = tasks.open_card(
                    tx,
                    derived("kind", message_id),
                    "question",
                    f"What is this? {message['subject'] or 'A message without subject'} from {who}"[:160],
                    subject=message_id,
                    subject_kind="message",
                    conversation=message["conversation"],
                    run=run,
                    why=f"The rules are not sure what this message is ({meaning['rule']}).",
                    options=[
                        {"name": "enquiry", "label": "It is an enquiry", "consequence": "A reply is drafted for you."},
                        {"name": "client", "label": "It is from a client", "consequence": "A short answer is drafted."},
                        {"name": "aside", "label": "Put it aside", "consequence": "Nothing is sent."},
                    ],
                    estimate=20,
                    judgement=1,
                )
                return {"card": card}

            return dict(runs.once(tx, run, "ask kind", ask, given={"message": message_id}))

        return await self.store.write(work)

    async def follow_up(self, run: str, message_id: str) -> dict[str, Any]:
        """Propose a reminder on a thread where nobody answered; answers {proposal}."""
        context = await self.memory.recall(run, message_id, [])
        message, thread, book = await self.store.read(lambda conn: self._sent_thread(conn, message_id, context))
        inbound = next((m for m in reversed(thread) if m["direction"] == "in"), None)
        language = (inbound or {}).get("language") or self.settings.business.language
        name = (inbound or {}).get("sender_name", "")
        draft = await self.runtime.follow_up(message, book, language, name)

        def work(tx: Tx) -> dict[str, Any]:
            def propose() -> dict[str, Any]:
                conversation = conversations.get(tx.conn, message["conversation"])
                facts = self.facts(self.settings.mail.out, MAIL_OPERATION)
                new = NewProposal(
                    id=agent_proposal_id(run, "follow up", 0),
                    connector=self.settings.mail.out,
                    operation=MAIL_OPERATION,
                    payload={
                        "to": message["recipients"],
                        "subject": draft.subject,
                        "body": draft.body,
                        "in_reply_to": message["message_id"],
                        "references": [message["message_id"]],
                    },
                    reason=f"Nobody answered your mail of {message['at'][:10]}.",
                    source="agent:intake",
                    run=run,
                    agent=self.runtime.agents["intake"].label,
                    evidence={"follow_up": True, "template": draft.template, "notes": draft.notes},
                    record=conversation["record"],
                    conversation=conversation["id"],
                    thread_head=conversation["head"],
                    context=context["context"],
                    expires_in=seconds(self.settings.intake.reply_within),
                    title=f"Follow up: {message['subject']}",
                    new_recipient=False,
                    thread_known=True,
                )
                return {"proposal": self.approvals.propose(tx, new, facts, actor=new.agent)["id"]}

            return dict(runs.once(tx, run, "propose", propose, given={"message": message_id}))

        return await self.store.write(work)

    def _sent_thread(
        self, conn: Any, message_id: str, context: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
        """A sent message, its thread and the house book of a context."""
        message = conversations.message(conn, message_id)
        thread = conversations.of(conn, message["conversation"])
        book = assets.load(conn, self.home.assets, context["house_book"]).decode("utf-8", "replace")
        return message, thread, book

    # ----- what a proposal's own run does

    async def apply_change(self, run: str, proposal_id: str) -> dict[str, Any]:
        """Carry out an approved record change; one whose record moved comes back as a fresh card."""
        proposal = await self.store.read(lambda conn: proposals.get(conn, proposal_id))
        done = await self.records.apply(run, proposal["payload"], actor="operator")
        if done["ok"]:
            return done

        def again(tx: Tx) -> dict[str, Any]:
            def work() -> dict[str, Any]:
                record = records.get(tx.conn, proposal["payload"]["record"])
                payload = {**proposal["payload"], "version": record["version"]}
                self.approvals.supersede(tx, proposal_id, actor="soloist", why=str(done["why"]), payload=payload)
                return {"ok": False}

            return dict(runs.once(tx, run, "again", work))

        return await self.store.write(again)

    async def came_back(self, run: str, effect_id: str) -> dict[str, Any]:
        """After an effect stood down before it was sent: its proposal comes back as a fresh card. Answers {again}."""

        def work(tx: Tx) -> dict[str, Any]:
            def again() -> dict[str, Any]:
                effect = effects.get(tx.conn, effect_id)
                proposal = proposals.get(tx.conn, effect["proposal"])
                if effect["attempts"] or proposal["state"] != "approved":
                    return {"again": ""}
                note = str((effect["evidence"] or [{}])[-1].get("note", ""))
                if newer := proposals.waiting_on(tx.conn, proposal["conversation"]):
                    other = newer[-1]["id"]
                    proposals.move(tx, proposal["id"], "superseded", actor="soloist", why=note, superseded_by=other)
                    return {"again": other}
                return {"again": self.approvals.supersede(tx, proposal["id"], actor="soloist", why=note)}

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

        def work(tx: Tx) -> dict[str, Any]:
            card = tasks.get(tx.conn, card_id)
            names = [choice["name"] for choice in card["options"] or []]
            if option not in names:
                raise BadInput(f"option: one of {', '.join(names)}.", field="option")
            if card["state"] != "open" and card["subject_kind"] != "proposal":
                raise Conflict(f"This card is {card['state']} already; nothing was changed.")
            return {
                "card": card_id,
                "option": option,
                **self._carry_out(tx, card, option, digest=digest, who=who, via=via, edits=edits, reason=reason),
            }

        return await self.store.write(work)

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
            return self.effects.resolve_in(tx, card["subject"], option, digest, who=who)
        result = self._simple_option(tx, card, option, who)
        tasks.close(tx, card["id"], "done", {"option": option, "reason": reason}, actor=who)
        return result

    def _simple_option(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Options that lead to a fresh card, a fresh run, or nothing."""
        if option == "again":
            ident, only = card["subject"], ""
            if card["subject_kind"] == "effect":
                effect = effects.get(tx.conn, ident)
                ident, only = effect["proposal"], "" if effect["group"] == "all" else effect["group"]
            why = "You asked for it again."
            return {"proposal": self.approvals.propose_again(tx, ident, actor=who, why=why, only=only)}
        if option in ("enquiry", "client"):
            tx.start(
                f"reply:{option}:{card['subject']}", "reply", f"{option}:{card['subject']}", subject=card["subject"]
            )
            return {"state": "drafting"}
        if option == "retry":
            old = card["subject"]
            row = runs.get(tx.conn, old)
            again = f"{old}:again:{card['id'][-6:]}"
            tx.start(again, row["flow"], row["input"], subject=row["subject"])
            if row["flow"] == "effect":
                effects.hand_over(tx, row["input"], again)
            return {"state": "running again"}
        return {"state": "closed"}

    async def undo(self, effect_id: str, *, who: str) -> dict[str, Any]:
        """Take an effect back; one that was still held comes back as a fresh waiting proposal."""

        def work(tx: Tx) -> dict[str, Any]:
            result = self.effects.undo_in(tx, effect_id, who=who)
            if not result["held"]:
                return result
            for other in effects.of_proposal(tx.conn, result["proposal"]):
                if other["state"] == "intended" and not other["attempts"]:
                    self.effects.undo_in(tx, other["id"], who=who)
            if proposals.get(tx.conn, result["proposal"])["state"] == "approved":
                why = "You took it back before it was sent."
                result["again"] = self.approvals.supersede(tx, result["proposal"], actor=who, why=why)
            return result

        return await self.store.write(work)

    async def undo_proposal(self, proposal_id: str, *, who: str) -> dict[str, Any]:
        """Take back an approved proposal in its first seconds, also when its effects are not made yet."""
        rows = await self.store.read(lambda conn: effects.of_proposal(conn, proposal_id))
        if rows:
            return await self.undo(rows[0]["id"], who=who)

        def work(tx: Tx) -> dict[str, Any]:
            if effects.of_proposal(tx.conn, proposal_id) or proposals.get(tx.conn, proposal_id)["noun"] == "change":
                raise NotAllowed("This is being carried out already.")
            why = "You took it back before it was sent."
            return {"again": self.approvals.supersede(tx, proposal_id, actor=who, why=why), "held": True}

        return await self.store.write(work)


def card_title(thought: Thought) -> str:
    """The title of the card of a reply."""
    name = thought.understanding.contact.name or thought.message["sender_name"] or thought.message["sender"]
    subject = thought.message["subject"] or thought.understanding.own_text[:60]
    return f"Reply to {name}: {subject}"[:160]
