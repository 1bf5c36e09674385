"""Sending only: hands mail to a server for good; with neither key nor look-up an unclear end is a person's matter.

Class C: only the span between the last byte of the message and the server's reply is unknown; everything before it
is certainly not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.plugins.connectors.mail.server import Credential, Server, password
from soloist.plugins.connectors.mail.talk import Refusal, Silence, send
from soloist.sdk import (
    Base,
    Ctx,
    Done,
    Health,
    Manifest,
    NotSent,
    Operation,
    Outcome,
    Plan,
    Receipt,
    Refused,
    Trouble,
    Unknown,
)
from soloist.sdk.mail import CONTROL, OPERATION, WORDS, render

TIMEOUT = 120.0
"""Seconds for the whole conversation; each phase has its own, shorter limit in ``talk``."""
WAY_BACK = "a mail that has left cannot be called back; a correction can follow"


def prepared(operation: Operation, ctx: Ctx, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
    """Render the mail; its bytes are the request, the envelope travels beside them."""
    mail = render(payload, key, created_at, sender=ctx.settings["sender"], domain=ctx.home_domain)
    data = {"sender": mail.sender, "recipients": list(mail.recipients), "message_id": mail.message_id}
    return Plan(operation, key, mail.message, mail.preview, data)


async def hand_over(ctx: Ctx, plan: Plan, credential: Credential) -> Outcome:
    """Send once. Refused: certainly not sent. Unknown: the message was handed over and no clear reply came."""
    try:
        reply = await send(ctx, plan, credential)
    except NotSent as error:
        return Refused(str(error), retry_after=60.0)
    except Refusal as refusal:
        return Refused(refusal.reason, retry_after=refusal.retry_after, auth=refusal.auth, evidence=refusal.evidence)
    except Silence as silence:
        return Unknown(str(silence), silence.evidence)
    return Done(Receipt(str(plan.data["message_id"]), reply))


def not_signed_in(fault: Trouble) -> Refused:
    """A sign-in that failed before anything was said to the mail server."""
    return Refused(fault.reason, retry_after=fault.retry_after, auth=fault.fault == "auth")


async def greeted(ctx: Ctx, credential: Credential) -> Health:
    """Sign in and leave; no mail is begun."""
    try:
        await send(ctx, None, credential)
    except Refusal as refusal:
        return Health("auth" if refusal.auth else "down", refusal.reason)
    except NotSent as error:
        return Health("down", str(error))
    return Health("ok")


class Smtp(Base):
    """The adapter: one conversation, by hand, so that each phase's failure is known for what it is."""

    kind = "smtp"
    manifest = Manifest(
        title="Mail server (SMTP, sending only)",
        capabilities=("mail",),
        dials=(("host", "port"),),
        secrets=("password_secret",),
        auth=("password",),
        per_second=5,
        per_minute=120,
        quality="silver",
    )

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        """``mail.send``, one effect for each recipient."""
        return {
            OPERATION: Operation(
                OPERATION,
                "C",
                timeout=TIMEOUT,
                hold=float(ctx.settings.get("hold", 0.0)),
                split="to",
                undo="apology",
                way_back=WAY_BACK,
                primitive="send",
                audience="client",
                control=CONTROL,
                words=WORDS,
                summary="Send a mail through your mail server.",
            )
        }

    async def check(self, ctx: Ctx) -> Health:
        """Sign in and leave; no mail is begun."""
        try:
            return await greeted(ctx, _credential(ctx))
        except Trouble as fault:
            return Health("auth", fault.reason)

    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        """Render the mail; ValueError for another operation."""
        if operation != OPERATION:
            raise ValueError(f"operation: {ctx.name} has no operation {operation!r}")
        return prepared(self.operations(ctx)[operation], ctx, payload, key, created_at)

    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome:
        """Send once."""
        try:
            credential = _credential(ctx)
        except Trouble as fault:
            return not_signed_in(fault)
        return await hand_over(ctx, plan, credential)


def _credential(ctx: Ctx) -> Credential:
    """Without a user name none is needed."""
    return password(ctx, Server.of(ctx.settings, "smtp").host) if ctx.settings.get("username") else Credential("", "")
