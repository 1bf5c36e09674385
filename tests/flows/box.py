"""A mailbox in memory behind the connector contract: what is put into its folders is what a server would show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from email.message import EmailMessage
from typing import Any

from soloist.kernel.hashing import sha256
from soloist.sdk import Arrival, Base, Ctx, Hint, Manifest, Operation, Page, Plan, Stream, Trouble
from soloist.sdk.folders import MESSAGE
from soloist.sdk.mail import OPERATION, render

PAGE = 3


class Box(Base):
    """Live and past streams over plain lists; the cursor is how many were read."""

    kind = "mail"
    manifest = Manifest(title="A mailbox in memory", observes_first=True)

    def __init__(self) -> None:
        self.folders: dict[str, list[bytes]] = {"inbox": [], "sent": [], "past-inbox": [], "past-sent": []}
        self.trouble: Trouble | None = None
        self.came = asyncio.Event()
        self.cut_after = -1
        self.later: set[str] = set()
        self.sent_every = 0.05

    def put(self, folder: str, message: EmailMessage) -> None:
        self.folders[folder].append(message.as_bytes())
        self.came.set()

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        return {
            OPERATION: Operation(
                OPERATION, "C", split="to", hold=ctx.settings["hold"], way_back="a correction can follow"
            )
        }

    def streams(self, ctx: Ctx) -> Mapping[str, Stream]:
        return {
            "inbox": Stream("inbox", every=30.0, watched=True),
            "sent": Stream("sent", direction="out", every=self.sent_every),
            "past-inbox": Stream("past-inbox", past=True, every=0.05),
            "past-sent": Stream("past-sent", direction="out", past=True, every=0.05),
        }

    async def pull(self, ctx: Ctx, stream: str, cursor: str) -> AsyncIterator[Page]:
        if self.trouble:
            raise self.trouble
        if stream in self.later:
            raise Trouble("unavailable", "The server is busy.")
        held, at = self.folders[stream], int(cursor or 0)
        while True:
            some = held[at : at + PAGE]
            if self.cut_after == at and some:
                self.cut_after = -1
                raise Trouble("unavailable", "The line broke in the middle.")
            at += len(some)
            found = tuple(Arrival(f"raw@{sha256(raw)}", MESSAGE, raw, place=f"{stream}/1/{at}") for raw in some)
            yield Page(found, str(at), complete=at >= len(held), total=len(held))
            if at >= len(held):
                return

    async def watch(self, ctx: Ctx, stream: str) -> AsyncIterator[Hint]:
        while True:
            await self.came.wait()
            self.came.clear()
            yield Hint("new mail")

    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        mail = render(payload, key, created_at, sender=ctx.settings["sender"], domain=ctx.home_domain)
        return Plan(self.operations(ctx)[operation], key, mail.message, mail.preview)
