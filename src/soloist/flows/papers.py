"""Papers: files that came with a message are read in the limited worker, remembered, and handed to billing.

What cannot be read leaves a note with the message; the file itself stays in the stored mail, whatever happens here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from soloist.engine.store import assets, conversations, runs
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.remembering import remember
from soloist.flows.tending import MINUTES_FOUND, minutes
from soloist.kernel.errors import SoloistError
from soloist.kernel.memory import NewMemory
from soloist.kernel.origin import Origin
from soloist.kernel.work import WorkItem
from soloist.stages.memory import writing

MOST_FILES = 12
"""Files of one message that are read; the others keep their pointer and say so."""
MOST_BYTES = 20 * 1024 * 1024
"""Size of one file that is read."""
TIMEOUT = 20.0
"""Seconds for one file; then it counts as unreadable, and the worker begins afresh."""
CALENDAR = "text/calendar"
_NO_WORDS = ("image/", "audio/", "video/", "font/", "multipart/")
_XML = ("application/xml", "text/xml", "application/vnd.oasis.ubl+xml")
_INVOICES = ("invoice", "credit_note", "correction", "reminder")
_ELECTRONIC = ("factur-x", "zugferd-1", "cii", "ubl")


@dataclass(frozen=True)
class Paper:
    """One file of a message after reading: where it is in the mail, its text, what could not be read, the invoice."""

    part: int
    name: str
    mime: str
    size: int
    kind: str = ""
    text: str = ""
    pages: Sequence[Mapping[str, Any]] = ()
    faults: tuple[str, ...] = ()
    invoice: Mapping[str, Any] | None = None

    @property
    def note(self) -> dict[str, Any]:
        """What is kept beside the pointer to the file: {kind, characters, note, invoice}."""
        said = " ".join(self.faults)[:400]
        number = ((self.invoice or {}).get("invoice", {}).get("number") or {}).get("value", "")
        return {"kind": self.kind, "characters": len(self.text), "note": said, "invoice": str(number)[:60]}


class Papers:
    """Reads the files of one message under the contracts of intake and billing."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk

    async def read(self, run: str, message: Mapping[str, Any]) -> list[Paper]:
        """Every file of a message that has words; repeating it is harmless."""
        if not message["asset"]:
            return []
        raw = await self._desk.store.read(lambda conn: assets.load(conn, self._desk.home.assets, message["asset"]))
        found: list[Paper] = []
        for file in message["attachments"] or []:
            paper = Paper(int(file["part"]), str(file["name"]), str(file["mime"]), int(file["size"]))
            if not _has_words(paper):
                continue
            if len(found) >= MOST_FILES:
                why = f"Only {MOST_FILES} files of a mail are read; this one is kept with it."
            elif paper.size > MOST_BYTES:
                why = f"The file is larger than {MOST_BYTES // 1024 // 1024} MB; it is kept and was not read."
            else:
                found.append(await self._one(run, message, paper, raw))
                continue
            found.append(replace(paper, faults=(why,)))
        return found

    async def _one(self, run: str, message: Mapping[str, Any], paper: Paper, raw: bytes) -> Paper:
        """One file: its words, and its fields when it is an invoice."""
        try:
            told = await self._skill(run, message, ("intake", "read_document"), paper.part, raw)
        except SoloistError as error:
            return replace(paper, faults=(f"The file could not be read: {error.detail}",))
        xml = paper.mime in _XML or paper.name.lower().endswith(".xml")
        read = replace(
            paper,
            kind="xml" if xml else str(told["kind"]),
            text=str(told["text"]) if told["readable"] else "",
            pages=tuple(told["parts"]),
            faults=tuple(told["faults"]),
        )
        if not xml and read.kind not in ("pdf", "text"):
            return read
        try:
            invoice = await self._skill(run, message, ("billing", "read_invoice"), paper.part, raw)
        except SoloistError as error:
            return replace(read, faults=(*read.faults, f"It was not read as an invoice: {error.detail}"))
        return replace(read, invoice=invoice) if is_invoice(invoice) else read

    async def _skill(
        self, run: str, message: Mapping[str, Any], who: tuple[str, str], part: int, raw: bytes
    ) -> Mapping[str, Any]:
        """One skill of an agent on one part of the mail."""
        agent, skill = who
        item = WorkItem(
            run,
            f"papers {part} {skill}",
            agent,
            skill,
            {"part": part},
            wanted="the words and fields of a file that came with a message",
            timeout=TIMEOUT,
            origin=Origin(frozenset({"outside"}), frozenset({f"message:{message['id']}", f"asset:{message['asset']}"})),
            flow="intake",
            blob=raw,
        )
        return (await self._desk.runtime.work(item)).value

    def keep(self, tx: Tx, run: str, message: Mapping[str, Any], read: Sequence[Paper], record: str) -> list[str]:
        """Note with the message what was read, and remember the words; answers the ids of what is remembered."""
        notes = {paper.part: paper.note for paper in read}
        for paper in read:
            if minutes(re.sub(r"[_.-]+", " ", paper.name), paper.text):
                notes[paper.part]["minutes"] = True
        files = [{**file, "read": notes.get(int(file["part"]))} for file in message["attachments"] or []]
        conversations.update_message(tx, message["id"], attachments=files)
        items = [item for paper in read if paper.text.strip() for item in items_of(message, paper, record)]
        kept = remember(tx, items, actor="soloist", run=run) if items else []
        if any(note.get("minutes") for note in notes.values()):
            tx.append(MINUTES_FOUND, subject=message["id"], run=run)
        return kept


def _has_words(paper: Paper) -> bool:
    """Whether a file may hold words; calendars are read by who makes appointments."""
    return paper.mime != CALENDAR and not paper.mime.startswith(_NO_WORDS) and paper.size > 0


def is_invoice(read: Mapping[str, Any]) -> bool:
    """Whether what was read is an invoice: electronic, or a paper that says so and names its number and its sum."""
    invoice = read["invoice"]
    if invoice["kind"] not in _INVOICES or not invoice["number"]:
        return False
    return invoice["format"] in _ELECTRONIC or bool(invoice["gross"] or invoice["payable"])


def items_of(message: Mapping[str, Any], paper: Paper, record: str) -> Iterator[NewMemory]:
    """A file as items of memory: a pointer with its best sentences, and its chunks, each with its page."""
    sender = str(message["sender"] or "")
    base = NewMemory(
        text="",
        source="mail:in",
        ref=f"document:{message['id']}#{paper.part}",
        at=message["at"],
        actor=str(message["sender_name"] or sender),
        thread=message["conversation"],
        record=record,
        asset=str(message["asset"]),
        origin=(f"{writing.OUTSIDE}:{sender}",),
        trust="unverified",
    )
    for item in writing.of_document(base, paper.name, paper.text, size=paper.size, mime=paper.mime):
        place = _page(paper, item.span[0]) if item.kind == "chunk" else ""
        kept = {**(item.detail or {}), "part": paper.part, "message": message["id"]}
        yield replace(item, detail=kept | ({"place": place} if place else {}))


def _page(paper: Paper, start: int) -> str:
    """The page or sheet a place of the text is on."""
    return next((str(page["name"]) for page in paper.pages if page["start"] <= start < page["end"]), "")


def take(papers: Papers, tx: Tx, run: str, given: tuple[Mapping[str, Any], Sequence[Paper], str]) -> dict[str, Any]:
    """Keep what was read once; answers {read, remembered}."""
    message, read, record = given
    return dict(
        runs.once(
            tx,
            run,
            "papers",
            lambda: {"read": len(read), "remembered": len(papers.keep(tx, run, message, read, record))},
            given={"message": message["id"]},
            detail={"files": [{"name": paper.name, **paper.note} for paper in read]},
        )
    )
