"""A sent reply waits for an answer; when none comes in time a reminder is proposed."""

from __future__ import annotations

from soloist.flows.answering import Answering
from soloist.flows.desk import Desk
from soloist.sdk.flow import Flow, Verbs


def followup(desk: Desk) -> Flow:
    """Park until somebody answers or the days are over."""
    answering = Answering(desk)

    async def body(do: Verbs, message: str) -> None:
        wait = await do.step("how long", desk.conversation.follow_up_after, message)
        if await do.wait_for("answered", wait) is not None:
            return
        now = await do.step("still open", desk.conversation.still_open, message)
        if now["open"]:
            await do.step("follow up", answering.follow_up, message)

    return Flow("followup", body, parks=True)
