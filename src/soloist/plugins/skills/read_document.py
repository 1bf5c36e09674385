"""The skill ``read_document``: the text of a file that somebody sent, with what could not be read said in words.

It runs in the limited worker process; pages, bytes, time and what an archive unpacks to are bounded.
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.plugins.skills import _html, _mime, _office, _pdf, _tables
from soloist.sdk import skill

MOST = 2_000_000
_UNKNOWN = "This is no PDF, no office file, no web page and no text; it was not read."


class In(Frozen):
    """How to read: ``layout`` keeps what stands side by side on a page in one line.

    ``part`` is the file's place in a raw mail when the mail is given, -1 when the file itself is.
    """

    layout: bool = False
    pages: int = Field(default=_pdf.MOST_PAGES, ge=1, le=_pdf.MOST_PAGES)
    part: int = Field(default=-1, ge=-1)


class Part(Frozen):
    """A page or a sheet: its name and where it stands in the text."""

    name: str
    start: int
    end: int


class Out(Frozen):
    """The text; ``readable`` is false when there is none, and ``faults`` say what was not read and why."""

    kind: Literal["pdf", "docx", "odt", "xlsx", "ods", "html", "csv", "text", "unknown"]
    text: str = ""
    parts: list[Part] = Field(default=[])
    readable: bool = False
    truncated: bool = False
    attached: list[str] = Field(default=[])
    faults: list[str] = Field(default=[])


@skill("read_document", version="1")
def read_document(value: In, blob: bytes) -> Out:
    """Read the text of a PDF, an office file, a table, a web page or a plain text."""
    if value.part >= 0:
        blob = _mime.part_bytes(blob, value.part)[2]
    head = blob[:1024]
    if b"%PDF-" in head:
        return _of_pdf(value, blob)
    if head.startswith(b"PK\x03\x04"):
        return _of_office(blob)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return Out(kind="unknown", faults=["This is an office file of before 2007 or a locked one; it was not read."])
    if not blob.strip():
        return Out(kind="unknown", faults=["The file is empty."])
    if _binary(head):
        return Out(kind="unknown", faults=[_UNKNOWN])
    text, _ = _tables.decoded(blob[: MOST * 2])
    if re.match(
        r"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype html|html|head|body|div|p|table)\b", text, re.IGNORECASE | re.DOTALL
    ):
        plain, hid = _html.to_text(text)
        return _out("html", [("", plain)], ["Text that its style hides was left out."] if hid else [])
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _out("csv" if _is_table(text) else "text", [("", text)], [], cut=len(blob) > MOST * 2)


def _binary(head: bytes) -> bool:
    """Whether bytes are no text: zeros without the mark of UTF-16, or many control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    control = sum(byte < 9 or 13 < byte < 32 for byte in head)
    zeros = head.count(0)
    even = zeros * 2.2 > len(head) and len(set(head[1::2])) * len(set(head[0::2])) < 400
    return control * 20 > len(head) and not even


def _is_table(text: str) -> bool:
    """Whether the first lines have the same number of delimiters, and some."""
    lines = [line for line in text.split("\n")[:12] if line.strip()]
    for mark in ";\t,|":
        counts = {line.count(mark) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0} and (mark != "," or max(counts) > 1):
            return True
    return False


def _of_pdf(value: In, blob: bytes) -> Out:
    pdf = _pdf.read(blob, layout=value.layout, most_pages=value.pages, attachments=True)
    found = _out("pdf", [(f"page {number}", text) for number, text in enumerate(pdf.pages, 1)], pdf.faults)
    return found.model_copy(
        update={"truncated": found.truncated or pdf.truncated, "attached": [name[:200] for name in pdf.attached]}
    )


def _of_office(blob: bytes) -> Out:
    try:
        found = _office.read(blob)
    except _office.Unfit as error:
        return Out(kind="unknown", faults=[str(error)])
    return _out(found.kind, found.texts, found.faults)


def _out(kind: str, texts: list[tuple[str, str]], faults: list[str], *, cut: bool = False) -> Out:
    """Parts put together into one text with their places."""
    whole, parts = "", []
    for name, text in texts:
        whole += "\n\n" if whole else ""
        taken = text[: max(0, MOST - len(whole))]
        cut = cut or len(taken) < len(text)
        parts.append(Part(name=name, start=len(whole), end=len(whole) + len(taken)))
        whole += taken
    readable = bool(whole.strip())
    told = [*faults] if readable or faults else ["There is no text in this file."]
    if cut:
        told.append(f"Only the first {MOST} characters were read.")
    return Out.model_validate(
        {"kind": kind, "text": whole, "parts": parts, "readable": readable, "truncated": cut, "faults": told[:50]}
    )
