"""Steps of conversation: record what was sent, start and stop follow-ups."""

from __future__ import annotations

from typing import Any

from soloist.config import Settings, seconds
from soloist.engine.store import conversations, effects, proposals, records
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tables import conversations as table
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound
from soloist.kernel.ids import derived
from soloist.stages.conversation import decide

ANSWERED = "answered"
"""Topic on which a waiting follow-up hears of an answer."""


class Conversation:
    """Owns outbound messages and follow-ups."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """The store and the settings are given."""
        self._store, self._settings = store, settings

    async def record_sent(self, run: str, effect_id: str) -> dict[str, Any]:
        """After a mail went out: message, lead state, and the follow-up's run. Answers {message} or {}."""
        # The receipt is on the disk already; if this is lost, so is the engine's later note, and the step runs again.
        return await self._store.write(lambda tx: self._sent(tx, run, effect_id), full=False)

    def _sent(self, tx: Tx, run: str, effect_id: str) -> dict[str, Any]:
        """One transaction, once for each conversation message even when a mail had several recipients."""
        effect = effects.get(tx.conn, effect_id)
        proposal = proposals.get(tx.conn, effect["proposal"])
        if not proposal["conversation"] or effect["operation"] != "mail.send":
            return {}

        def work() -> dict[str, Any]:
            ident = derived("sent", proposal["id"])
            try:
                conversations.message(tx.conn, ident)
            except NotFound:
                automatic = not any(a["decision"] == "approve" for a in proposals.approvals_of(tx.conn, proposal["id"]))
                row = decide.sent_row(effect, proposal, sender=self._settings.business.email, automatic=automatic)
                conversations.add(tx, {**row, "id": ident})
                self._after(tx, run, proposal, ident)
            return {"message": ident}

        return dict(once(tx, run, "record sent", work, given={"effect": effect_id}))

    def _after(self, tx: Tx, run: str, proposal: dict[str, Any], message: str) -> None:
        """The lead was answered; unless this was a follow-up itself, wait for an answer."""
        self._lead_answered(tx, run, proposal["conversation"])
        if (proposal["evidence"] or {}).get("follow_up"):
            return
        tx.start(f"followup:{message}", "followup", message, subject=proposal["conversation"], parent=run)

    @staticmethod
    def _lead_answered(tx: Tx, run: str, conversation: str) -> bool:
        """Mark the lead of a conversation answered, the kept one where it was merged; False when there is none."""
        lead = records.standing(tx.conn, derived("lead", conversation))
        if lead:
            values = {"answered": tx.now}
            records.write(tx, lead["id"], lead["version"], values, why="answered", run=run, state="answered")
        return bool(lead)

    async def await_answer(self, run: str, message_id: str) -> dict[str, Any]:
        """The operator answered a lead by other means: it is answered, and a follow-up waits. Answers {waits}."""

        def work(tx: Tx) -> dict[str, Any]:
            def wait() -> dict[str, Any]:
                conversation = conversations.message(tx.conn, message_id)["conversation"]
                if not self._lead_answered(tx, run, conversation):
                    return {"waits": False}
                tx.start(f"followup:{message_id}", "followup", message_id, subject=conversation, parent=run)
                return {"waits": True}

            return dict(once(tx, run, "await answer", wait, given={"message": message_id}))

        return await self._store.write(work)

    async def follow_up_after(self, _run: str, _message_id: str) -> float:
        """Seconds to wait for an answer."""
        return seconds(self._settings.intake.follow_up_after)

    async def still_open(self, run: str, message_id: str) -> dict[str, Any]:
        """Whether the thread of a sent message is still without an answer; {open, conversation}."""

        def work(tx: Tx) -> dict[str, Any]:
            def look() -> dict[str, Any]:
                message = conversations.message(tx.conn, message_id)
                thread = conversations.of(tx.conn, message["conversation"])
                waiting = proposals.waiting_on(tx.conn, message["conversation"])
                is_open = decide.unanswered(thread, message_id) and not waiting
                return {"open": is_open, "conversation": message["conversation"]}

            return dict(once(tx, run, "still open", look, given={"message": message_id}))

        return await self._store.write(work, full=False)

    async def answer_came(self, run: str, message_id: str) -> dict[str, Any]:
        """Tell follow-ups on this thread that somebody answered; answers how many were told."""

        def work(tx: Tx) -> dict[str, Any]:
            def tell() -> dict[str, Any]:
                message = conversations.message(tx.conn, message_id)
                outs = [m for m in conversations.of(tx.conn, message["conversation"]) if m["direction"] == "out"]
                for out in outs:
                    tx.send(f"followup:{out['id']}", ANSWERED, {"message": message_id})
                reopen = table.update().where(table.c.id == message["conversation"]).values(state="open")
                tx.run(reopen)
                return {"told": len(outs)}

            return dict(once(tx, run, "answer came", tell, given={"message": message_id}))

        return await self._store.write(work)
