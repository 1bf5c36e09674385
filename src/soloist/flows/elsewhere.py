"""Elsewhere: what the operator did outside Soloist; an answer from any mail program ends what waits on its thread."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from soloist.engine.store import conversations, effects, proposals, runs, tasks
from soloist.engine.store.tx import Tx
from soloist.flows import corrections
from soloist.flows.by_mail import ByMail
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.flows.late import turn
from soloist.sdk.flow import Flow, Verbs

WHY = "You answered on this thread yourself."


def sent(desk: Desk) -> Flow:
    """Put it on its thread; withdraw the open proposal and follow-up there; keep it as a correction."""
    elsewhere, by_mail = Elsewhere(desk), ByMail(desk)

    async def body(do: Verbs, event_id: str) -> None:
        placed = await do.step("receive", desk.intake.receive_sent, event_id)
        if placed["duplicate"]:
            return
        if placed.get("answers_letter"):
            await do.step("decide", by_mail.answer, event_id)
            return
        await do.step("withdraw", elsewhere.answered, placed["message"])
        await do.step("answer came", desk.conversation.answer_came, placed["message"])
        await do.step("await answer", desk.conversation.await_answer, placed["message"])

    return Flow("sent", body)


class Elsewhere:
    """What an answer of the operator's own leads to."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk

    async def answered(self, run: str, message_id: str) -> dict[str, Any]:
        """Withdraw what waits on the thread of a message the operator sent. Answers {withdrawn, held}."""

        def work(tx: Tx) -> dict[str, Any]:
            def withdraw() -> dict[str, Any]:
                message = conversations.message(tx.conn, message_id)
                waiting = self._withdraw_waiting(tx, message)
                held = self._withdraw_held(tx, message)
                return {"withdrawn": waiting, "held": held}

            return dict(runs.once(tx, run, "withdraw", withdraw, given={"message": message_id}))

        return await self._desk.store.write(work)

    def _withdraw_waiting(self, tx: Tx, message: Mapping[str, Any]) -> list[str]:
        """Proposals that nobody decided yet, and questions about messages of the thread."""
        found = []
        for proposal in proposals.waiting_on(tx.conn, message["conversation"]):
            if proposal["operation"] == MAIL_OPERATION:
                self._correct(tx, proposal, message)
                self._desk.approvals.withdraw(tx, proposal["id"], actor="operator", why=WHY)
                found.append(str(proposal["id"]))
        for card in tasks.open_on(tx.conn, message["conversation"], "question"):
            tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": WHY}, actor="soloist")
        return found

    def _withdraw_held(self, tx: Tx, message: Mapping[str, Any]) -> list[str]:
        """Approved answers that have not left yet: nothing of them is sent."""
        found = []
        for proposal in proposals.on_conversation(tx.conn, message["conversation"], "approved"):
            open_effects = effects.of_proposal(tx.conn, proposal["id"])
            if proposal["operation"] != MAIL_OPERATION or any(e["attempts"] or _over(e) for e in open_effects):
                continue
            for effect in open_effects:
                effects.move(tx, effect, "resolved_not_done", note=f"Not sent. {WHY}")
                tx.send(effect["run"], "effect", {"state": "resolved_not_done"})
            self._correct(tx, proposal, message)
            self._desk.approvals.withdraw(tx, proposal["id"], actor="operator", why=WHY)
            found.append(str(proposal["id"]))
        return found

    @staticmethod
    def _correct(tx: Tx, proposal: Mapping[str, Any], message: Mapping[str, Any]) -> None:
        """What the operator wrote instead of the draft, kept for the skill that drafted it."""
        draft = str((proposal["payload"] or {}).get("body", ""))
        same = difflib.SequenceMatcher(None, draft[:4000], message["text"][:4000], autojunk=False).quick_ratio()
        payload = {"message": message["id"], "alike": round(same, 2), "agent": proposal["agent"]}
        tx.append("proposal.corrected", subject=proposal["id"], payload=payload, actor="operator")
        own, was = {"body": message["text"]}, proposal["payload"] or {}
        corrections.note(tx, "own_answer", proposal, was, own, who="operator")
        note = f"You wrote your own answer instead (message {message['id']})."
        tasks.annotate(tx, proposal["id"], "correction", note, actor="operator")


def _over(effect: Mapping[str, Any]) -> bool:
    """Whether an effect is past the point where it can be kept from leaving."""
    return effect["state"] not in ("intended", "claimed")


def turn_receipt(tx: Tx, told: Mapping[str, Any], bounce: str) -> str | None:
    """A bounce is about a mail an effect of ours sent: its receipt turns to failed. The effect's id, or None.

    ``told`` is what the bounce says: {original_message_id, permanent, recipients: [{address, status, reason}]}.
    """
    effect = effects.by_message_id(tx.conn, str(told.get("original_message_id", "")))
    if effect is None or not told.get("permanent"):
        return None
    late = {"message": bounce, "recipients": told.get("recipients", []), "at": tx.now}
    reason = "; ".join(r.get("reason", "") for r in late["recipients"])[:300]
    turn(tx, effect, f"It came back: {reason}", late)
    return str(effect["id"])
