"""Sent mail as things: the headers of a mail that lies outside become a Thing for reconciling; it reads no body."""

from __future__ import annotations

import email.header
import email.utils
import re
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import Message
from email.parser import BytesHeaderParser

from soloist.sdk.connector import Thing

HEADERS = ("MESSAGE-ID", "SUBJECT", "TO", "DATE")
"""What of a mail is needed."""
_OURS = re.compile(r"[a-z2-7]{26}\Z")


def thing(head: bytes, *, ref: str, domain: str) -> Thing:
    """``head`` are header lines; the key is the local part of a Message-ID that this home (``domain``) gave."""
    message = BytesHeaderParser().parsebytes(head)
    ident = str(message.get("Message-ID", "")).strip().strip("<>")
    local, _, place = ident.rpartition("@")
    own = bool(_OURS.match(local)) and place.lower() == domain.lower()
    subject = _words(str(message.get("Subject", "")))
    to = [address for _, address in email.utils.getaddresses([_unfolded(str(message.get("To", "")))]) if address]
    return Thing(ref, local if own else "", subject, {"subject": subject, "to": to}, _instant(message))


def _words(raw: str) -> str:
    """A header in plain characters; what cannot be decoded stays as it came."""
    try:
        text = str(email.header.make_header(email.header.decode_header(_unfolded(raw))))
    except (LookupError, ValueError, MessageError):
        text = raw
    return " ".join(text.split())


def _unfolded(raw: str) -> str:
    return re.sub(r"\r?\n[ \t]*", " ", raw)


def _instant(message: Message) -> str:
    """The Date header as ISO instant in UTC, "" without a readable one."""
    try:
        found = email.utils.parsedate_to_datetime(str(message.get("Date", "")))
    except (TypeError, ValueError):
        return ""
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat() if aware > datetime(1980, 1, 1, tzinfo=UTC) else ""
