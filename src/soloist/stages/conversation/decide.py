"""Pure decisions of conversation: the row of a sent message, and when nobody has answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.kernel.hashing import sha256

MACHINES = frozenset({"automatic", "bulk", "spam"})
"""Kinds of inbound messages that nobody wrote to answer ours."""


def sent_row(effect: Mapping[str, Any], proposal: Mapping[str, Any], *, sender: str, automatic: bool) -> dict[str, Any]:
    """The stored form of a mail that went out; its Message-ID is made from the effect's key."""
    payload = proposal["payload"]
    recipients = payload.get("to", [])
    return {
        "conversation": proposal["conversation"],
        "event": effect["id"],
        "direction": "out",
        "message_id": effect["provider_ref"].strip("<>"),
        "sender": sender,
        "sender_name": "",
        "recipients": recipients if isinstance(recipients, list) else [recipients],
        "subject": payload.get("subject", ""),
        "text": payload.get("body", ""),
        "at": effect["updated"],
        "kind": "automatic" if automatic else "reply",
        "text_hash": sha256(str(payload.get("body", "")).encode()),
    }


def unanswered(thread: Sequence[Mapping[str, Any]], sent: str) -> bool:
    """Whether a sent message is the last word on its thread (oldest first); what a machine answers is no answer."""
    said = [m["id"] for m in thread if m["direction"] == "out" or not (m["automatic"] or m["kind"] in MACHINES)]
    return bool(said) and bool(said[-1] == sent)
