"""Which events are messages, what a message event must carry, and how one is read without a mail parser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from soloist.kernel.errors import BadInput
from soloist.kernel.message import Address, ParsedMail

MAIL = "mail.received"
MAIL_SENT = "mail.sent"
MAIL_SEEN = "mail.seen"
"""A mail that came, one the operator sent from any mail program, and one from before Soloist that is only looked at."""
MAILS = frozenset({MAIL, MAIL_SENT, MAIL_SEEN})
FORM = "form.submitted"
MESSAGE = "message.received"
KINDS = frozenset({MAIL, FORM, MESSAGE})
"""Kinds of events that start client intake; every other kind is kept and starts nothing."""
STARTS = {**dict.fromkeys(KINDS, "intake"), MAIL_SENT: "sent"}
"""The flow that an event of this kind starts."""

MAX_TEXT = 200_000
_ADDRESS = re.compile(r"[^@\s<>\"']{1,64}@[^@\s<>\"']{1,255}\Z")
_SUBJECT_MARK = re.compile(r"^\s*(?:(?:re|aw|antw|fwd?|wg|tr|rv|sv|vs|ref|odp)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def check(kind: str, payload: Mapping[str, Any]) -> None:
    """Refuse a message event that nobody could answer (BadInput names the field); other kinds pass."""
    if kind not in KINDS:
        return
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadInput("payload.text: the words of the message, as text that is not empty.", field="payload.text")
    if len(text) > MAX_TEXT:
        raise BadInput(f"payload.text: at most {MAX_TEXT} characters.", field="payload.text")
    sender = payload.get("from")
    if not isinstance(sender, str) or not _ADDRESS.match(sender.strip()):
        raise BadInput('payload.from: the sender\'s mail address, like "ada@example.org".', field="payload.from")
    for name in ("name", "subject", "phone", "company", "budget", "start", "message_id", "in_reply_to", "sender_id"):
        if not isinstance(payload.get(name, ""), str):
            raise BadInput(f"payload.{name}: text, or left out.", field=f"payload.{name}")


def as_mail(payload: Mapping[str, Any]) -> ParsedMail:
    """A form or API message in the shape of a mail; extra fields become lines of the text, so nothing is lost."""
    lines = [str(payload["text"]).strip()]
    extras = [
        (name, str(payload[name]).strip()) for name in ("budget", "start", "company", "phone") if payload.get(name)
    ]
    if extras:
        lines += ["", *(f"{name.capitalize()}: {value}" for name, value in extras)]
    return ParsedMail(
        message_id=str(payload.get("message_id", "")),
        in_reply_to=str(payload.get("in_reply_to", "")),
        sender=Address(name=str(payload.get("name", "")), address=str(payload["from"]).strip()),
        subject=str(payload.get("subject", "")),
        text="\n".join(lines),
    )


def plain_subject(subject: str) -> str:
    """A subject without "Re:", "AW:" and the like, folded for comparison."""
    return _SPACE.sub(" ", _SUBJECT_MARK.sub("", subject)).strip().casefold()[:200]
