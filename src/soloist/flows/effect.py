"""The way of one effect: look what is next, do it, until it has ended; every stop is a state in its row."""

from __future__ import annotations

from soloist.flows.desk import Desk
from soloist.flows.looking import after_a_look
from soloist.flows.overdue import overdue
from soloist.flows.restoring import Restoring
from soloist.flows.subscribing import then_published
from soloist.sdk.flow import Flow, Verbs


def effect(desk: Desk) -> Flow:
    """Hold, attempt, look up, ask, wait; then put what was sent on its thread."""

    attempt = overdue(desk.store, after_a_look(desk, desk.effects.attempt))
    attempt = Restoring(desk).unless_doubtful(attempt)
    sent = then_published(desk)

    async def body(do: Verbs, ident: str) -> None:
        state = ""
        while state != "end":
            move = await do.step("look", desk.effects.look, ident)
            state = move["do"]
            if state == "wait":
                await do.wait_for("effect", move["seconds"])
            elif state == "attempt":
                await do.step("attempt", attempt, ident)
            elif state == "look_up":
                await do.step("look up", desk.effects.look_up, ident)
            elif state == "ask":
                await do.step("ask", desk.effects.ask, ident, move["why"])
        if move["state"] in ("succeeded", "resolved_done"):
            await do.step("record sent", sent, ident)
        elif move["state"] == "resolved_not_done":
            await do.step("came back", desk.came_back, ident)

    return Flow("effect", body, parks=True)
