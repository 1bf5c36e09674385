"""Answering: what the desk proposes on a message, and the reminder on a thread where nobody answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.config import seconds
from soloist.engine.store import assets, conversations, proposals, runs
from soloist.engine.store.tx import Tx
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.insight import remembered
from soloist.kernel.identity import normal_address
from soloist.kernel.proposal import (
    CHANGE_CONNECTOR,
    CHANGE_FACTS,
    CHANGE_OPERATION,
    NewProposal,
    agent_proposal_id,
)
from soloist.stages.runtime import decide as thinking
from soloist.stages.runtime.steps import Thought


class Answering:
    """The thinking half of the way of a message."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk

    async def answer(self, run: str, message_id: str, who: Mapping[str, Any]) -> dict[str, Any]:
        """Context, thought, lead and proposals for one message, as one durable step; answers {proposals}."""
        people = [who["person"], who["company"]]
        context = await self._desk.memory.recall(run, message_id, people)
        stated = await self._desk.store.read(lambda conn: remembered.stated(conn, context["context"]))
        thought = await self._desk.runtime.think(run, message_id, context["house_book"], stated)
        if thought.understanding.kind == "enquiry":
            given = {
                "person": who["person"],
                "company": who["company"],
                "answers": [answer.model_dump() for answer in thought.answers],
                "verdict": thought.verdict,
            }
            await self._desk.records.write_lead(run, message_id, given)
        return await self._desk.store.write(lambda tx: self._propose_answer(tx, run, thought, who, context["context"]))

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
            why = "a newer message came on this thread"
            self._desk.approvals.withdraw(tx, older["id"], actor="soloist", why=why)

    def _reply(self, tx: Tx, run: str, thought: Thought, who: Mapping[str, Any], context: str) -> str:
        """The proposed reply; a draft with faults is kept from the card, and the card says why."""
        message, draft = thought.message, thought.draft
        self._desk.runtime.agents["intake"].may_propose(MAIL_OPERATION)
        thread = conversations.get(tx.conn, message["conversation"])
        out = self._desk.mail_out(thread["channel"])
        facts = self._desk.facts(out, MAIL_OPERATION)
        evidence = thinking.evidence(thought.understanding, thought.answers, draft)
        evidence["known"] = remembered.beside(tx.conn, context)
        if thought.faults:
            evidence["faults"] = thought.faults
        value, currency = thinking.value_of(thought.understanding)
        references = [*(message["references"] or [])]
        questions = [q.model_dump() for q in draft.questions]
        questions += [{"text": f"The draft was checked and has a fault: {fault}"} for fault in thought.faults]
        new = NewProposal(
            id=agent_proposal_id(run, "propose", 0),
            connector=out,
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
            thread_head=thread["head"],
            context=context,
            expires_in=seconds(self._desk.settings.intake.reply_within),
            title=card_title(thought),
            value_minor=value,
            currency=currency,
            new_recipient=normal_address(thought.recipient) != normal_address(message["sender"]) or not thought.known,
            thread_known=thought.known,
        )
        return str(self._desk.approvals.propose(tx, new, facts, actor=thought.agent)["id"])

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
        return str(self._desk.approvals.propose(tx, new, CHANGE_FACTS, actor=thought.agent)["id"])

    async def follow_up(self, run: str, message_id: str) -> dict[str, Any]:
        """Propose a reminder on a thread where nobody answered; answers {proposal}."""
        whose = await self._desk.store.read(lambda conn: _whose(conn, message_id))
        context = await self._desk.memory.recall(run, message_id, [whose])
        message, thread, book = await self._desk.store.read(lambda conn: self._sent_thread(conn, message_id, context))
        inbound = next((m for m in reversed(thread) if m["direction"] == "in"), None)
        language = (inbound or {}).get("language") or self._desk.settings.business.language
        name = (inbound or {}).get("sender_name", "")
        draft = await self._desk.runtime.follow_up(message, book, language, name)

        def work(tx: Tx) -> dict[str, Any]:
            def propose() -> dict[str, Any]:
                conversation = conversations.get(tx.conn, message["conversation"])
                out = self._desk.mail_out(conversation["channel"])
                facts = self._desk.facts(out, MAIL_OPERATION)
                new = NewProposal(
                    id=agent_proposal_id(run, "follow up", 0),
                    connector=out,
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
                    agent=self._desk.runtime.agents["intake"].label,
                    evidence={
                        "follow_up": True,
                        "template": draft.template,
                        "notes": draft.notes,
                        "known": remembered.beside(tx.conn, context["context"]),
                    },
                    record=conversation["record"],
                    conversation=conversation["id"],
                    thread_head=conversation["head"],
                    context=context["context"],
                    expires_in=seconds(self._desk.settings.intake.reply_within),
                    title=f"Follow up: {message['subject']}",
                    new_recipient=False,
                    thread_known=True,
                )
                return {"proposal": self._desk.approvals.propose(tx, new, facts, actor=new.agent)["id"]}

            return dict(runs.once(tx, run, "propose", propose, given={"message": message_id}))

        return await self._desk.store.write(work)

    def _sent_thread(
        self, conn: Any, message_id: str, context: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
        """A sent message, its thread and the house book of a context."""
        message = conversations.message(conn, message_id)
        thread = conversations.of(conn, message["conversation"])
        book = assets.load(conn, self._desk.home.assets, context["house_book"]).decode("utf-8", "replace")
        return message, thread, book


def card_title(thought: Thought) -> str:
    """The title of the card of a reply."""
    name = thought.understanding.contact.name or thought.message["sender_name"] or thought.message["sender"]
    subject = thought.message["subject"] or thought.understanding.own_text[:60]
    return f"Reply to {name}: {subject}"[:160]


def _whose(conn: Any, message_id: str) -> str:
    """The record of a message's thread, "" for nobody known."""
    return str(conversations.get(conn, conversations.message(conn, message_id)["conversation"])["record"])
