"""Names of objects: the words and the page that stand for an id wherever one is mentioned."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from soloist.engine.store import reading
from soloist.engine.store.reading import Connection
from soloist.insight.views import Link

OWN_KINDS = ("mail.received", "form.submitted", "message.received")


def of(conn: Connection, idents: Iterable[str]) -> dict[str, Link]:
    """Words and address for every id that is known; a few look-ups however many ids there are."""
    left = {ident for ident in idents if ident}
    found: dict[str, Link] = {}
    for noun, name in _NAMES.items():
        rows = reading.named(conn, noun, sorted(left))
        left -= set(rows)
        if noun == "effects":
            rows |= _with_proposals(conn, rows)
        if noun == "events":
            read = reading.messages_of_events(conn, sorted(rows))
            found |= {ident: Link(message_title(row), f"/why/{ident}") for ident, row in read.items()}
            rows = {ident: row for ident, row in rows.items() if ident not in read}
        found |= {ident: name(row) for ident, row in rows.items()}
    return found


def _with_proposals(conn: Connection, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Effects with the payload of their proposal beside them."""
    made = reading.named(conn, "proposals", [row["proposal"] for row in rows.values()])
    return {ident: {**row, "payload": made.get(row["proposal"], {}).get("payload")} for ident, row in rows.items()}


def proposal_title(row: Mapping[str, Any]) -> str:
    """A proposal in a few words: subject and recipient of a mail, else connector, operation and what it names."""
    payload = row.get("payload") or {}
    to = payload.get("to", "")
    who = ", ".join(map(str, to)) if isinstance(to, list) else str(to)
    if payload.get("subject"):
        return f"{payload['subject']}, to {who}" if who else str(payload["subject"])
    if row.get("operation") == "record.change":
        return "Change of a record: " + ", ".join(sorted(payload.get("fields", {}))).replace("_", " ")
    return f"{row['connector']}: {row['operation']}" + (f" to {who}" if who else "")


def message_title(row: Mapping[str, Any]) -> str:
    """A message in a few words."""
    who = row["sender_name"] or row["sender"] or "an unknown sender"
    if row["direction"] == "out":
        return f"Mail to {', '.join(row['recipients'] or [])}: {row['subject']}"
    return f"Message from {who}: {row['subject'] or 'no subject'}"


def _event(row: Mapping[str, Any]) -> Link:
    payload = json.loads(row["body"] or "{}")
    words = {"mail.received": "a mail", "form.submitted": "a form", "message.received": "a message"}
    what = words.get(row["kind"], row["kind"])
    who = payload.get("name") or payload.get("from", "")
    return Link(f"{what} from {who}" if who else f"{what} by {row['source']}", f"/why/{row['id']}")


_NAMES: Mapping[str, Callable[[Mapping[str, Any]], Link]] = {
    "proposals": lambda row: Link(proposal_title(row), f"/why/{row['id']}"),
    "effects": lambda row: Link(proposal_title(row), f"/why/{row['id']}"),
    "tasks": lambda row: Link(row["title"], f"/cards/{row['id']}"),
    "messages": lambda row: Link(message_title(row), f"/why/{row['id']}"),
    "records": lambda row: Link(row["title"], f"/records/{row['kind']}/{row['id']}"),
    "events": _event,
    "runs": lambda row: Link(f"run {row['flow']}", f"/runs/{row['id']}"),
}
