"""What a card must say of a proposal whatever its author wrote: everybody it reaches, sums, files, where links lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import records
from soloist.engine.store.reading import Connection
from soloist.insight import amounts, marking
from soloist.kernel.proposal import amount

TEXTS = ("subject", "body", "text", "html", "title", "description")
HEADERS = ("in_reply_to", "references")
"""Fields of a mail that only programs read: shown in small print, never left out."""


def shown(
    conn: Connection, card: Mapping[str, Any], proposal: Mapping[str, Any], message: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The fields of a sheet that are read from the payload alone: recipients, amount, doubts, hosts, files."""
    payload = proposal["payload"] or {}
    known = {str(message["sender"])} if message else set()
    known |= set(records.known_addresses(conn, KNOWN))
    stored = [str(address) for address in proposal.get("recipients") or []]
    reached = marking.recipients(payload, stored, known)
    minor, currency = sum_of(proposal)
    files = tuple((name, marking.attachment_note(name)) for name in marking.attachments(payload))
    return {
        "recipients": reached,
        "amount": amounts.whole(minor, currency) if minor else "",
        "doubts": tuple(doubts(card, minor, currency)),
        "hosts": tuple(dict.fromkeys(host for text in texts(payload) for host in marking.hosts(text))),
        "files": files,
    }


KNOWN = 2000
"""Addresses of people the operator knows that recipients are compared with."""


def sum_of(proposal: Mapping[str, Any]) -> tuple[int, str]:
    """Amount in minor units and currency, as it was read when it was proposed, else from its usual place."""
    if proposal.get("amount_minor"):
        return int(proposal["amount_minor"]), str(proposal["currency"] or "")
    return amount(proposal["payload"] or {})


def doubts(card: Mapping[str, Any], minor: int, currency: str) -> list[str]:
    """Where the title of a card says something else than what would be done."""
    said = amounts.contradicts(str(card["title"]), minor, currency) if minor else ""
    return [f"The title says {said}; what would be done is {amounts.whole(minor, currency)}."] if said else []


def texts(value: Any, depth: int = 0) -> list[str]:
    """Every text in a payload, however deep it lies."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [text for item in inside for text in texts(item, depth + 1)] if depth < 20 else []


def small_print(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """The header fields of a mail, one line each."""
    lines = []
    for name in HEADERS:
        value = payload.get(name)
        if value:
            text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(f"{name.replace('_', ' ').capitalize()}: {text}")
    return tuple(lines)
