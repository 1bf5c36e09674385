"""SMTP: hands mail to a server for good; it has neither a key nor a look-up, so an unclear end is a person's matter.

Class C: only the span between the last byte of the message and the server's reply is unknown; everything before it
is certainly not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.plugins.connectors.smtp.talk import Refusal, Silence, send
from soloist.sdk import Base, Ctx, Done, Health, Manifest, NotSent, Operation, Outcome, Plan, Receipt, Refused, Unknown
from soloist.sdk.mail import OPERATION, render

TIMEOUT = 120.0
"""Seconds for the whole conversation; each phase has its own, shorter limit in ``talk``."""


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
                way_back="a mail that has left cannot be called back; a correction can follow",
                summary="Send a mail through your mail server.",
            )
        }

    async def check(self, ctx: Ctx) -> Health:
        """Sign in and leave; no mail is begun."""
        try:
            await send(ctx, None)
        except Refusal as refusal:
            return Health("auth" if refusal.auth else "down", refusal.reason)
        except NotSent as error:
            return Health("down", str(error))
        return Health("ok")

    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        """Render the mail; its bytes are the request, the envelope travels beside them."""
        if operation != OPERATION:
            raise ValueError(f"operation: {ctx.name} has no operation {operation!r}")
        mail = render(payload, key, created_at, sender=ctx.settings["sender"], domain=ctx.home_domain)
        data = {"sender": mail.sender, "recipients": list(mail.recipients), "message_id": mail.message_id}
        return Plan(self.operations(ctx)[operation], key, mail.message, mail.preview, data)

    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome:
        """Send once. Refused: certainly not sent. Unknown: the message was handed over and no clear reply came."""
        try:
            reply = await send(ctx, plan)
        except NotSent as error:
            return Refused(str(error), retry_after=60.0)
        except Refusal as refusal:
            return Refused(
                refusal.reason, retry_after=refusal.retry_after, auth=refusal.auth, evidence=refusal.evidence
            )
        except Silence as silence:
            return Unknown(str(silence), silence.evidence)
        return Done(Receipt(str(plan.data["message_id"]), reply))


CONNECTOR = Smtp()
