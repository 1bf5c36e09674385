"""Pure decisions of conversation: the row of a sent message, and when nobody has answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.kernel.hashing import sha256


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


def answered(conversation: Mapping[str, Any], since: str) -> bool:
    """Whether something came in after an instant."""
    return bool(conversation["last_in"] > since)
