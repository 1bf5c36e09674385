"""Asides: messages that get no answer: set aside in silence, told on a card, or asked about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import conversations, effects, runs, tasks
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.elsewhere import turn_receipt
from soloist.kernel.errors import SoloistError
from soloist.kernel.ids import derived

ANSWERS = [
    {"name": "enquiry", "label": "It is an enquiry", "consequence": "A reply is drafted for you."},
    {"name": "client", "label": "It is from a client", "consequence": "A short answer is drafted."},
    {"name": "aside", "label": "Put it aside", "consequence": "Nothing is sent."},
]
"""What the operator can say a message is; nobody can be answered without an address."""
AGAIN = {"name": "again", "label": "Propose it again", "consequence": "The same mail comes back as a card."}


class Asides:
    """What happens to a message that nobody answers."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk

    async def set_aside(self, run: str, message_id: str, meaning: Mapping[str, Any]) -> dict[str, Any]:
        """Bulk, automatic and spam make no card; a bounce of our own mail does, since a client got nothing."""
        message = await self._desk.store.read(lambda conn: conversations.message(conn, message_id))
        told = await self._told(message)

        def work(tx: Tx) -> dict[str, Any]:
            def keep() -> dict[str, Any]:
                tasks.annotate(tx, message_id, "set aside", f"{meaning['kind']}: {meaning['rule']}")
                ours = self._came_back(tx, message, told)
                if ours:
                    turn_receipt(tx, told, message_id)
                    self._bounce_card(tx, run, message, ours, told)
                return {"kind": meaning["kind"], "bounce_of": ours}

            return dict(runs.once(tx, run, "set aside", keep, given={"message": message_id}))

        return await self._desk.store.write(work)

    async def _told(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """What a bounce says, empty for any other message and for a bounce that cannot be read."""
        if not message["automatic"] or message["automatic"]["kind"] != "bounce":
            return {}
        try:
            self._desk.runtime.roster.under("intake", "bounce")
            return await self._desk.intake.read_bounce(message)
        except SoloistError:
            return {}

    @staticmethod
    def _came_back(tx: Tx, message: Mapping[str, Any], told: Mapping[str, Any]) -> str:
        """The message of ours that did not arrive: by the id the bounce names, else by the thread; "" for none.

        A notice that delivery is late is no bounce: the mail may still arrive.
        """
        if not told or not told.get("permanent"):
            return ""
        ids = [str(told.get("original_message_id", "")).strip("<> "), *(message["references"] or [])]
        for ident in dict.fromkeys(ids):
            for row in conversations.ours(tx.conn, ident) if ident else []:
                return str(row)
        return ""

    def _bounce_card(self, tx: Tx, run: str, message: Mapping[str, Any], ours: str, told: Mapping[str, Any]) -> None:
        """Tell that a mail of ours did not arrive, to whom, and why."""
        mail = conversations.message(tx.conn, ours)
        failed = told.get("recipients") or []
        to = ", ".join(r["address"] for r in failed if r.get("address")) or ", ".join(mail["recipients"] or [])
        reason = "; ".join(r["reason"] for r in failed if r.get("reason")) or message["text"]
        sent = effects.by_message_id(tx.conn, mail["message_id"])
        tasks.open_card(
            tx,
            derived("bounce", ours, to),
            "failure",
            f"Not delivered: {mail['subject']} to {to}"[:160],
            subject=ours,
            subject_kind="message",
            conversation=mail["conversation"],
            record=conversations.get(tx.conn, mail["conversation"])["record"],
            run=run,
            why=f"A mail server says that your mail did not arrive: {reason[:300]}",
            detail={"bounce": message["id"], "recipients": failed, **({"effect": sent["id"]} if sent else {})},
            options=[
                {"name": "seen", "label": "I have seen it", "consequence": "The card is closed; nothing is sent."},
                AGAIN if sent else tasks.LATER,
            ],
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
                    options=ANSWERS if message["answer_to"] else [ANSWERS[-1], tasks.LATER],
                    estimate=20,
                    judgement=1,
                )
                return {"card": card}

            return dict(runs.once(tx, run, "ask kind", ask, given={"message": message_id}))

        return await self._desk.store.write(work)
