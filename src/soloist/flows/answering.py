"""Answering: what the desk proposes on a message, and the reminder on a thread where nobody answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from soloist.config import seconds
from soloist.engine import calls
from soloist.engine.store import (
    assets,
    contexts,
    conversations,
    facts,
    origins,
    proposals,
    records,
    releases,
    runs,
    tasks,
)
from soloist.engine.store.clock import iso
from soloist.engine.store.tx import Tx
from soloist.flows import replies
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.insight import remembered
from soloist.kernel.errors import SoloistError
from soloist.kernel.identity import normal_address
from soloist.kernel.message import Draft
from soloist.kernel.origin import Origin
from soloist.kernel.proposal import (
    CHANGE_CONNECTOR,
    CHANGE_FACTS,
    CHANGE_OPERATION,
    NewProposal,
    agent_proposal_id,
)
from soloist.sdk.flow import Verbs
from soloist.stages.approvals import proposed_row
from soloist.stages.memory import reach
from soloist.stages.memory.decide import MOST_QUERY, Search
from soloist.stages.runtime import decide as thinking
from soloist.stages.runtime.models import Parked, Parking, Seen, Tool
from soloist.stages.runtime.replying import INTAKE, WRITER, Piece, Seeing, Words, kept, pieces
from soloist.stages.runtime.steps import Thought

LOOKED_UP = 6
"""Items that one look-up of a model answers with."""


class Answering:
    """The thinking half of the way of a message."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk

    async def through(self, do: Verbs, message: str, who: Mapping[str, Any], template: str = "") -> None:
        """The steps of an answer: one, and another after each long wait for a model; the waits survive a restart."""
        waited, came = 0, await do.step("answer", self.answer, message, who, template)
        while came.get("waits"):
            await do.sleep(came["waits"])
            waited += 1
            came = await do.step(f"answer {waited + 1}", self.answer, message, who, template, waited)

    async def answer(
        self, run: str, message_id: str, who: Mapping[str, Any], template: str = "", waited: int = 0
    ) -> dict[str, Any]:
        """Context, thought, lead and proposals for one message, as one durable step; answers {proposals}.

        ``template`` names the operator's own that an intent leads to. {waits: seconds} when a model takes no question
        before: the step is to be done again then, with one more that was ``waited`` for.
        """
        try:
            return await self._answer(run, message_id, who, template, Parking(run, waited))
        except Parked as pause:
            calls.forget()
            wait = pause.seconds
            until = iso(self._desk.store.clock() + timedelta(seconds=wait))
            return await self._desk.store.write(lambda tx: _parked(tx, run, message_id, wait, until, n=waited))

    async def _answer(
        self, run: str, message_id: str, who: Mapping[str, Any], template: str, do: Parking
    ) -> dict[str, Any]:
        """The same, until somebody has to wait (Parked)."""
        people = [who["person"], who["company"]]
        intake = self._desk.runtime.roster.working("intake")
        for kind in ("conversation", "house_book"):
            intake.may_read(kind)
        reads = self._desk.runtime.roster.reads(INTAKE, WRITER)
        context = await self._desk.memory.recall(run, message_id, people, reads)
        stated = await self._desk.store.read(lambda conn: remembered.stated(conn, context["context"]))
        seeing = await self._seeing(run, message_id, who, context["context"])
        book = context["house_book"]
        thought = await self._desk.runtime.think(run, message_id, book, stated, seeing, template=template, do=do)
        if thought.understanding.kind == "enquiry":
            intake.may_write("lead")
            given = {
                "person": who["person"],
                "company": who["company"],
                "answers": [answer.model_dump() for answer in thought.answers],
                "verdict": thought.verdict,
            }
            await self._desk.records.write_lead(run, message_id, given)
        return await self._desk.store.write(lambda tx: self._propose_answer(tx, run, thought, who, context["context"]))

    async def _seeing(self, run: str, message_id: str, who: Mapping[str, Any], context: str) -> Seeing:
        """What a model may be given beside the message; without models only where it all is from."""
        whole = self._desk.runtime.has_models
        seeing = await self._desk.store.read(lambda conn: _seen(conn, context, who, whole=whole))
        if not whole:
            return seeing
        message, left = await self._desk.store.read(
            lambda conn: (conversations.message(conn, message_id), _left(conn, context))
        )
        reads = self._desk.runtime.roster.reads(INTAKE, WRITER)
        tools = (self._memory(run, who, reads),) if left and seeing.client and reach.MEMORY in reads else ()
        return replace(seeing, tools=tools, policy=partial(self._denied, run, message, who))

    def _memory(self, run: str, who: Mapping[str, Any], reads: tuple[str, ...]) -> Tool:
        """A look-up in what is remembered of the one who wrote, where more is known than fits into a context.

        It answers what the writer may read for intake, and nothing else.
        """

        async def look(question: str) -> Seen:
            idents = await self._desk.store.read(
                lambda conn: tuple(
                    one for ident in (who["person"], who["company"]) if ident for one in facts.family(conn, ident)
                )
            )
            of: dict[str, Any] = {"run": run, "step": "look up", "actor": WRITER, "records": idents, "reads": reads}
            try:
                found = (await self._desk.memory.search(Search(question[:MOST_QUERY], LOOKED_UP, **of))).items
                needs = await self._desk.store.read(lambda conn: reach.items(conn, [one["id"] for one in found]))
            except SoloistError as error:
                return Seen(f"Nothing could be looked up: {error.detail}", Origin())
            lines = [f"[{one['at'][:10]}] {str(one['text'])[:700]}" for one in found]
            refs = tuple(str(one["ref"]) for one in found)
            origin = Origin(frozenset({"outside"}), frozenset(refs)) if found else Origin()
            return Seen("\n".join(lines), origin, refs, tuple(sorted({place for one in needs for place in one})))

        summary = "Look up what is remembered of the one who wrote: earlier letters, agreements, what they said."
        return Tool("look_up", summary, "memory", look)

    async def _denied(self, run: str, message: Mapping[str, Any], who: Mapping[str, Any], draft: Draft) -> str:
        """Why policy would deny a reply with this draft, "" when it would not; nothing is kept."""

        def look(conn: Any) -> str:
            thread = conversations.get(conn, message["conversation"])
            out, to = self._desk.mail_out(thread["channel"]), str(message["answer_to"] or message["sender"])
            new = NewProposal(
                id=agent_proposal_id(run, "propose", 0),
                connector=out,
                operation=MAIL_OPERATION,
                payload=thinking.reply_payload(message, draft, [*(message["references"] or [])], to),
                reason="",
                source="agent:intake",
                run=run,
                agent=self._desk.runtime.agents["intake"].label,
                evidence={"template": draft.template},
                record=who["person"] or who["company"],
                conversation=message["conversation"],
            )
            row = proposed_row(new, self._desk.facts(out, MAIL_OPERATION), expires="")
            row["evidence"] |= {"new_recipient": False, "thread_known": True}
            return self._desk.judging.would_deny(conn, row, row["payload"])

        return await self._desk.store.read(look)

    def _propose_answer(
        self, tx: Tx, run: str, thought: Thought, who: Mapping[str, Any], context: str
    ) -> dict[str, Any]:
        """The reply, and the record change it suggests, each its own proposal; once."""

        def work() -> dict[str, Any]:
            replies.withdraw_older(self._desk, tx, thought.message["conversation"])
            checked = self._desk.runtime.roster.made_with("supervisor")
            facts = {"checked_by": checked["agent"], "policy": self._desk.judging.rules.version, "context": context}
            wrote = self._desk.runtime.roster.made_with("writer")
            models = {name: model for _, worked in thought.work for name, model in worked.cost["models"].items()}
            skills = {**checked["skills"], **wrote["skills"]}
            facts |= {"written_by": wrote["agent"], "pieces": pieces(thought.work, "supervisor")}
            releases.made_with(tx, run, {**facts, "skills": skills, "models": models})
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
            "author": thought.author,
            "work": kept(thought.work),
        }
        given = {"message": thought.message["id"], "context": context}
        return dict(runs.once(tx, run, "propose", work, given=given, detail=shown))

    def _reply(self, tx: Tx, run: str, thought: Thought, who: Mapping[str, Any], context: str) -> str:
        """The proposed reply; a draft with faults is kept from the card, and the card says why."""
        message, draft = thought.message, thought.draft
        self._desk.runtime.roster.get("intake").may_propose(MAIL_OPERATION, proposals.made_in(tx.conn, run))
        thread = conversations.get(tx.conn, message["conversation"])
        out = self._desk.mail_out(thread["channel"])
        facts = self._desk.facts(out, MAIL_OPERATION)
        evidence = thinking.evidence(thought.understanding, thought.answers, draft)
        evidence["known"] = remembered.beside(tx.conn, context)
        evidence |= thinking.written(thought.work, thought.author)
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
        made = str(self._desk.approvals.propose(tx, new, facts, actor=thought.agent)["id"])
        self._desk.standing.note(tx, thought.ruled, made, run)
        _work_of(tx, made, thought.work)
        return made

    def _change(self, tx: Tx, run: str, thought: Thought, change: Mapping[str, Any]) -> str:
        """A record change that would overwrite something: a person decides."""
        kind = records.get(tx.conn, change["record"])["kind"]
        self._desk.runtime.roster.get("intake").may_write(kind, change["fields"])
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
        intake = self._desk.runtime.roster.working("intake")
        whose = await self._desk.store.read(lambda conn: _whose(conn, message_id))
        reads = self._desk.runtime.roster.reads(INTAKE, WRITER)
        context = await self._desk.memory.recall(run, message_id, [whose], reads)
        message, thread, book = await self._desk.store.read(lambda conn: self._sent_thread(conn, message_id, context))
        inbound = next((m for m in reversed(thread) if m["direction"] == "in"), None)
        language = (inbound or {}).get("language") or self._desk.settings.business.language
        name = (inbound or {}).get("sender_name", "")
        draft, piece = await self._desk.runtime.follow_up(run, message, book, language, name)
        to = str((message["recipients"] or [""])[0])
        said = await replies.ruled(self._desk, draft.model_dump(), to)

        def work(tx: Tx) -> dict[str, Any]:
            def propose() -> dict[str, Any]:
                conversation = conversations.get(tx.conn, message["conversation"])
                out = self._desk.mail_out(conversation["channel"])
                facts = self._desk.facts(out, MAIL_OPERATION)
                intake.may_propose(MAIL_OPERATION, proposals.made_in(tx.conn, run))
                releases.made_with(tx, run, self._desk.runtime.roster.made_with("intake"))
                new = NewProposal(
                    id=agent_proposal_id(run, "follow up", 0),
                    connector=out,
                    operation=MAIL_OPERATION,
                    payload={
                        "to": message["recipients"],
                        "subject": draft.subject,
                        "body": said.draft["body"],
                        "in_reply_to": message["message_id"],
                        "references": [message["message_id"]],
                    },
                    reason=f"Nobody answered your mail of {message['at'][:10]}.",
                    source="agent:intake",
                    run=run,
                    agent=intake.label,
                    evidence={
                        "follow_up": True,
                        "template": draft.template,
                        "notes": said.draft["notes"],
                        "known": remembered.beside(tx.conn, context["context"]),
                        **thinking.written([piece], piece[1].author),
                    },
                    record=conversation["record"],
                    conversation=conversation["id"],
                    thread_head=conversation["head"],
                    context=context["context"],
                    expires_in=seconds(self._desk.settings.intake.reply_within),
                    questions=tuple({"text": fault} for fault in said.faults),
                    title=f"Follow up: {message['subject']}",
                    new_recipient=False,
                    thread_known=True,
                )
                done = self._desk.approvals.propose(tx, new, facts, actor=new.agent)
                self._desk.standing.note(tx, said.used, done["id"], run)
                return {"proposal": done["id"]}

            detail = {"work": kept([piece])}
            return dict(runs.once(tx, run, "propose", propose, given={"message": message_id}, detail=detail))

        return await self._desk.store.write(work)

    def _sent_thread(
        self, conn: Any, message_id: str, context: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
        """A sent message, its thread and the house book of a context."""
        message = conversations.message(conn, message_id)
        thread = conversations.of(conn, message["conversation"])
        book = assets.load(conn, self._desk.home.assets, context["house_book"]).decode("utf-8", "replace")
        return message, thread, book


def _parked(tx: Tx, run: str, message: str, seconds: float, until: str, *, n: int) -> dict[str, Any]:
    """Keep with the run what waits for a model and until when; answers {waits}."""

    def work() -> dict[str, Any]:
        tx.append("work.parked", subject=message, payload={"waits_for": "model", "until": until}, run=run)
        return {"waits": seconds}

    item = {"agent": WRITER, "work": "write a reply", "lane": "now", "sla": "hour", "until": until}
    return dict(runs.once(tx, run, "parked", work, given={"message": message}, detail={"parked": item}, n=n))


def _work_of(tx: Tx, proposal: str, work: Sequence[Piece]) -> None:
    """The card of a reply carries the piece of work it came from: who was to do what by when, estimated and spent."""
    card = tasks.open_for(tx.conn, proposal)
    if card is not None and work:
        first = kept(work[:1])[0]
        told = {name: first[name] for name in ("agent", "skill", "given_by", "wanted", "timeout", "came", "author")}
        told |= {"estimate": first["estimate"], "cost": first["cost"]}
        tasks.reopen(tx, card["id"], work=told, lane=first["lane"], sla=first["sla"])


def _seen(conn: Any, context: str, who: Mapping[str, Any], *, whole: bool) -> Seeing:
    """What a context holds, as texts a draft may rest on; what the operator confirmed is ours."""
    given = [part for part in remembered.given(conn, context) if not part.gone] if whole else []
    needs = _needs(conn, given)
    words = tuple(
        Words(part.at[:10] or part.part, part.text, ours=part.trust == "confirmed", needs=places)
        for part, places in zip(given, needs, strict=True)
    )
    return Seeing(context, who["person"] or who["company"], words, origin=origins.of_context(conn, context))


def _needs(conn: Any, given: Sequence[remembered.Given]) -> list[reach.Needs]:
    """What each part of a context needs, so that whoever it is handed on to is held to their own contract."""
    items = reach.items(conn, [part.memory for part in given if part.memory])
    rows = [contexts.fact(conn, part.ref.partition(":")[2]) or {} for part in given if not part.memory]
    of_items, of_facts = iter(items), iter(reach.facts(conn, rows))
    return [next(of_items) if part.memory else next(of_facts) for part in given]


def _left(conn: Any, context: str) -> int:
    """How many parts of what is remembered did not fit into a context."""
    row = contexts.get(conn, context) if context else None
    return sum(((row["packed"] or {}).get("left") or {}).values()) if row else 0


def card_title(thought: Thought) -> str:
    """The title of the card of a reply."""
    name = thought.understanding.contact.name or thought.message["sender_name"] or thought.message["sender"]
    subject = thought.message["subject"] or thought.understanding.own_text[:60]
    return f"Reply to {name}: {subject}"[:160]


def _whose(conn: Any, message_id: str) -> str:
    """The record of a message's thread, "" for nobody known."""
    return str(conversations.get(conn, conversations.message(conn, message_id)["conversation"])["record"])
