"""Skills read_mail and read_part: a raw mail as fields and text, one part of it as bytes; bad mail raises nothing.

They run in the limited worker process. Nothing is written to disk, fetched or unpacked; no address is proven.
"""

from __future__ import annotations

import base64
from email.message import Message

from pydantic import BaseModel, Field

from soloist.kernel.message import Address, ParsedMail
from soloist.plugins.skills import _automatic, _body, _headers, _mime
from soloist.sdk import skill

MAX_DEFECTS = 20


class MailIn(BaseModel):
    """Limits of one reading."""

    max_parts: int = Field(default=200, ge=1, le=_mime.MAX_PARTS, description="parts that are looked at")
    max_text: int = Field(default=200_000, ge=1, le=2_000_000, description="characters of text that are kept")


class PartIn(BaseModel):
    """Which part."""

    part: int = Field(ge=0, description="index in a depth-first walk, as in Attachment.part")


class PartOut(BaseModel):
    """One part, decoded, as base64 so that it crosses a pipe as JSON."""

    name: str
    mime: str
    base64: str


@skill("read_mail", version="2")
def read_mail(value: MailIn, blob: bytes) -> ParsedMail:
    """Read a raw mail (RFC 5322 bytes); what is broken or over a limit is listed in ``defects`` in plain words."""
    try:
        return _read(value, blob)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # the edge to outside bytes: a mail nobody foresaw must still reach the operator
        text = _headers.clean(blob[: value.max_text].decode("utf-8", "replace"))
        told = f"The mail could not be taken apart ({type(error).__name__}); it is shown as it came."
        return ParsedMail(text=text, defects=[told], truncated=len(blob) > value.max_text)


@skill("read_part", version="2")
def read_part(value: PartIn, blob: bytes) -> PartOut:
    """One part of a raw mail, decoded; BadInput when the mail has no such part."""
    name, mime, data = _mime.part_bytes(blob, value.part)
    return PartOut(name=name, mime=mime, base64=base64.b64encode(data).decode("ascii"))


def _read(value: MailIn, blob: bytes) -> ParsedMail:
    tree = _mime.parse(blob, value.max_parts)
    headers = tree.parts[0].headers
    if not blob.strip():
        tree.defect("The mail is empty.")
    sender = _sender(tree, headers)
    reply_to = next(iter(_headers.addresses(headers.get("reply-to", ""))), None)
    subject = _headers.words(headers.get("subject", ""))
    body = _body.read(tree, value.max_text)
    if body.cut:
        tree.defect(f"The text is longer than {value.max_text} characters and was cut.", cut=True)
    seen = _automatic.Seen(tree, sender, reply_to, subject, body.text)
    return ParsedMail(
        message_id=_message_id(headers),
        in_reply_to=next(iter(_headers.ids(headers.get("in-reply-to", ""))), ""),
        references=_headers.ids(headers.get("references", "")),
        sender=sender,
        reply_to=reply_to,
        to=_all_addresses(headers, "to"),
        cc=_all_addresses(headers, "cc"),
        subject=subject,
        date=_date(tree, headers),
        text=body.text,
        attachments=_body.attachments(tree, body.used),
        automatic=_automatic.classify(seen),
        defects=tree.defects[:MAX_DEFECTS],
        truncated=tree.cut,
    )


def _sender(tree: _mime.Tree, headers: Message) -> Address | None:
    """The first usable From address (else Sender); what is odd about it becomes a defect."""
    lines = headers.get_all("from", [])
    if len(lines) > 1:
        shown = "; ".join(_headers.words(one)[:100] for one in lines[:5])
        tree.defect(f"There are {len(lines)} From lines, and the first was used: {shown}.")
    found = [address for one in lines[:5] for address in _headers.addresses(one)]
    if not found:
        written = _headers.words(lines[0])[:100] if lines else ""
        tree.defect(f"The From line holds no mail address: {written}." if written else "The mail has no From line.")
        return next(iter(_headers.addresses(headers.get("sender", ""))), None)
    sender = found[0]
    if "@" in sender.name and sender.address.lower() not in sender.name.lower():
        tree.defect(f"The sender's name looks like another address than the one it came from: {sender.name[:100]}.")
    return sender


def _all_addresses(headers: Message, name: str) -> list[Address]:
    found = [address for one in headers.get_all(name, [])[:20] for address in _headers.addresses(one)]
    return found[: _headers.MAX_ADDRESSES]


def _message_id(headers: Message) -> str:
    written = headers.get("message-id", "")
    return next(iter(_headers.ids(written)), _headers.line(written).strip("<> ")[:995])


def _date(tree: _mime.Tree, headers: Message) -> str:
    written = headers.get("date", "")
    found = _headers.date(written)
    if written and not found:
        tree.defect(f"The date cannot be read: {_headers.words(written)[:60]}.")
    return found
