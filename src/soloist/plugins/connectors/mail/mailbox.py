"""The reading side of a mailbox: its check, pages and hints, and its folder of sent mail; it sends nothing.

It is loaded only by homes that have a mailbox, since the library it stands on takes long to load.
"""

from __future__ import annotations

import contextlib
import email.header
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Literal

from soloist.plugins.connectors.mail import reading
from soloist.plugins.connectors.mail.idle import listen
from soloist.plugins.connectors.mail.imap import Line
from soloist.plugins.connectors.mail.lines import Lines, in_thread
from soloist.plugins.connectors.mail.sent import keep, look_up, sent_folder
from soloist.plugins.connectors.mail.tokens import Tokens
from soloist.sdk import Absent, CannotTell, Ctx, Found, Health, Hint, Lookup, Page, Receipt, Trouble
from soloist.sdk.durations import seconds

SAMPLES = 5
"""Subjects shown by a check."""
NO_SENT = '{"sent": ""}'
"""Cursor of a sent stream whose mailbox has no such folder."""


@dataclass(frozen=True)
class Part:
    """What a stream's name says: ``kind`` is inbox or sent."""

    kind: str
    past: bool
    folder: str

    @staticmethod
    def of(stream: str) -> Part:
        """ValueError for a name that no stream has."""
        kind, _, folder = stream.removeprefix("past:").partition(":")
        if kind not in ("inbox", "sent"):
            raise ValueError(f"stream: there is no stream {stream!r}")
        return Part(kind, stream.startswith("past:"), folder)


class Mailbox:
    """Everything over IMAP; the connections are kept in ``lines``."""

    def __init__(self, tokens: Tokens) -> None:
        """``tokens`` are shared with the sending side."""
        self.lines = Lines(tokens)
        self.no_push: set[tuple[object, ...]] = set()
        self.no_sent: set[tuple[object, ...]] = set()
        self._borders = reading.Borders()

    async def check(self, ctx: Ctx) -> Health:
        """Sign in on a line of its own, list the folders, read the newest subjects."""
        try:
            return await self.lines.once(ctx, partial(self._looked, ctx))
        except Trouble as fault:
            return Health(_state(fault), fault.reason)

    def _looked(self, ctx: Ctx, line: Line) -> Health:
        there = {name for _, _, name in line.folders()}
        wanted = [*folders(ctx), *filter(None, [str(ctx.settings.get("sent_folder") or "")])]
        missing = [name for name in wanted if name not in there and name.upper() != "INBOX"]
        if missing:
            known = ", ".join(sorted(there)[:20])
            return Health("degraded", f"There is no folder {', '.join(missing)}; there are {known}.", remote=line.name)
        self._sent(ctx, line)
        self._note(self.no_push, ctx, not line.can("IDLE"))
        raw = reading.subjects(line, folders(ctx)[0], SAMPLES)
        return Health("ok", samples=tuple(readable(subject) for subject in raw), remote=line.name)

    async def pages(self, ctx: Ctx, stream: str, cursor: str) -> AsyncIterator[Page]:
        """The pages of one stream to its end; Trouble when the server fails, the cursor then stays where it was."""
        what, first = Part.of(stream), True
        purpose = f"past {what.kind}" if what.past else f"live {stream}"
        while True:
            page = await self.lines.use(ctx, purpose, partial(self._page, ctx, what, cursor, first=first))
            yield page
            if page.complete:
                return
            cursor, first = page.cursor, False

    def _page(self, ctx: Ctx, what: Part, cursor: str, line: Line, *, first: bool) -> Page:
        """One page; what is new in the folder is asked once a pull, since that is slow on a large one."""
        folder = what.folder
        if what.kind == "sent":
            folder = self._sent(ctx, line)
            if not folder:
                note = "" if cursor == NO_SENT else "There is no folder for sent mail, so answers are not seen there."
                return Page((), NO_SENT, note=note)
        cursor = "" if cursor == NO_SENT else cursor
        limits = reading.Limits(
            int(ctx.settings["max_bytes"]),
            ctx.clock() - timedelta(seconds=seconds(str(ctx.settings.get("back_fill") or "90d"))),
            partial(self._borders.fix, mailbox_key(ctx)),
        )
        take = reading.past_page if what.past else reading.live_page
        return take(line, line.examine(folder) if first else line.folder(folder), cursor, limits)

    async def hints(self, ctx: Ctx, stream: str) -> AsyncIterator[Hint]:
        """A hint when the server pushes; ends at once where it cannot. Trouble when the line breaks."""
        what = Part.of(stream)
        line = await self.lines.fresh(ctx)
        try:
            if not await in_thread(line, partial(self._ready, ctx, what)):
                return
            async for why in listen(line):
                yield Hint(why)
        finally:
            line.drop()

    def _ready(self, ctx: Ctx, what: Part, line: Line) -> bool:
        """Open the folder to be listened to; False when there is no push or no folder."""
        self._note(self.no_push, ctx, not line.can("IDLE"))
        folder = self._sent(ctx, line) if what.kind == "sent" else what.folder
        if not folder or not line.can("IDLE"):
            return False
        line.examine(folder)
        return True

    async def keep(self, ctx: Ctx, message: bytes, message_id: str) -> str:
        """Put a copy of a mail that was sent into the folder of sent mail; what became of it, in words."""

        def work(line: Line) -> str:
            folder = self._sent(ctx, line)
            return keep(line, folder, message, message_id) if folder else "there is no folder for sent mail"

        try:
            return await self.lines.use(ctx, "sent", work)
        except Trouble as fault:
            return f"no copy could be put into the folder of sent mail: {fault.reason}"

    async def find(self, ctx: Ctx, message_id: str) -> Lookup:
        """Look a mail up among the sent ones; that it is absent proves nothing."""

        def work(line: Line) -> tuple[str, str]:
            folder = self._sent(ctx, line)
            return folder, look_up(line, folder, message_id) if folder else ""

        try:
            folder, place = await self.lines.use(ctx, "sent", work)
        except Trouble as fault:
            return CannotTell(fault.reason)
        if place:
            return Found(Receipt(message_id, f"found in {folder}"))
        if not folder:
            return CannotTell("There is no folder for sent mail; it may have been delivered.")
        return Absent(f"not in {folder}")

    def _sent(self, ctx: Ctx, line: Line) -> str:
        line.sent = line.sent or sent_folder(line, str(ctx.settings.get("sent_folder") or ""))
        folder = line.sent
        self._note(self.no_sent, ctx, not folder)
        return folder

    @staticmethod
    def _note(known: set[tuple[object, ...]], ctx: Ctx, lacks: bool) -> None:
        """Remember what a server lacks, so that streams and operations do not promise it."""
        (known.add if lacks else known.discard)(mailbox_key(ctx))


def folders(ctx: Ctx) -> list[str]:
    """The folders that are read."""
    return [str(name) for name in ctx.settings.get("folders") or ["INBOX"]]


def mailbox_key(ctx: Ctx) -> tuple[object, ...]:
    """One mailbox of one home."""
    own = ctx.settings
    return (ctx.name, ctx.home_domain, own.get("imap_host"), own.get("imap_port"), own.get("username"))


def readable(header: bytes) -> str:
    """A raw Subject line as one line of at most 100 characters."""
    text = header.decode("utf-8", "replace").partition(":")[2]
    with contextlib.suppress(LookupError, ValueError, email.errors.MessageError):  # then it is shown as it came
        text = str(email.header.make_header(email.header.decode_header(re.sub(r"\r?\n[ \t]*", " ", text).strip())))
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= 100 else text[:99] + "…"


def _state(fault: Trouble) -> Literal["degraded", "auth", "down"]:
    if fault.fault in ("auth", "forbidden"):
        return "auth"
    return "degraded" if fault.fault == "not_found" else "down"
