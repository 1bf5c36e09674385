"""What letters of all agents have in common: the operator's standing rules, their payload on a thread, one draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import proposals
from soloist.engine.store.tx import Tx
from soloist.flows.desk import MAIL_OPERATION, Desk

NEWER = "a newer message came on this thread"


@dataclass(frozen=True)
class Ruled:
    """A draft as the standing rules would have it, what each did (version id, words), and what none could mend."""

    draft: Mapping[str, Any]
    used: tuple[tuple[str, str], ...] = ()
    faults: tuple[str, ...] = ()


async def ruled(desk: Desk, draft: Mapping[str, Any], to: str) -> Ruled:
    """A draft {body, notes, ...} for an address in the words the operator said once and for all."""
    found = await desk.store.read(lambda conn: desk.standing.dress(conn, str(draft["body"]), to))
    notes = [*(draft.get("notes") or []), *found.notes]
    return Ruled({**draft, "body": found.body, "notes": notes}, found.used, found.faults)


def on_thread(message: Mapping[str, Any], to: str, draft: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of a draft as an answer to a message."""
    return {
        "to": [to],
        "subject": draft["subject"],
        "body": draft["body"],
        "in_reply_to": message["message_id"],
        "references": [*(message["references"] or [])][-20:],
    }


def withdraw_older(desk: Desk, tx: Tx, conversation: str) -> None:
    """A newer message on the thread makes an older waiting mail stale; it is withdrawn, not sent."""
    for older in proposals.waiting_on(tx.conn, conversation):
        if older["operation"] == MAIL_OPERATION:
            desk.approvals.withdraw(tx, older["id"], actor="soloist", why=NEWER)
