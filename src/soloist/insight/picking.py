"""Picking: which record or message somebody means by a name, an address or a word of it; it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import conversations, reading, records, searching
from soloist.engine.store.reading import Connection
from soloist.kernel.errors import NotFound

MESSAGE = "message"
MOST = 8
"""Choices that are shown for one word."""
OFFERED = 40
"""Newest names that a browser offers while somebody types."""


@dataclass(frozen=True)
class Choice:
    """One record or message that may be meant; ``sure`` when nothing else is."""

    id: str
    label: str
    sure: bool = False


def meant(conn: Connection, kinds: Sequence[str], text: str) -> tuple[Choice, ...]:
    """What a text may mean among records of these kinds, or messages; one that is ``sure`` stands alone."""
    text = text.strip().rstrip("/").rpartition("/")[2] if "/" in text else text.strip()
    if not text:
        return ()
    if known := _of_id(conn, kinds, text):
        return (known,)
    rows = _messages(conn, text) if MESSAGE in kinds else _records(conn, kinds, text)
    same = [row for row in rows if str(row.get("title") or row.get("subject") or "").casefold() == text.casefold()]
    found = same if len(same) == 1 else rows
    return tuple(Choice(row["id"], label(row), sure=len(found) == 1) for row in found[:MOST])


def newest(conn: Connection, kinds: Sequence[str]) -> tuple[str, ...]:
    """Names of the records of these kinds that changed last, to be offered while typing; none of messages."""
    rows = [row for kind in kinds if kind != MESSAGE for row in _listed(conn, kind, OFFERED)]
    rows.sort(key=lambda row: str(row["updated"]), reverse=True)
    return tuple(dict.fromkeys(row["title"] for row in rows[:OFFERED] if row["title"]))


def label(row: Mapping[str, Any]) -> str:
    """A record or a message in one line that tells it from others."""
    if "sender" in row:
        return f"{row['subject'] or 'No subject'}, from {row['sender_name'] or row['sender']}, {str(row['at'])[:10]}"
    body = row["body"] or {}
    more = next((str(one) for one in [*(body.get("emails") or ()), body.get("domain"), body.get("due")] if one), "")
    return f"{row['title'] or 'No name'} ({row['kind'].replace('_', ' ')}{', ' if more else ''}{more})"


def _of_id(conn: Connection, kinds: Sequence[str], text: str) -> Choice | None:
    """The one that has this id."""
    if MESSAGE in kinds:
        try:
            return Choice(text, label(conversations.message(conn, text)), sure=True)
        except NotFound:
            return None
    row = records.standing(conn, text)
    return Choice(row["id"], label(row), sure=True) if row and row["kind"] in kinds else None


def _records(conn: Connection, kinds: Sequence[str], text: str) -> list[dict[str, Any]]:
    """Records in which the text stands, those whose name holds it first."""
    rows = [row for kind in kinds for row in _listed(conn, kind, MOST, text)]
    return sorted(rows, key=lambda row: text.casefold() not in str(row["title"]).casefold())


def _listed(conn: Connection, kind: str, limit: int, text: str = "") -> list[dict[str, Any]]:
    found = records.listed(conn, kind, before=None, limit=limit, text=text)
    return [row for row in found if row["state"] != "retired"]


def _messages(conn: Connection, text: str) -> list[dict[str, Any]]:
    """Messages that hold these words, the newest first."""
    places = searching.find(conn, searching.parsed(text), {"messages": MOST}).get("messages", [])
    rows = reading.named(conn, "messages", [ref for _, ref in places])
    return [dict(rows[ref]) for _, ref in places if ref in rows]
