"""Pure decisions of intake: the row of a message, and which thread it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from soloist.config import Settings
from soloist.engine.store.clock import iso
from soloist.kernel.hashing import sha256
from soloist.kernel.inbound import plain_subject
from soloist.kernel.message import ParsedMail

ALIVE_DAYS = 30
"""How long a message with the same sender and subject but no thread headers still joins a conversation."""
MOST_REFS = 50
"""Message-IDs of one mail that are remembered for its thread."""
MOST_HEAD = 256 * 1024
"""Bytes of a mail in which its head is looked for."""
_RESULT = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*([a-z]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Threading:
    """What is looked up to find the thread of a message, in this order."""

    message_ids: Sequence[str]
    sender: str
    subject: str
    is_reply: bool


def threading(mail: ParsedMail) -> Threading:
    """The ids a mail points at (nearest first), and its sender and subject for mail without them."""
    ids = [mail.in_reply_to, *reversed(mail.references)] if mail.in_reply_to else list(reversed(mail.references))
    known = [mail.message_id, *ids]  # an answer to it may have been read before it
    subject = plain_subject(mail.subject)
    sender = mail.sender.address.casefold() if mail.sender else ""
    return Threading([i for i in known if i], sender, subject, bool(ids) or subject != mail.subject.strip().casefold())


def message_row(
    mail: ParsedMail, event: Mapping[str, Any], conversation: str, *, direction: str = "in", past: bool = False
) -> dict[str, Any]:
    """The stored form of a message; text stays text and keeps its origin through the event.

    ``at`` is when it reached us; for a mail from before Soloist it is the day its sender wrote on it, if that is past.
    """
    written = _instant(mail.date)
    return {
        "conversation": conversation,
        "event": event["id"],
        "direction": direction,
        "message_id": mail.message_id,
        "sender": mail.sender.address.casefold() if mail.sender else "",
        "sender_name": mail.sender.name if mail.sender else "",
        "answer_to": answer_address(mail),
        "recipients": [address.address for address in (*mail.to, *mail.cc)],
        "subject": mail.subject,
        "text": mail.text,
        "asset": event["payload"].get("asset", ""),
        "at": min(written, event["at"]) if past and written else event["at"],
        "date": written,
        "place": event["payload"].get("place", ""),
        "flags": event["payload"].get("flags"),
        "text_hash": sha256(mail.text.encode()),
        "references": [*mail.references, mail.message_id] if mail.message_id else mail.references,
        "attachments": [attachment.model_dump() for attachment in mail.attachments],
        "automatic": mail.automatic.model_dump() if mail.automatic else None,
        "defects": mail.defects,
    }


def _instant(written: str) -> str:
    """A date header as an instant of ours, "" when it is none."""
    try:
        return iso(datetime.fromisoformat(written)) if written else ""
    except (ValueError, OverflowError):
        return ""


def refs(mail: ParsedMail) -> list[str]:
    """Every Message-ID that belongs to the thread of a mail: its own and those it points at, at most fifty."""
    ids = [mail.message_id, mail.in_reply_to, *reversed(mail.references)]
    return [ident for ident in dict.fromkeys(ids) if ident][:MOST_REFS]


def answer_address(mail: ParsedMail) -> str:
    """Where an answer goes: Reply-To when it is given, else the sender; "" when there is neither."""
    chosen = mail.reply_to or mail.sender
    return chosen.address if chosen else ""


def readers(settings: Settings) -> frozenset[str]:
    """Addresses that get letters of ours: the operator's own and those of people a card may be handed to."""
    boxes = [part.address for part in settings.connectors.values() if part.kind == "mail"]
    people = [person.email for person in settings.people.values()]
    return frozenset(address.casefold() for address in (settings.business.email, *boxes, *people) if address)


def to_self(row: Mapping[str, Any]) -> bool:
    """Whether a message says that somebody wrote it to themselves and to nobody else."""
    sender, to = str(row["sender"]).casefold(), {str(one).casefold() for one in row["recipients"] or ()}
    return bool(sender) and to == {sender} and not row["automatic"]


def not_authenticated(head: bytes) -> str:
    """Why the receiving server does not believe a mail's sender, "" when it believes it or says nothing.

    Only the topmost Authentication-Results counts: the last server put it there; those below came with the mail.
    """
    lines = re.sub(rb"\r?\n[ \t]+", b" ", head.partition(b"\r\n\r\n")[0].partition(b"\n\n")[0]).splitlines()
    found = next((line for line in lines if line.lower().startswith(b"authentication-results:")), b"")
    told = [(name.lower(), value.lower()) for name, value in _RESULT.findall(found.decode("ascii", "replace"))]
    verdicts = [value for name, value in told if name == "dmarc" and value != "none"]
    if verdicts:
        return next((f"dmarc={value}" for value in verdicts if value != "pass"), "")
    if any(value == "pass" for name, value in told):
        return ""
    return ", ".join(f"{name}={value}" for name, value in told if value in ("fail", "softfail", "permerror"))
