"""The way of one message, from its event to the cards about it."""

from __future__ import annotations

from functools import partial

from soloist.flows.answering import Answering
from soloist.flows.asides import Asides
from soloist.flows.by_mail import ByMail
from soloist.flows.desk import Desk
from soloist.flows.intents import Intents
from soloist.flows.office import Office
from soloist.flows.said_by_mail import SaidByMail
from soloist.flows.subscribing import declining
from soloist.sdk.flow import Flow, Verbs


def intake(desk: Desk) -> Flow:
    """Receive, understand, identify, answer."""
    asides, answering, by_mail, office = Asides(desk), Answering(desk), ByMail(desk), Office(desk)
    intents, decline, by_word = Intents(desk), declining(desk), SaidByMail(desk)
    desk.records.under = partial(desk.runtime.roster.get, "intake")

    async def body(do: Verbs, event_id: str) -> None:
        arrived = await do.step("receive", desk.intake.receive, event_id)
        if arrived["duplicate"]:
            return
        if arrived.get("answers_letter"):
            await do.step("decide", by_mail.answer, event_id)
            return
        message = arrived["message"]
        if arrived.get("to_self") and (await do.step("said", by_word.ask, event_id, message))["card"]:
            return
        meaning = await do.step("understand", intents.understand, message)
        if said := meaning.get("takes_back"):
            await do.step("decline", decline, message, said)
            if said["whole"]:
                return
        way = await intents.way(do, message, meaning)
        if way.get("lead") == "agent":
            await do.step("hand over", intents.hand_over, message, way)
            return
        if way.get("lead") == "playbook":
            who = await do.step("identify", desk.records.identify, message)
            await do.step("begin", intents.begin, message, way, who)
            return
        if way.get("lead") == "operation":
            await do.step("call", intents.call, message, way)
            return
        if way:
            meaning = await do.step("turn", intents.turn, message, way)
        if meaning["set_aside"]:
            await office.files(do, arrived, meaning)
            await do.step("set aside", asides.set_aside, message, meaning)
            return
        if not arrived["new_thread"]:
            await do.step("answer came", desk.conversation.answer_came, message)
        if not arrived.get("answerable", True):
            meaning = {**meaning, "kind": "unsure", "rule": "it names no address that could be answered"}
        if meaning["kind"] == "unsure":
            if not await office.files(do, arrived, meaning):
                await do.step("ask kind", asides.ask_kind, message, meaning)
            return
        who = await do.step("identify", desk.records.identify, message)
        if await office.files(do, arrived, meaning, who) or await office.answers(do, message, meaning, who):
            return
        template = [way["target"]] if way.get("lead") == "reply" else []
        await answering.through(do, message, who, *template)

    return Flow("intake", body)


def reply(desk: Desk) -> Flow:
    """The second half of intake, for a message whose kind the operator said."""
    answering = Answering(desk)

    async def body(do: Verbs, value: str) -> None:
        kind, _, message = value.partition(":")
        await do.step("understand", desk.runtime.understand, message, kind)
        who = await do.step("identify", desk.records.identify, message)
        await answering.through(do, message, who)

    return Flow("reply", body)
