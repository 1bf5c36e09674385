"""The way of one message, from its event to the cards about it."""

from __future__ import annotations

from soloist.flows.answering import Answering
from soloist.flows.asides import Asides
from soloist.flows.by_mail import ByMail
from soloist.flows.desk import Desk
from soloist.sdk.flow import Flow, Verbs


def intake(desk: Desk) -> Flow:
    """Receive, understand, identify, answer."""
    asides, answering, by_mail = Asides(desk), Answering(desk), ByMail(desk)

    async def body(do: Verbs, event_id: str) -> None:
        arrived = await do.step("receive", desk.intake.receive, event_id)
        if arrived["duplicate"]:
            return
        if arrived.get("answers_letter"):
            await do.step("decide", by_mail.answer, event_id)
            return
        message = arrived["message"]
        meaning = await do.step("understand", desk.runtime.understand, message)
        if meaning["set_aside"]:
            await do.step("set aside", asides.set_aside, message, meaning)
            return
        if not arrived["new_thread"]:
            await do.step("answer came", desk.conversation.answer_came, message)
        if not arrived.get("answerable", True):
            meaning = {**meaning, "kind": "unsure", "rule": "it names no address that could be answered"}
        if meaning["kind"] == "unsure":
            await do.step("ask kind", asides.ask_kind, message, meaning)
            return
        who = await do.step("identify", desk.records.identify, message)
        await do.step("answer", answering.answer, message, who)

    return Flow("intake", body)


def reply(desk: Desk) -> Flow:
    """The second half of intake, for a message whose kind the operator said."""
    answering = Answering(desk)

    async def body(do: Verbs, value: str) -> None:
        kind, _, message = value.partition(":")
        await do.step("understand", desk.runtime.understand, message, kind)
        who = await do.step("identify", desk.records.identify, message)
        await do.step("answer", answering.answer, message, who)

    return Flow("reply", body)
