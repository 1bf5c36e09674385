"""The way of one proposal: it waits for its decision, then its effects or its record change are set going."""

from __future__ import annotations

from soloist.flows.desk import Desk
from soloist.sdk.flow import Flow, Verbs

BUNDLE_LOOK = 300.0
"""Seconds between two looks of a change that waits for an earlier part of its bundle; usually it is woken."""


def proposal(desk: Desk) -> Flow:
    """Park until decided or expired; the decision itself was committed by whoever made it."""

    async def body(do: Verbs, ident: str) -> None:
        first = await do.step("wait", desk.approvals.await_state, ident)
        state = first["state"]
        if state == "waiting":
            said = await do.wait_for("decision", first["seconds"])
            state = (said or await do.step("expire", desk.approvals.expire, ident))["state"]
        if state != "approved":
            return
        if first["noun"] == "change":
            while (await do.step("apply", desk.apply_change, ident)).get("wait"):
                await do.wait_for("bundle", BUNDLE_LOOK)
        else:
            await do.step("intend", desk.effects.intend, ident)

    return Flow("proposal", body, parks=True)
