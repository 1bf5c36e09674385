"""Mail: a mailbox read over IMAP and sent from over SMTP (kind "mail"), and a server that only sends (kind "smtp").

Sending is class B': a mail that is among the sent ones was sent; that it is not there proves nothing, so a person
decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from soloist.plugins.connectors.mail.relay import WAY_BACK, Smtp, greeted, hand_over, not_signed_in, prepared
from soloist.plugins.connectors.mail.server import Credential, Server, password
from soloist.plugins.connectors.mail.tokens import Tokens
from soloist.sdk import (
    Base,
    CannotTell,
    Ctx,
    Done,
    Health,
    Hint,
    Lookup,
    Manifest,
    Operation,
    Outcome,
    Page,
    Plan,
    Receipt,
    Refused,
    Stream,
    Thing,
    Trouble,
)
from soloist.sdk.connector import EffectClass
from soloist.sdk.durations import seconds
from soloist.sdk.mail import CONTROL, OPERATION, WORDS

if TYPE_CHECKING:
    from soloist.plugins.connectors.mail.mailbox import Mailbox

T = TypeVar("T")

TIMEOUT = 180.0
"""Seconds for sending and keeping a copy; each phase has its own, shorter limit."""
KEEP_THEMSELVES = ("google", "microsoft")
"""Providers that put what they send into the folder of sent mail."""


class Mail(Base):
    """The adapter: streams for the folders that are read and for sent mail, live and past, and ``mail.send``."""

    kind = "mail"
    manifest = Manifest(
        title="Mailbox (IMAP and SMTP)",
        capabilities=("mail",),
        dials=(("imap_host", "imap_port"), ("smtp_host", "smtp_port")),
        urls=("token_url",),
        secrets=("password_secret", "refresh_secret", "client_secret"),
        auth=("password", "xoauth2"),
        per_second=5,
        per_minute=120,
        observes_first=True,
        quality="gold",
        consistency="Sent follows within a minute; deletions there are not followed. What you send with another "
        "program is yours and is never taken for a difference.",
        inventory=(OPERATION,),
    )

    def __init__(self) -> None:
        self._tokens = Tokens()
        self._made: Mailbox | None = None

    @property
    def mailbox(self) -> Mailbox:
        """The reading side, loaded when a home first needs it."""
        if self._made is None:
            from soloist.plugins.connectors.mail.mailbox import Mailbox  # start-up time: not every home has a mailbox

            self._made = Mailbox(self._tokens)
        return self._made

    def streams(self, ctx: Ctx) -> Mapping[str, Stream]:
        """``inbox:FOLDER`` and ``sent``, and each with ``past:`` before it; what a server turned out to lack is gone.

        Live streams stand first and want their first cursor before the past ones.
        """
        every, pushed = seconds(str(ctx.settings.get("poll") or "60s")), not self._lacks("no_push", ctx)
        names = [f"inbox:{folder}" for folder in ctx.settings.get("folders") or ["INBOX"]]
        directions = dict.fromkeys(names, "in") | ({} if self._lacks("no_sent", ctx) else {"sent": "out"})
        live = {n: Stream(n, d, every=every, watched=pushed) for n, d in directions.items()}  # type: ignore[arg-type]  # a dict of words
        past = {f"past:{n}": replace(s, name=f"past:{n}", past=True, watched=False) for n, s in live.items()}
        return live | past

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        """``mail.send``, one effect for each recipient; class C where no folder of sent mail could show it."""
        shown = self._keeps(ctx) or ctx.settings.get("provider") in KEEP_THEMSELVES
        grade: EffectClass = "B'" if shown and not self._lacks("no_sent", ctx) else "C"
        return {
            OPERATION: Operation(
                OPERATION,
                grade,
                lookup_lag=5.0,
                timeout=TIMEOUT,
                hold=float(ctx.settings.get("hold", 0.0)),
                split="to",
                undo="apology",
                way_back=WAY_BACK,
                primitive="send",
                audience="client",
                control=CONTROL,
                words=WORDS,
                summary="Send a mail from your mailbox.",
            )
        }

    async def check(self, ctx: Ctx) -> Health:
        """Sign in to both servers; no mail is begun. The newest subjects show whose mailbox it is."""
        found = await self.mailbox.check(ctx)
        if found.state not in ("ok", "degraded"):
            return found
        try:
            sending = await self._with_credential(ctx, lambda credential: greeted(ctx, credential))
        except Trouble as fault:
            return Health("auth", fault.reason)
        skew = self._tokens.skew(ctx) if ctx.settings.get("auth") == "xoauth2" else 0.0
        if sending.state != "ok":
            detail = f"Reading works, sending does not. {sending.detail}"
            return replace(found, state=sending.state, detail=detail, skew=skew)
        return replace(found, skew=skew)

    async def pull(self, ctx: Ctx, stream: str, cursor: str) -> AsyncIterator[Page]:
        """The pages of one stream from a cursor to its end for now."""
        async for page in self.mailbox.pages(ctx, stream, cursor):
            yield page

    async def watch(self, ctx: Ctx, stream: str) -> AsyncIterator[Hint]:
        """A hint when it listens and at every arrival; nothing where the server does not push."""
        hints = self.mailbox.hints(ctx, stream)
        try:
            async for hint in hints:
                yield hint
        finally:
            await hints.aclose()  # type: ignore[attr-defined]  # it is a generator: the line closes now, not at some time

    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        """Render the mail; ValueError for another operation."""
        if operation != OPERATION:
            raise ValueError(f"operation: {ctx.name} has no operation {operation!r}")
        return prepared(self.operations(ctx)[operation], ctx, payload, key, created_at)

    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome:
        """Send once, then keep a copy; a copy that fails does not undo the sending."""
        try:
            outcome = await self._with_credential(ctx, lambda credential: hand_over(ctx, plan, credential))
        except Trouble as fault:
            return not_signed_in(fault)
        if not isinstance(outcome, Done) or not self._keeps(ctx):
            return outcome
        kept = await self.mailbox.keep(ctx, plan.request, str(plan.data["message_id"]))
        return Done(Receipt(outcome.receipt.provider_ref, f"{outcome.receipt.detail}; {kept}"))

    async def find(self, ctx: Ctx, plan: Plan) -> Lookup:
        """Whether the mail is among the sent ones; that it is not there proves nothing (class B')."""
        if plan.operation.effect_class == "C":
            return CannotTell("No folder of sent mail shows what was sent; it may have been delivered.")
        return await self.mailbox.find(ctx, str(plan.data["message_id"]))

    async def inventory(self, ctx: Ctx, operation: str, since: datetime) -> AsyncIterator[Thing]:
        """The mails in the folder of sent mail (Trouble when there is none or no answer)."""
        from soloist.plugins.connectors.mail.inventory import sent  # start-up time: not every home has a mailbox

        async for found in sent(self.mailbox, ctx, since):
            yield found

    async def close(self) -> None:
        """Leave every open line."""
        if self._made is not None:
            await self._made.lines.close()

    async def _with_credential(self, ctx: Ctx, work: Callable[[Credential], Awaitable[T]]) -> T:
        """Sign in and do it; a token from memory that is refused is fetched anew, once, before anything was sent."""
        if ctx.settings.get("auth") != "xoauth2":
            return await work(self._password(ctx))
        credential, old = await self._tokens.credential(ctx)
        outcome = await work(credential)
        refused = (
            outcome.auth if isinstance(outcome, Refused) else isinstance(outcome, Health) and outcome.state == "auth"
        )
        if old and refused:
            credential, _ = await self._tokens.credential(ctx, fresh=True)
            return await work(credential)
        return outcome

    @staticmethod
    def _password(ctx: Ctx) -> Credential:
        return password(ctx, Server.of(ctx.settings, "smtp").host)

    @staticmethod
    def _keeps(ctx: Ctx) -> bool:
        """Whether the copy is ours to put there."""
        wish = ctx.settings.get("keep_sent") or "auto"
        return wish == "yes" or (wish == "auto" and ctx.settings.get("provider") not in KEEP_THEMSELVES)

    def _lacks(self, what: str, ctx: Ctx) -> bool:
        if self._made is None:
            return False
        from soloist.plugins.connectors.mail.mailbox import mailbox_key

        return mailbox_key(ctx) in getattr(self._made, what)


CONNECTORS = (Mail(), Smtp())
