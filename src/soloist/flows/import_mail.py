"""Mail of former years from a mailbox file (mbox): only looked at, nothing is answered; then the review."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from soloist.engine.store import imports, runs
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.errors import BadInput
from soloist.kernel.hashing import sha256
from soloist.sdk import Arrival, Page, Stream
from soloist.sdk.folders import BEGINNING, MESSAGE, TOO_LARGE

AT_ONCE = 50
"""Mails of one transaction."""
_SENDER = re.compile(rb"^from:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


class Mailing:
    """Reads mailbox files into conversations, as the mail history of a connected mailbox is read."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk, self._store = desk, desk.store

    async def take(self, path: Path, *, who: str) -> str:
        """Read a whole file (BadInput when it is none); the id of the import. A second time adds what is new only."""
        with path.open("rb") as file:
            if not file.read(5) == b"From ":
                raise BadInput(f"{path.name} is no mailbox file: it does not begin with 'From '. Nothing was read.")
        values = {"state": "taking", "format": "mbox", "kind": "message", "name": path.name[-120:], "asset": ""}
        ident = await self._store.write(lambda tx: imports.create(tx, values, who=who))
        found = await self._read(ident, path)

        def end(tx: Tx) -> None:
            imports.move(tx, ident, ("taking",), "done", counts=found, report={"review": source(ident)})
            run = f"takeover:{source(ident)}"
            if not runs.exists(tx.conn, run):
                tx.start(run, "takeover", source(ident), subject=source(ident))

        await self._store.write(end)
        return ident

    async def _read(self, ident: str, path: Path) -> dict[str, int]:
        """Page by page; what is known already is not taken again."""
        own = self._own()
        counts = {"mails": 0, "new": 0}
        with path.open("rb") as file:
            waiting: dict[str, list[Arrival]] = {"in": [], "out": []}
            for raw in mails(file, self._desk.settings.mail.max_bytes):
                side = "out" if _sender_is(raw, own) else "in"
                cut = len(raw) > self._desk.settings.mail.max_bytes
                kind, kept = (TOO_LARGE, raw[:BEGINNING]) if cut else (MESSAGE, raw)
                waiting[side].append(Arrival(f"raw@{sha256(raw)}", kind, kept, origin=path.name))
                counts["mails"] += 1
                if len(waiting[side]) >= AT_ONCE:
                    counts["new"] += await self._page(ident, side, waiting[side], counts)
                    waiting[side] = []
            for side, arrivals in waiting.items():
                counts["new"] += await self._page(ident, side, arrivals, counts)
        return counts

    async def _page(self, ident: str, side: str, arrivals: list[Arrival], counts: dict[str, int]) -> int:
        """One page, and how far it is."""
        if not arrivals:
            return 0
        stream = Stream(f"past-{side}", direction="out" if side == "out" else "in", past=True)
        page = Page(tuple(arrivals), str(counts["mails"]), complete=False)
        fresh = await self._desk.intake.observe_page(source(ident), stream, page)
        await self._store.write(lambda tx: imports.put(tx, ident, counts=dict(counts)), full=False)
        return fresh

    def _own(self) -> list[bytes]:
        """The operator's own addresses: what they sent is known by them."""
        links = [half.address for half in self._desk.connections.values()]
        given = {*links, self._desk.settings.business.email}
        return [one.casefold().encode() for one in given if one]


def source(ident: str) -> str:
    """The name under which the mail of a file is kept, like that of a connected mailbox."""
    return f"mbox-{ident[-12:]}"


def mails(file: BinaryIO, most: int) -> Iterator[bytes]:
    """Every mail of a mailbox file; of one over ``most`` bytes the beginning."""
    lines: list[bytes] = []
    size, blank = 0, True
    for line in file:
        if blank and line.startswith(b"From "):
            if lines:
                yield _unquoted(lines)
            lines, size = [], 0
        elif size <= most:
            lines.append(line)
            size += len(line)
        blank = not line.strip()
    if lines:
        yield _unquoted(lines)


def _unquoted(lines: list[bytes]) -> bytes:
    return _QUOTED.sub(rb"\1", b"".join(lines))


def _sender_is(raw: bytes, own: list[bytes]) -> bool:
    """Whether the first line that names a sender names one of these addresses."""
    head = raw[:65536].partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    found = _SENDER.search(head)
    return found is not None and any(address in found[0].lower() for address in own)
