"""Maildir: mail goes out as a file another program sends on, and comes in as files another program delivered.

Out is class B: the file's name is our key, so a look-up is a look at the folder. In moves a message from ``new`` to
``cur`` only after it was committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from soloist.plugins.connectors.maildir.inventory import lying
from soloist.sdk import (
    Absent,
    Arrival,
    Base,
    CannotTell,
    Ctx,
    Done,
    Found,
    Health,
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
)
from soloist.sdk.connector import Files
from soloist.sdk.folders import LOOK_EVERY, PAGE, granted, health, page
from soloist.sdk.mail import CONTROL, OPERATION, WORDS, render, safe_key


class Maildir(Base):
    """The adapter; ``direction`` in the settings says whether this folder is read or written."""

    kind = "maildir"
    manifest = Manifest(
        title="Mail folder (maildir)",
        capabilities=("mail", "spool"),
        files="folder",
        quality="gold",
        consistency="A mail lies in the folder at once and until the program that sends it on takes it away; one that "
        "is no longer there was taken, so only what is there is compared.",
        inventory=(OPERATION,),
    )

    def streams(self, ctx: Ctx) -> Mapping[str, Stream]:
        """One stream for an incoming folder; another program delivers into it, so it is looked at often."""
        return {"new": Stream("new", every=LOOK_EVERY)} if ctx.settings.get("direction") == "in" else {}

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        """``mail.send`` for an outgoing folder, nothing for an incoming one.

        No split: whatever sends the file on reads the recipients from its headers, so one file is one mail to all.
        """
        if ctx.settings.get("direction") != "out":
            return {}
        return {
            OPERATION: Operation(
                OPERATION,
                "B",
                lookup_lag=0.0,
                hold=float(ctx.settings.get("hold", 0.0)),
                undo="apology",
                primitive="send",
                audience="client",
                control=CONTROL,
                words=WORDS,
                way_back="a mail that has left cannot be called back; a correction can follow",
                summary="Put a mail into the outgoing mail folder.",
            )
        }

    async def check(self, ctx: Ctx) -> Health:
        """Whether the folder can be listed and its files read."""
        return health(ctx, "new")

    async def pull(self, ctx: Ctx, stream: str, cursor: str) -> AsyncIterator[Page]:
        """Every message in ``new``, in pages; the folder itself is the cursor."""
        if ctx.settings.get("direction") != "in":
            return
        files, limit = granted(ctx), int(ctx.settings["max_bytes"])
        names = files.names("new")
        for start in range(0, len(names), PAGE):
            batch = names[start : start + PAGE]
            yield page(files, "new", batch, limit=limit, complete=start + PAGE >= len(names))

    def done_with(self, ctx: Ctx, arrival: Arrival) -> None:
        """The message was committed: it is no longer new."""
        files = granted(ctx)
        if files.exists("new", arrival.origin):
            flags = "" if ":2," in arrival.origin else ":2,"
            files.move("new", arrival.origin, f"cur/{arrival.origin}{flags}")

    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        """Render the mail; its bytes are the request."""
        if operation not in self.operations(ctx):
            raise ValueError(f"operation: {ctx.name} has no operation {operation!r}")
        mail = render(payload, key, created_at, sender=ctx.settings["sender"], domain=ctx.home_domain)
        return Plan(self.operations(ctx)[operation], key, mail.message, mail.preview, {"message_id": mail.message_id})

    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome:
        """Write the file; a file of that name is the same mail, so finding it there is success."""
        return await asyncio.to_thread(self._write, ctx, plan)

    async def find(self, ctx: Ctx, plan: Plan) -> Lookup:
        """Look for the file in ``new`` and, with any flags, in ``cur``."""
        try:
            return await asyncio.to_thread(self._look, ctx, plan)
        except OSError as error:
            return CannotTell(f"the folder {ctx.settings.get('folder')} cannot be read: {error.strerror}")

    async def inventory(self, ctx: Ctx, operation: str, since: datetime) -> AsyncIterator[Thing]:
        """The mails that lie in ``new`` and ``cur`` (Trouble when the folder cannot be read)."""
        async for found in lying(ctx, since):
            yield found

    def _write(self, ctx: Ctx, plan: Plan) -> Outcome:
        """The slow half of ``execute``: it waits for the disk."""
        name = file_name(plan)
        try:
            fresh = not isinstance(self._look(ctx, plan), Found) and granted(ctx).write_new("new", name, plan.request)
        except OSError as error:
            return _after_trouble(granted(ctx), name, error)
        return Done(Receipt(str(plan.data["message_id"]), "written" if fresh else "was already there"))

    def _look(self, ctx: Ctx, plan: Plan) -> Lookup:
        name = file_name(plan)
        for folder in ("new", "cur"):
            if any(found == name or found.startswith(f"{name}:2,") for found in granted(ctx).names(folder)):
                return Found(Receipt(str(plan.data["message_id"]), f"{folder}/{name}"))
        return Absent(f"no file {name} in new or cur of {ctx.settings.get('folder')}")


def file_name(plan: Plan) -> str:
    """The name of a mail's file, derived from its key."""
    return f"{safe_key(plan.key)}.soloist"


def _after_trouble(files: Files, name: str, error: OSError) -> Outcome:
    """The disk refused: nothing left unless the file is there after all."""
    reason = f"the mail could not be written: {error.strerror or error}"
    try:
        there = files.exists("new", name)
    except OSError:
        there = False
    if there:
        raise error  # written but perhaps not on disk: the core must treat it as unknown and look it up
    return Refused(reason, retry_after=60.0)


CONNECTOR = Maildir()
